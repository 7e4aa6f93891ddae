# SPDX-License-Identifier: GPL-2.0-or-later
"""Macros replaced by their text, where they cannot be read as functions of their arguments."""

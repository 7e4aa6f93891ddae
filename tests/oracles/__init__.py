# SPDX-License-Identifier: GPL-2.0-or-later
"""Readers of others, against which ours are held."""

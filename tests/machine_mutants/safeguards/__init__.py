# SPDX-License-Identifier: GPL-2.0-or-later
"""Implementations without one of their safeguards, and whether the scenarios notice."""

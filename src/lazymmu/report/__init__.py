# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings on their way to the user: which remain (`select`), and one renderer per format.

A renderer is a pure function from outcomes to text; it neither prints nor knows exit codes.
"""

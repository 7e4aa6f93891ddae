# SPDX-License-Identifier: GPL-2.0-or-later
"""Witnesses: turn a reader's facts into events and run the monitors over them."""

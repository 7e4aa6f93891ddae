# SPDX-License-Identifier: GPL-2.0-or-later
"""Witnesses: turn a reader's facts into events and run the monitors over them.

One package each: `source` (a tree, for `check`), `machine` (searches, for `verify`), `trace` (what
a kernel recorded).  `finding` is what a tree and a trace are told to have; a search has a verdict.
"""

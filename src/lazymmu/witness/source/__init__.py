# SPDX-License-Identifier: GPL-2.0-or-later
"""The source witness: every path of every section of a tree, as events; `check` begins it.

`prefilter`, `mode_places` and `arch_hooks` find what the tree has of the mode, `entry_points` where
sections begin; `path` follows paths, with what a call does from `effects` and what it may come to
from `interproc`; `findings` and `section_table` make findings and rows of what the monitors saw.
"""

# SPDX-License-Identifier: GPL-2.0-or-later
"""The source witness: every path of every section of a tree, as events; `check` begins it.

`marks` and `architecture` find what the tree has of the mode, `roots` where sections begin, `walk`
and `calls` follow paths, `reach` and `sleeping` say what a call may come to, `causes` and `table`
make findings and rows of what the monitors saw.
"""

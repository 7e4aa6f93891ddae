# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines from a tree's own C: the mode's API and an architecture's hooks as the machine's steps.

`code` turns the flow graph of a function into instructions, `execute` runs them on the machine's
state, `implementation` makes of that what the machine takes: an `Arch` and a generic API.
What ends at the hardware or the hypervisor, and what has no meaning for the machine, are words of
`words/*.toml`, each with its source. Whatever else is called is the tree's C; what is neither is
refused by name and place (`Unliftable`).
"""

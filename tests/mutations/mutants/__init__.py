# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel trees with mistakes planted in their sections, to see who finds them.

scan: the sections of a tree, found by reading text and by nothing of lazymmu; section: the places
of one that a change can hold on to; mutant: a change; kinds: all that is planted, mistakes and
right code; batches: many changes in few trees, in memory; judge: which of them a list of reports
names; campaign: all of it, as a program. overlay: a copy of what is read of a tree; rename: a tree
in which the functions of mm/ have other names.
"""

# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel trees with one mistake planted in each section, to see who finds it.

scan: the sections of a tree, found by reading text and by nothing of lazymmu; overlay: a tree that
shares all files with another but those that are replaced; kinds: the mistakes; batches: many
mistakes in few trees; judge: which of them a list of reports names; rename: a tree in which the
functions of mm/ have other names.
"""

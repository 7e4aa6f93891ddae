# SPDX-License-Identifier: GPL-2.0-or-later
"""What a built kernel is made of.

Its ELF file, its types (BTF), and the instructions that touch the counters of a task.
"""

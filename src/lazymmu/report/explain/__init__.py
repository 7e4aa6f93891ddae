# SPDX-License-Identifier: GPL-2.0-or-later
"""What `explain` says in a graph's language."""

# SPDX-License-Identifier: GPL-2.0-or-later
"""One path through a function: the worklist, the state, the trace that led there."""

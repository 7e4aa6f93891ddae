# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions as control-flow graphs of plain expressions, and what is known of values."""

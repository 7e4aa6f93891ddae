# SPDX-License-Identifier: GPL-2.0-or-later
"""Two witnesses held against each other: a counterexample told as the trace its kernel records."""

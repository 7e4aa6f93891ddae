# SPDX-License-Identifier: GPL-2.0-or-later
"""What a call does to the contract's state: locks, entries, batches, summaries."""

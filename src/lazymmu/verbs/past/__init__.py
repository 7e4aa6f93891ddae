# SPDX-License-Identifier: GPL-2.0-or-later
"""What `history` is made of: points of a line of releases, and what became of problems on it."""

# SPDX-License-Identifier: GPL-2.0-or-later
"""The core-mm code that uses the mode, by kernel file."""

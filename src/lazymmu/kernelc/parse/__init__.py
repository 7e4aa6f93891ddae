# SPDX-License-Identifier: GPL-2.0-or-later
"""From bytes to functions: heads, slices, and masks over what no C parser takes."""

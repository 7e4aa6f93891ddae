# SPDX-License-Identifier: GPL-2.0-or-later
"""What all reports share: words, tables, JSON read and written."""

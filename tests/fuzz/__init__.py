# SPDX-License-Identifier: GPL-2.0-or-later
"""A fuzz target for each reader of what strangers write."""

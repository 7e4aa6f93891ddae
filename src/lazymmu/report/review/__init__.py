# SPDX-License-Identifier: GPL-2.0-or-later
"""A review of a series, rendered."""

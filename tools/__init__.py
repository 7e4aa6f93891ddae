# SPDX-License-Identifier: GPL-2.0-or-later
"""Makers of generated data, and campaigns: what the project needs and its users do not."""

# SPDX-License-Identifier: GPL-2.0-or-later
"""What runs in a guest while it records: programs for the guest's Python, each a file."""

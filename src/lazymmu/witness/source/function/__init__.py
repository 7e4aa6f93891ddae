# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of one function before it is walked: its frame, liveness, shape."""

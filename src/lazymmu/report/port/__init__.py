# SPDX-License-Identifier: GPL-2.0-or-later
"""What `port` says to who brings the mode to an architecture."""

# SPDX-License-Identifier: GPL-2.0-or-later
"""What oopses, BUGs and warnings are, as text and for programs."""

# SPDX-License-Identifier: GPL-2.0-or-later
"""How long one hypercall, barrier or invalidation takes on the machine at hand.

All is measured from user space: something that has one of it is held against the same without.
"""

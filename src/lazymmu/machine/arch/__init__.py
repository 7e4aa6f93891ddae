# SPDX-License-Identifier: GPL-2.0-or-later
"""The architectures: one class per feature state, one file per architecture."""

# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel booted in an emulator, with a recorder and a workload inside, and what it told."""

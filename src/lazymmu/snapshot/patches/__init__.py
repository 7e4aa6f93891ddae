# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches: mails and files with diffs, read and laid over a tree in memory."""

# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files and lines one configuration of a tree builds: Kconfig and Kbuild."""

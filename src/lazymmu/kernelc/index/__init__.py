# SPDX-License-Identifier: GPL-2.0-or-later
"""Where names and words stand in a tree, before anything of it is parsed."""

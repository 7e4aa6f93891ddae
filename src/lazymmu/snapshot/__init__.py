# SPDX-License-Identifier: GPL-2.0-or-later
"""Where source comes from: a work tree, a commit, a patch laid over either.

Files are read here and nowhere else, so that nothing outside of a tree is read, and what was read
is known. Imports nothing of ours but the leaves of the package.
"""

# SPDX-License-Identifier: GPL-2.0-or-later
"""`review`: what a series of patches brings, mends and moves, patch by patch.

``intake`` reads a series, ``base`` says what it is laid on, ``looks`` checks a tree with some of
its patches, and the others ask one question each; ``review`` puts their answers together.
"""

# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel C of a snapshot: its configuration, its preprocessor, its functions as graphs.

What is learnt of one file is kept by the file's state, so that what did not change is not computed
again. Nothing here knows the contract.
"""

# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known across functions: who calls whom, with which constants, to what effect."""

# SPDX-License-Identifier: GPL-2.0-or-later
"""What is kept between runs, as text."""

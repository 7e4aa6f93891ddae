# SPDX-License-Identifier: GPL-2.0-or-later
"""Recording: what is done to tracefs, and undone, and the archive that is made of it."""

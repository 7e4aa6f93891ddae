# SPDX-License-Identifier: GPL-2.0-or-later
"""What `lazymmu demo` prints."""

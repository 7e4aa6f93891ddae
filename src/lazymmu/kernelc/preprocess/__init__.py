# SPDX-License-Identifier: GPL-2.0-or-later
"""What the preprocessor does to one file: `#if`, macros, `#include`."""

# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that show a finding on a running kernel, and what they need and show, as data.

Each is a TOML file here, and a program for the guest's Python where one may be handed around.
"""

# SPDX-License-Identifier: GPL-2.0-or-later
"""Formats of other people's tools: a module each, which renders a `ToolReport` of any verb."""

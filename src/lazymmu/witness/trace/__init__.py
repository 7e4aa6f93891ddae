# SPDX-License-Identifier: GPL-2.0-or-later
"""The trace's witness: what a running kernel recorded, as events; `watch` begins it.

`acts` says what a line means, `tracks`, `switches` and `follow` whose it is, `judge` asks the
monitors, `tally`, `groups` and `spread` count what sections did.
"""

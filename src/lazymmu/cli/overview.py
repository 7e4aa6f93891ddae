# SPDX-License-Identifier: GPL-2.0-or-later
"""What `lazymmu` alone prints: what it is for, in a dozen lines."""

from __future__ import annotations

__all__ = ["OVERVIEW"]

OVERVIEW = """\
lazymmu holds the Linux kernel to the contract of the lazy MMU mode.

  lazymmu demo                see what it does, on what ships with it (20 s)
  lazymmu check ~/src/linux   is it used right, on every path of source?
  lazymmu check . --since REV what does this branch bring?
  lazymmu verify              is it implemented right, under every interleaving?
  lazymmu trace trace.txt     did it happen right, on a kernel that ran?
  lazymmu explain RULE        what does a rule mean, why, and for whom?

Also: review, history, cost, sections, litmus, probes, record, lab, replay,
  port, mcp, cache, completion.
`lazymmu --help` says what they do, `lazymmu VERB --help` what one takes.
"""

# SPDX-License-Identifier: GPL-2.0-or-later
"""What `lazymmu` alone prints: what it is for, in a dozen lines of sixty columns."""

from __future__ import annotations

__all__ = ["OVERVIEW"]

OVERVIEW = """\
lazymmu holds Linux to the contract of its lazy MMU mode.

  lazymmu demo                 what it does, in some 10 s
  lazymmu check ~/src/linux    is it used right in source?
  lazymmu check . --since REV  what does a branch bring?
  lazymmu verify               is it implemented right?
  lazymmu trace trace.txt      was a kernel right that ran?
  lazymmu explain RULE         what is a rule, and why?

Also: review, history, cost, sections, litmus, probes,
  record, lab, replay, port, mcp, cache, completion.
All verbs: lazymmu --help; one: lazymmu VERB --help
"""

# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes one thing in the code at a time, and sees whether a test notices.

operators: one change at one place of a syntax tree, and what it is called; sites: where a function
can be changed; areas: which modules belong together, and which tests are theirs; sample: the
mutants that are tried, drawn by a seed; run: a copy of the package, and the tests on it; watch:
what runs inside pytest; judged: the mutants that change nothing, each with the reason; campaign:
the program, ``python -m tools.mutants``.

The tools that exist (mutmut, cosmic-ray) number a function's mutants. A judgement that one of them
is equivalent would then be about another after the next commit; here it is about a text.
"""

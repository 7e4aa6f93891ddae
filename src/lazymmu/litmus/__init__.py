# SPDX-License-Identifier: GPL-2.0-or-later
"""Litmus files: each a short program that shows one behaviour of the lazy MMU mode.

`scenario` is what a file says, as values; `read` reads and checks one, `write` writes one;
`signature` says what operations take; `shipped` finds the files that come with the project;
`vary` changes a scenario's machine, and `judge` holds verdicts to what a scenario expects.
"""

# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine's witness: a machine beside the contract's monitors, one model; `verify` begins it.

`judged` is that model, `verdict` what a search of it came to, `way` and `shown` a counterexample
step by step, `again` takes one once more, `retell` and `tracetext` tell it as a trace.
"""

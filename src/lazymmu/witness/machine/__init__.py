# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine's witness: a machine beside the contract's monitors, one model; `verify` begins it.

`product_model` is that model, `verdict` what a search of it came to, `replay` takes the steps of
a counterexample once more, `harm_attribution` says what goes wrong when one rule is broken.
"""

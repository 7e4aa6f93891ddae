# SPDX-License-Identifier: GPL-2.0-or-later
"""The contract of the lazy MMU mode as code: events, state, rules, dialects, deferral, vocabulary.

Imports nothing of ours.  Readers of facts and witnesses depend on it, never the other way round.
"""

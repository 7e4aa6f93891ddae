# SPDX-License-Identifier: GPL-2.0-or-later
"""Measurements that are made up: what takes so long each time, and what cannot be measured."""

from __future__ import annotations

import contextlib

from lazymmu.timing.samples import NotMeasured, Pair


def always(with_, without=100):
    """Something that takes so long each time, and the rest of it."""
    return lambda: contextlib.nullcontext(Pair(lambda: with_, lambda: without, 1, "made up"))


@contextlib.contextmanager
def nothing():
    """Something that cannot be measured here."""
    raise NotMeasured("there is none here")
    yield


MADE_UP = {"hypercall": always(900), "barrier": nothing, "invalidation": nothing}

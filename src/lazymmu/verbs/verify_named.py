# SPDX-License-Identifier: GPL-2.0-or-later
"""What the names of releases and architectures in a question come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazymmu.contract.deferral import ROW_BY_NAME
from lazymmu.litmus.run import implementations, known_as
from lazymmu.litmus.run import names as there_are

if TYPE_CHECKING:
    from lazymmu.verbs.verify import VerifyRequest

__all__ = ["bases", "in_full", "known_in", "missing"]


def known_in(feature: str) -> str:
    """An implementation, and in which releases it is."""
    row = ROW_BY_NAME.get(feature)
    return feature if row is None or not row.seen else f"{feature}: {row.seen}"


def bases(asked: VerifyRequest) -> tuple[str, ...]:
    """The releases whose generic code a port stands on: those that are asked for."""
    features = there_are()[2]
    given_ = [known_as(one) for one in asked.releases if one and one not in features]
    return tuple(dict.fromkeys(given_))


def missing(asked: VerifyRequest) -> tuple[str, ...]:
    """Why there is no run of what was named: a sentence for each architecture and release."""
    arches, _releases, features = there_are()
    found = []
    for release in filter(None, asked.releases):
        taken = release if release in features else known_as(release)
        for arch in [one for one in asked.arches if one in arches]:
            there = [(known, feature) for one, known, feature in implementations() if one == arch]
            if not any(taken in pair for pair in there):
                has = ", ".join(known for known, _ in there)
                found.append(f"{arch} has no lazy MMU mode that is known in {release}; in {has}")
    return tuple(found)


def in_full(asked: VerifyRequest) -> bool:
    """Whether scenario, architecture and release are all named."""
    named_ = asked.scenarios or asked.files
    return bool(named_ and set(asked.arches) - {"", "all"} and set(asked.releases) - {""})

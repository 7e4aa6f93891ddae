# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a file is not built: off on this machine, named by no Makefile, or not to be told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from lazymmu.kernelc.presence import PresenceCondition, is_negative, literals, symbol_of

if TYPE_CHECKING:
    from lazymmu.kernelc.config.kconfig import Config

__all__ = ["Cause", "Unbuilt", "off", "turned_off"]


class Cause(StrEnum):
    """What kind of reason it is.

    OFF: the configuration decides against it; UNNAMED: no Makefile names it, whatever the
    configuration; ELSEWHERE: it belongs to another architecture; UNREADABLE: a Makefile on the
    way, or a word of its lists, could not be read, so that it may be built after all; ABSENT:
    there is no such file.
    """

    OFF = "off"
    UNNAMED = "unnamed"
    ELSEWHERE = "elsewhere"
    UNREADABLE = "unreadable"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Unbuilt:
    """Why a file is not built: the kind of reason, and the reason in words without a full stop."""

    cause: Cause
    text: str

    def __str__(self) -> str:
        return self.text


def _holds(literal: str, config: Config) -> bool:
    """Tell whether a literal can hold."""
    symbol = symbol_of(literal)
    if symbol is None:
        return True
    if config.defined is not None and symbol not in config.defined:
        # A symbol of a module out of tree.
        return True
    value = config.may(symbol)
    if is_negative(literal):
        return value != "y"
    return value != "n" or config.number(symbol) is not None


def off(presence: PresenceCondition, config: Config) -> bool:
    """Tell whether a presence condition cannot hold under `config`.

    One of its clauses cannot, or two ask for members of one choice.
    """
    return config.excludes(presence) or any(
        not any(_holds(literal, config) for literal in literals(clause)) for clause in presence
    )


def turned_off(presence: PresenceCondition, config: Config) -> Unbuilt:
    """Return the reason for what is there under `presence`, when it is not under `config`."""
    reasons = []
    for clause in presence:
        parts = literals(clause)
        if not any(_holds(part, config) for part in parts):
            reasons.append(
                " and ".join(
                    f"{part.lstrip('!')} {'counts as on' if is_negative(part) else 'is off'}"
                    for part in parts
                )
            )
    if reasons:
        return Unbuilt(Cause.OFF, f"{' and '.join(reasons)} on this machine")
    return Unbuilt(Cause.OFF, f"{' and '.join(presence)} exclude each other")

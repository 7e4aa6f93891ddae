# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a file is not built: off on this machine, named by no Makefile, or not to be told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lazymmu.kernelc.config.kconfig import Config
from lazymmu.kernelc.config.make_words import Labels

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


def _holds(condition: str, config: Config) -> bool:
    """Tell whether one condition of a label can hold."""
    symbol = condition.lstrip("!").removeprefix("CONFIG_")
    if not condition.lstrip("!").startswith("CONFIG_"):
        return True
    if config.defined is not None and symbol not in config.defined:
        # A symbol of a module out of tree.
        return True
    value = config.may(symbol)
    if condition[0] == "!":
        return value not in ("y", "free")
    return value != "n" or config.number(symbol) is not None


def off(labels: Labels, config: Config) -> bool:
    """Tell whether labels cannot all hold: one cannot, or two are members of one choice."""
    return config.excludes(labels) or any(
        not any(_holds(c, config) for c in label.split(" || ")) for label in labels
    )


def turned_off(labels: Labels, config: Config) -> Unbuilt:
    """Return the reason for what `labels` build, when they do not under `config`."""
    reasons = []
    for label in labels:
        parts = label.split(" || ")
        if not any(_holds(part, config) for part in parts):
            reasons.append(
                " and ".join(
                    f"{part.lstrip('!')} {'counts as on' if part[0] == '!' else 'is off'}"
                    for part in parts
                )
            )
    if reasons:
        return Unbuilt(Cause.OFF, f"{' and '.join(reasons)} on this machine")
    return Unbuilt(Cause.OFF, f"{' and '.join(labels)} exclude each other")

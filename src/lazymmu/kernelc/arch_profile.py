# SPDX-License-Identifier: GPL-2.0-or-later
"""Profiles: one machine for each architecture that the checks look at a tree as.

A profile is data (profiles/*.toml): which directory under arch/, which configuration symbols it
fixes and why, what its compiler defines, and which run-time facts are constants on it. All else
is the tree's own say: Kconfig, Makefiles, headers.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PROFILES", "Forced", "Profile", "load"]


@dataclass(frozen=True, slots=True)
class Forced:
    """A configuration symbol that a profile fixes: "y", "n" or a number, and why."""

    value: str
    why: str


@dataclass(frozen=True, slots=True)
class Profile:
    """One machine that a tree is looked at as.

    :param name: what `--arch` takes.
    :param label: the machine in words.
    :param arch_dir: its directory under arch/.
    :param config: what it fixes, by symbol without CONFIG_.
    :param builtins: macros of its compiler and of generated headers, name to text.
    :param constants: calls whose value it fixes, such as `radix_enabled` -> 0.
    """

    name: str
    label: str
    arch_dir: str
    config: Mapping[str, Forced] = field(default_factory=dict)
    builtins: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, int] = field(default_factory=dict)


def _parts(*names: str) -> Profile:
    """Join the parts of a profile, the later ones over the earlier."""
    data: dict[str, Any] = {"label": "", "arch_dir": ""}
    tables: dict[str, dict[str, Any]] = {"config": {}, "builtins": {}, "constants": {}}
    for name in names:
        resource = Path(__file__).parent / "profiles" / f"{name}.toml"
        if not resource.is_file():
            raise KeyError(name)
        part = tomllib.loads(resource.read_text(encoding="utf-8"))
        for key, table in tables.items():
            table.update(part.pop(key, {}))
        data.update(part)
    return Profile(
        name=names[-1],
        label=data["label"],
        arch_dir=data["arch_dir"],
        config=MappingProxyType(
            {key: Forced(str(item["value"]), item["why"]) for key, item in tables["config"].items()}
        ),
        builtins=MappingProxyType({key: str(item) for key, item in tables["builtins"].items()}),
        constants=MappingProxyType(
            {key: item["value"] for key, item in tables["constants"].items()}
        ),
    )


@cache
def load(name: str) -> Profile:
    """Read the profile `name` and what is common to all from the package's data.

    :raises KeyError: there is no such profile.
    """
    return _parts("common", name)


@cache
def unknown(arch_dir: str) -> Profile:
    """The machine that an architecture without a profile is looked at as.

    It fixes what is common to all and leaves the rest to the architecture's own Kconfig.
    """
    label = f"arch/{arch_dir}, as its own Kconfig has it"
    return replace(_parts("common"), name=arch_dir, label=label, arch_dir=arch_dir)


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {name: load(name) for name in ("x86", "powerpc", "sparc", "arm64")}
)

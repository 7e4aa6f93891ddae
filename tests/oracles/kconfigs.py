# SPDX-License-Identifier: GPL-2.0-or-later
"""Made-up Kconfig files, and what others say that their symbols can be."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

Reach = Callable[[Path, "MadeUp"], dict[str, set[bool]]]
"""The states, on or off, that each symbol has in some configuration."""

MODULES = 'config MODULES\n\tbool "Modules"\n\tdefault y\n'
WIDTH = """\
config WIDE
	bool "Wide"
config WIDTH
	int
	default 7 if WIDE
	default 5
"""
ON = ("y", "m")


@dataclass(frozen=True, slots=True)
class MadeUp:
    """A Kconfig file: its text, what each symbol is, and which of them somebody is asked."""

    text: str
    kinds: dict[str, str]
    asked: tuple[str, ...]

    def configurations(self) -> Iterator[dict[str, str]]:
        """Every way to answer what is asked, also where nobody is asked just then."""
        answers = [
            ("n", "m", "y") if self.kinds[name] == "tristate" else ("n", "y") for name in self.asked
        ]
        for values in itertools.product(*answers):
            yield dict(zip(self.asked, values, strict=True))


def expressions(names: Sequence[str], plain: bool) -> st.SearchStrategy[str]:
    """Conditions over symbols; plain ones have neither negations nor comparisons."""
    leaves = [st.sampled_from([*names, *(["y"] if plain else ["y", "n", "ABSENT"])])]
    if not plain:
        leaves += [
            st.sampled_from(["WIDTH > 3", "WIDTH = 5", "WIDTH != 0x5", "WIDTH <= 4", '"a" = "a"']),
            st.sampled_from(names or ["y"]).flatmap(
                lambda name: st.sampled_from([f"{name} = y", f"{name} != n"])
            ),
        ]

    def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        forms = [
            st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(" ".join),
            inner.map("({})".format),
        ]
        if not plain:
            forms.append(inner.map("!({})".format))
        return st.one_of(forms)

    return st.recursive(st.one_of(leaves), grown, max_leaves=3)


@st.composite
def kconfigs(draw: st.DrawFn, *, plain: bool, most: int = 4) -> MadeUp:
    """A file of a few symbols; each mentions those before it, and selects those after it.

    plain: nothing is negated or compared, and symbols may be tristate. Our reader does not tell m
    from y, so that with negations of those (!m is m) it is no question what is right.
    most: of symbols that somebody is asked for.
    """
    count = draw(st.integers(2, 6))
    names = [f"S{number}" for number in range(count)]
    kinds = dict.fromkeys(["WIDE", *names], "bool")
    asked = ["WIDE"]
    lines = [MODULES, WIDTH]
    number = 0
    while number < count:
        before = names[:number]
        condition = expressions(before, plain)
        wrap = draw(st.sampled_from(["", "", "if", "menu", "choice"]))
        members = 1
        if wrap == "if":
            lines.append(f"if {draw(condition)}\n")
        elif wrap == "menu":
            lines.append(f'menu "Some"\n\tdepends on {draw(condition)}\n')
        elif wrap == "choice" and number + 2 <= count and len(asked) + 2 <= most:
            members = draw(st.integers(2, min(3, count - number, most - len(asked))))
            lines.append('choice\n\tprompt "One of"\n')
            if draw(st.booleans()):
                lines.append(
                    f"\tdefault {draw(st.sampled_from(names[number : number + members]))}\n"
                )
            if draw(st.booleans()):
                lines.append(f"\tdepends on {draw(condition)}\n")
        for name in names[number : number + members]:
            if members > 1:
                lines.append(f'config {name}\n\tbool "Member"\n')
                if draw(st.integers(0, 3)) == 0:
                    lines.append(f"\tdepends on {draw(condition)}\n")
                asked.append(name)
                continue
            kinds[name] = draw(st.sampled_from(["bool", "tristate"])) if plain else "bool"
            lines.append(f"config {name}\n\t{kinds[name]}\n")
            if len(asked) < most and draw(st.integers(0, 3)):
                lines.append(
                    '\tprompt "Ask"' + draw(st.just("") | condition.map(" if {}".format)) + "\n"
                )
                asked.append(name)
            for _ in range(draw(st.integers(0, 1))):
                lines.append(f"\tdepends on {draw(condition)}\n")
            for _ in range(draw(st.integers(0, 2))):
                value = draw(st.sampled_from(["y", "y", "n"]) | condition)
                lines.append(
                    f"\tdefault {value}" + draw(st.just("") | condition.map(" if {}".format)) + "\n"
                )
            for target in draw(
                st.lists(st.sampled_from(names[number + 1 :] or [name]), max_size=1)
            ):
                if target != name:
                    word = draw(st.sampled_from(["select", "select", "imply"]))
                    lines.append(
                        f"\t{word} {target}"
                        + draw(st.just("") | condition.map(" if {}".format))
                        + "\n"
                    )
        number += members
        if wrap in ("if", "menu"):
            lines.append(f"end{wrap}\n")
        elif members > 1:
            lines.append("endchoice\n")
    return MadeUp("".join(lines), kinds, tuple(asked))


def by_kconfiglib(root: Path, made: MadeUp) -> dict[str, set[bool]]:
    """The reachable states by kconfiglib."""
    import kconfiglib

    tree = kconfiglib.Kconfig(str(root / "Kconfig"), warn=False)
    found: dict[str, set[bool]] = {name: set() for name in made.kinds}
    for chosen in made.configurations():
        tree.unset_values()
        for name, value in chosen.items():
            tree.syms[name].set_value(value)
        for name, states in found.items():
            states.add(tree.syms[name].str_value in ON)
    return found


def by_conf(conf: Path, root: Path, made: MadeUp) -> dict[str, set[bool]]:
    """The reachable states by the kernel's own program, which is asked once for each answer."""
    found: dict[str, set[bool]] = {name: set() for name in made.kinds}
    config = root / ".config"
    for chosen in made.configurations():
        lines = [f"CONFIG_{name}={value}" for name, value in chosen.items() if value != "n"]
        lines += [f"# CONFIG_{name} is not set" for name, value in chosen.items() if value == "n"]
        config.write_text("\n".join(["CONFIG_MODULES=y", *lines, ""]))
        subprocess.run(
            [conf, "-s", "--olddefconfig", "Kconfig"],
            cwd=root,
            check=True,
            capture_output=True,
            env={"KCONFIG_CONFIG": ".config", "KCONFIG_AUTOCONFIG": "auto.conf", "srctree": "."},
        )
        said = config.read_text().splitlines()
        for name, states in found.items():
            states.add(any(f"CONFIG_{name}={value}" in said for value in ON))
    return found

# SPDX-License-Identifier: GPL-2.0-or-later
"""What Kconfig decides: forced, impossible, or somebody's choice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.arch_profile import Forced, Profile
from lazymmu.kernelc.config import kconfig_parser
from lazymmu.kernelc.config.kconfig import Config, solve
from lazymmu.kernelc.config.kconfig_model import ConfigEntry
from lazymmu.snapshot.tree import Tree

Grow = Callable[[dict[str, str | bytes]], Path]


def decided(grow: Grow, text: str, more: dict[str, str] | None = None, **fixed: str) -> Config:
    """Solve a tree whose top Kconfig is `text`, with some symbols fixed by the profile."""
    config = {name: Forced(value, "the test says so") for name, value in fixed.items()}
    profile = Profile("toy", "a toy", "toy", config)
    return solve(Tree.open(grow({"Kconfig": text, **(more or {})})), profile)


def test_prompts_are_free_and_defaults_are_not(grow: Grow) -> None:
    """Somebody may choose what has a prompt; a default without one is decided."""
    config = decided(
        grow,
        """
config ASKED
\tbool "Ask"
config GIVEN
\tdef_bool y
config LATER
\tbool
\tdefault y if GIVEN
config NEVER
\tbool
config HALF
\tdef_bool ASKED
""",
    )
    states = {name: config.value(name) for name in ("ASKED", "GIVEN", "LATER", "NEVER", "HALF")}
    assert states == {"ASKED": "free", "GIVEN": "y", "LATER": "y", "NEVER": "n", "HALF": "free"}
    assert config.value("NO_SUCH_SYMBOL") == "n"


def test_dependencies_that_cannot_hold_switch_off(grow: Grow) -> None:
    """A prompt or default under an impossible condition is as if it were not there."""
    config = decided(
        grow,
        """
config MISSING_PART
\tbool "Needs what no file defines"
\tdepends on NO_SUCH_SYMBOL
if GIVEN && !GIVEN
config IN_IF
\tbool "Never"
endif
menu "Only with GIVEN"
\tdepends on !GIVEN
config IN_MENU
\tbool "Never"
endmenu
config GIVEN
\tdef_bool y
config EITHER
\tbool "Still"
\tdepends on NO_SUCH_SYMBOL || GIVEN
config HIDDEN
\tbool "Only experts are asked" if NO_SUCH_SYMBOL
\tdefault y
""",
    )
    assert [config.value(name) for name in ("MISSING_PART", "IN_IF", "IN_MENU")] == ["n"] * 3
    assert config.value("EITHER") == "free"
    assert config.value("HIDDEN") == "y"


def test_selects_force_whatever_the_target_depends_on(grow: Grow) -> None:
    """What must be on forces what it selects; what can be on makes it possible."""
    config = decided(
        grow,
        """
config ARCH
\tdef_bool y
\tselect SURE
\tselect MAYBE if ASKED
\tselect NOT if !ARCH
\tselect NO_SUCH_SYMBOL
config ASKED
\tbool "Ask"
config SURE
\tbool "Ask too"
\tdepends on NO_SUCH_SYMBOL
config MAYBE
\tbool
config NOT
\tbool
config IMPLIED
\tbool
config IMPLIES
\tdef_bool y
\timply IMPLIED
""",
    )
    assert [config.value(n) for n in ("SURE", "MAYBE", "NOT", "IMPLIED")] == [
        "y",
        "free",
        "n",
        "free",
    ]


def test_what_is_forced_takes_away_what_it_excludes_and_so_on(grow: Grow) -> None:
    """What must be on makes another impossible, without which a third must be on."""
    config = decided(
        grow,
        """
config SURE
\tdef_bool y
config AGAINST
\tbool "Ask"
\tdepends on !SURE
config WITHOUT
\tdef_bool !AGAINST
config NO_MORE
\tbool "Ask"
\tdepends on !WITHOUT
config LAST
\tdef_bool !NO_MORE
""",
    )
    states = [config.value(n) for n in ("SURE", "AGAINST", "WITHOUT", "NO_MORE", "LAST")]
    assert states == ["y", "n", "y", "n", "y"]


def test_a_file_is_included_under_all_the_conditions_around_it(grow: Grow) -> None:
    """Each `if` around a source line counts, and none of them is lost."""
    tree = Tree.open(
        grow(
            {
                "Kconfig": 'config ON\n\tdef_bool y\nconfig FREE\n\tbool "Ask"\n'
                'if ON && FREE\nsource "free"\nendif\nif ON && NO\nsource "off"\nendif\n'
                'if ON && !NO\nsource "on"\nendif\n',
                "free": "config IN_FREE\n\tdef_bool y\n",
                "off": "config IN_OFF\n\tdef_bool y\n",
                "on": "config IN_ON\n\tdef_bool y\n",
            }
        )
    )
    config = solve(tree, Profile("toy", "a toy", "toy"))
    assert [config.value(n) for n in ("IN_FREE", "IN_OFF", "IN_ON")] == ["free", "n", "y"]
    assert tree.losses == []


def test_the_profile_fixes_what_the_tree_has(grow: Grow) -> None:
    """Fixed symbols win over everything and act on others; unknown ones stay unknown."""
    config = decided(
        grow,
        """
config ON
\tbool "Ask"
\tselect FOLLOWS
config OFF
\tdef_bool y
config FOLLOWS
\tbool
config WITHOUT_OFF
\tdef_bool !OFF
""",
        ON="y",
        OFF="n",
        ELSEWHERE="y",
    )
    assert [config.value(n) for n in ("ON", "OFF", "FOLLOWS", "WITHOUT_OFF", "ELSEWHERE")] == [
        "y",
        "n",
        "y",
        "y",
        "n",
    ]


CHOICE = """
choice
\tprompt "Page size"
\tdefault PAGES_64K if LARGE
\tdefault PAGES_4K
config PAGES_4K
\tbool "4K"
config PAGES_16K
\tbool "16K"
config PAGES_64K
\tbool "64K"
endchoice
config LARGE
\tdef_bool n
config PAGE_SHIFT
\tint
\tdefault 16 if PAGES_64K
\tdefault 14 if PAGES_16K
\tdefault 12
config MASK
\thex
\tdefault 0xff
config COPY
\tint
\tdefault PAGE_SHIFT
"""


def test_a_choice_takes_its_default(grow: Grow) -> None:
    """One member is on, the others are off, and numbers follow."""
    config = decided(grow, CHOICE)
    assert [config.value(f"PAGES_{n}K") for n in (4, 16, 64)] == ["y", "n", "n"]
    assert [config.number(n) for n in ("PAGE_SHIFT", "MASK", "COPY")] == [12, 255, 12]
    assert config.number("PAGES_4K") is None


def test_the_profile_can_fix_a_choice(grow: Grow) -> None:
    """A fixed member is the chosen one."""
    config = decided(grow, CHOICE, PAGES_16K="y")
    assert [config.value(f"PAGES_{n}K") for n in (4, 16, 64)] == ["n", "y", "n"]
    assert config.number("PAGE_SHIFT") == 14


def test_files_are_included_as_the_architecture_says(grow: Grow) -> None:
    """`$(SRCARCH)` names the profile's directory; what is not there is passed over."""
    config = decided(
        grow,
        'source "arch/$(SRCARCH)/Kconfig"\nif ARCH_ON\nsource "lib/Kconfig"\nendif\n'
        'source "no/Kconfig"\n',
        {
            "arch/toy/Kconfig": 'config ARCH_ON\n\tdef_bool "$(ARCH)" = "toy"\nrsource "more"\n',
            "arch/toy/more": 'config MORE\n\tdef_bool "$(SRCARCH)" != "toy"\n',
            "lib/Kconfig": "config LIB\n\tdef_bool y\n",
        },
    )
    assert [config.value(name) for name in ("ARCH_ON", "MORE", "LIB")] == ["y", "n", "y"]


def test_files_that_include_each_other_end(grow: Grow) -> None:
    """A circle of files is left, and told as a loss."""
    tree = Tree.open(grow({"Kconfig": 'source "a"\n', "a": 'source "Kconfig"\nconfig A\n\tbool\n'}))
    solve(tree, Profile("toy", "a toy", "toy"))
    assert [loss.reason for loss in tree.losses] == ["Kconfig files include each other in a circle"]


def test_the_toolchain_is_a_current_gcc(grow: Grow) -> None:
    """Tests of the compiler succeed; versions compare as numbers."""
    config = decided(
        grow,
        """
config HAS
\tdef_bool $(cc-option,-fthis -fthat=$(CC))
config FAILS
\tdef_bool $(failure,command -v $(PAHOLE))
config VERSION
\tint
\tdefault 120000
config NEW
\tdef_bool VERSION >= 110000 && HAS
config OLD
\tdef_bool VERSION < 110000
config TRI
\ttristate "Ask"
config NOT_MODULE
\tdef_bool TRI != m
config OFF
\tdef_bool TRI = n
config OTHER
\tdef_bool VERSION != 120000
config ANOTHER
\tdef_bool VERSION != 120001
config EXACT
\tdef_bool VERSION = 120000 && VERSION <= 120000 && !(VERSION > 120000)
""",
    )
    states = [config.value(n) for n in ("HAS", "FAILS", "NEW", "OLD", "NOT_MODULE", "OFF")]
    assert states == ["y", "n", "y", "n", "y", "free"]
    assert [config.value(n) for n in ("OTHER", "ANOTHER", "EXACT")] == ["n", "y", "y"]


def test_help_texts_and_comments_say_nothing() -> None:
    """A help text ends at a line further left, whatever its lines begin with."""
    text = """config A
\tbool "with if and \\"quotes\\"" if B # not C
\thelp
\t  select EVERYTHING
\t    depends on NOTHING

\t  config C
\tdepends on D && \\
\t\tE
# config F
config G
\tbool
\thelp
config H
\tbool
"""
    items = kconfig_parser.parse(text).items
    blocks = {item.name: item for item in items if isinstance(item, ConfigEntry)}
    assert list(blocks) == ["A", "G", "H"]
    assert blocks["A"].prompts == ["B"]
    assert blocks["A"].depends == ("&", "D", "E")
    assert blocks["A"].selects == []


@given(st.text(alphabet="config A\n\tbool\"if y&|!=()<$,helpmnudcos #'\\", max_size=200))
def test_any_text_is_read(text: str) -> None:
    """No text makes the reader fail."""
    kconfig_parser.parse(text)


# Random configurations of a few symbols, checked against all assignments that Kconfig allows.
SYMBOLS = ("A", "B", "C", "D", "E")
LITERAL = st.sampled_from([*SYMBOLS, *(f"!{s}" for s in SYMBOLS), "y", "n"])
CONDITION = st.lists(LITERAL, min_size=1, max_size=3).flatmap(
    lambda words: st.sampled_from([" && ".join(words), " || ".join(words)])
)
ENTRY = st.fixed_dictionaries(
    {
        "prompt": st.booleans(),
        "depends": st.none() | CONDITION,
        "default": st.none() | CONDITION,
        "select": st.none() | st.tuples(st.sampled_from(SYMBOLS), CONDITION),
    }
)


def value_of(text: str | None, state: dict[str, bool]) -> bool:
    """A condition under an assignment."""
    if text is None:
        return True
    any_of = " || " in text
    words = text.replace(" && ", " ").replace(" || ", " ").split()
    values = [
        (word == "y") if word in "yn" else state[word.lstrip("!")] != word.startswith("!")
        for word in words
    ]
    return any(values) if any_of else all(values)


def allowed(entries: dict[str, dict[str, object]], state: dict[str, bool]) -> bool:
    """Whether an assignment is one that Kconfig could end in."""
    for name, entry in entries.items():
        selected = any(
            state[other]
            and by["select"] is not None
            # The selecting entry's own dependency is part of the condition.
            and by["select"][0] == name
            and value_of(by["select"][1], state)  # type: ignore[index]
            and value_of(by["depends"], state)  # type: ignore[arg-type]
            for other, by in entries.items()
        )
        visible = bool(entry["prompt"]) and value_of(entry["depends"], state)  # type: ignore[arg-type]
        default = (
            entry["default"] is not None
            and value_of(entry["depends"], state)  # type: ignore[arg-type]
            and value_of(entry["default"], state)  # type: ignore[arg-type]
        )
        if visible and not selected:
            continue
        if state[name] != (selected or default):
            return False
    return True


@given(st.fixed_dictionaries(dict.fromkeys(SYMBOLS, ENTRY)))
def test_what_is_decided_holds_in_every_configuration(
    entries: dict[str, dict[str, object]],
) -> None:
    """No configuration that Kconfig could end in contradicts a "y" or an "n".

    The converse is not promised: conditions that belong together are looked at one by one, so
    that "free" may be said of what is decided. Assignments that hold themselves up in a circle
    of selects and defaults are not what Kconfig ends in: only those count that follow, entry by
    entry, from what was chosen.
    """
    lines = []
    for name, entry in entries.items():
        lines += [f"config {name}", '\tbool "Ask"' if entry["prompt"] else "\tbool"]
        if entry["depends"]:
            lines.append(f"\tdepends on {entry['depends']}")
        if entry["default"]:
            lines.append(f"\tdefault y if {entry['default']}")
        if entry["select"]:
            lines.append(f"\tselect {entry['select'][0]} if {entry['select'][1]}")  # type: ignore[index]
    files = {"Kconfig": kconfig_parser.parse("\n".join(lines))}
    tree = Tree(Path("/nonexistent"), "0")
    config = solve(tree, Profile("toy", "a toy", "toy"), files)
    for number in range(1 << len(SYMBOLS)):
        state = {name: bool(number >> bit & 1) for bit, name in enumerate(SYMBOLS)}
        if not allowed(entries, state) or not grounded(entries, state):
            continue
        for name in SYMBOLS:
            expected = {"y": {True}, "n": {False}, "free": {True, False}}[config.value(name)]
            assert state[name] in expected, (name, config.value(name), state, lines)


def grounded(entries: dict[str, dict[str, object]], state: dict[str, bool]) -> bool:
    """Whether all that is on follows from prompts, or from what is on already."""
    known: set[str] = set()
    while True:
        so_far = {name: name in known for name in SYMBOLS}

        def holds(text: object, so_far: dict[str, bool] = so_far) -> bool:
            # What is off may be relied upon; what is on must be on already.
            return value_of(text, state) and value_of(text, so_far)  # type: ignore[arg-type]

        new = set()
        for name, entry in entries.items():
            if not state[name] or name in known:
                continue
            prompted = bool(entry["prompt"]) and holds(entry["depends"])
            default = (
                entry["default"] is not None and holds(entry["depends"]) and holds(entry["default"])
            )
            selected = any(
                other in known
                and by["select"] is not None
                and by["select"][0] == name  # type: ignore[index]
                and holds(by["select"][1])  # type: ignore[index]
                and holds(by["depends"])
                for other, by in entries.items()
            )
            if prompted or default or selected:
                new.add(name)
        if not new:
            return known == {name for name in SYMBOLS if state[name]}
        known |= new


def test_a_default_that_holds_hides_those_after_it(grow: Grow) -> None:
    """The first default whose condition holds is the value, also when it is n."""
    config = decided(grow, "config OFF\n\tbool\n\tdefault n\n\tdefault y\n")
    assert config.value("OFF") == "n"


def test_a_number_that_somebody_chooses_decides_no_comparison(grow: Grow) -> None:
    """What depends on a number may be on or off where it is asked for, or rests on a choice.

    Found by kconfiglib: the first default was taken for the value, and options of small machines
    were never seen (ARCH_SUPPORTS_KMAP_LOCAL_FORCE_MAP of x86, which NR_CPUS decides).
    """
    config = decided(
        grow,
        """
config CPUS
\tint "How many"
\tdefault 8192
config SMALL
\tdef_bool CPUS < 100
config DEEP
\tbool "Deep"
config LEVELS
\tint
\tdefault 5 if DEEP
\tdefault 4
config FIVE
\tdef_bool LEVELS = 5
config FOUR_AT_LEAST
\tdef_bool LEVELS >= 4
""",
    )
    states = [config.value(name) for name in ("SMALL", "FIVE", "FOUR_AT_LEAST")]
    assert states == ["free", "free", "y"]
    assert config.number("CPUS") == 8192


def test_the_only_member_of_a_choice_is_on_where_it_is_asked_for(grow: Grow) -> None:
    """A choice whose one member depends on an option has none where that is off."""
    config = decided(
        grow,
        """
config WITH
\tbool "With"
choice
\tprompt "One of"
config MEMBER
\tbool "Member"
\tdepends on WITH
endchoice
""",
    )
    assert config.value("MEMBER") == "free"

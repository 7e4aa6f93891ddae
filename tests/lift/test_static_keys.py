# SPDX-License-Identifier: GPL-2.0-or-later
"""Static keys in hooks: what their definition says, or either where something may change them."""

from __future__ import annotations

import pytest

import lazymmu
from lazymmu.snapshot.tree import Tree
from lazymmu.verbs.review.machines import states

MMU = "arch/x86/xen/mmu_pv.c"
HEADER = "include/linux/jump_label.h"
JUMP_LABEL = """
#ifndef _LINUX_JUMP_LABEL_H
#define _LINUX_JUMP_LABEL_H
struct static_key { int enabled; };
struct static_key_true { struct static_key key; };
struct static_key_false { struct static_key key; };
#define DEFINE_STATIC_KEY_TRUE(name) struct static_key_true name = { { 1 } }
#define DEFINE_STATIC_KEY_FALSE(name) struct static_key_false name = { { 0 } }
#define static_branch_likely(x) (__builtin_types_compatible_p(x) && asm_branch(x))
#define static_branch_unlikely(x) (__builtin_types_compatible_p(x) && asm_branch(x))
void static_key_slow_inc(struct static_key *key);
#define static_branch_enable(x) static_key_slow_inc(&(x)->key)
#endif
"""
SETUP = "\nvoid xen_setup(void)\n{\n\tstatic_branch_enable(&xen_key);\n}\n"
SCENARIO = "flush-then-use"


def keyed(asked, *, flushes="!static_branch_unlikely(&xen_key)", before="", more=None):
    """The example, whose flush asks for a key."""

    def change(text):
        flush = "static void xen_flush_lazy_mmu(void)\n{\n"
        made = f"{before}\n{flush}\tif (!({flushes}))\n\t\treturn;\n"
        return text.replace(flush, made).replace(
            "#include <linux/mm.h>\n", "#include <linux/mm.h>\n#include <linux/jump_label.h>\n", 1
        )

    tree = asked.tree({MMU: change})
    return tree.over({HEADER: JUMP_LABEL.encode(), **(more or {})})


def ask(tree: Tree, **wanted):
    """What comes of one scenario on that."""
    request = lazymmu.VerifyRequest(
        scenarios=[] if "files" in wanted else [SCENARIO],
        arches=["x86"],
        tree=tree,
        jobs=1,
        **wanted,
    )
    return lazymmu.verify(request)


@pytest.mark.parametrize(
    ("defined", "flushes", "holds"),
    [
        ("DEFINE_STATIC_KEY_FALSE(xen_key);", "!static_branch_unlikely(&xen_key)", True),
        ("DEFINE_STATIC_KEY_FALSE(xen_key);", "static_branch_likely(&xen_key)", False),
        ("DEFINE_STATIC_KEY_TRUE(xen_key);", "static_branch_likely(&xen_key)", True),
        ("DEFINE_STATIC_KEY_TRUE_RO(xen_key);", "static_branch_unlikely(&xen_key)", True),
        ("struct static_key xen_key = STATIC_KEY_INIT_TRUE;", "static_key_true(&xen_key)", True),
        (
            "DEFINE_STATIC_KEY_MAYBE(CONFIG_X86, xen_key);",
            "static_branch_maybe(CONFIG_X86, &xen_key)",
            True,
        ),
    ],
)
def test_a_key_that_nothing_changes_is_as_it_is_defined(asked, defined, flushes, holds):
    """One machine, and the report says where the key is defined."""
    answer = ask(keyed(asked, flushes=flushes, before=defined))
    assert [one.refused for one in answer.lifted] == [""]
    assert [one.verdict == "holds" for one in answer.verdicts] == [holds]
    (told,) = [why for name, why in answer.lifted[0].abstracted if name == "xen_key"]
    line = keyed(asked, flushes=flushes, before=defined).read(MMU).decode().splitlines()
    assert told.startswith("the key is o")
    assert f"({MMU}:{line.index(defined) + 1})" in told


def test_a_key_that_something_may_change_makes_two_machines(asked):
    """It keeps its value while tasks run; what the other one does is told beside."""
    tree = keyed(asked, before=f"DEFINE_STATIC_KEY_FALSE(xen_key);{SETUP}")
    answer = ask(tree)
    assert [one.tree for one in answer.lifted] == ["linux-new", "linux-new with xen_key on"]
    assert [one.verdict for one in answer.verdicts] == ["holds", "violated"]
    where = tree.read(MMU).decode().splitlines().index("\tstatic_branch_enable(&xen_key);") + 1
    for one, is_on in zip(answer.lifted, ("off", "on"), strict=True):
        (told,) = [why for name, why in one.abstracted if name == "xen_key"]
        assert told.startswith(f"the key is {is_on} while tasks run")
        assert f"{MMU}:{where} may change it" in told
    assert answer.exit_code() == 1


def test_a_key_may_be_changed_by_another_file(asked):
    """Whatever is handed its address may change it."""
    other = {
        "mm/other.c": b"#include <linux/mm.h>\nvoid *keys[] = { &xen_key };\n",
        "mm/Makefile": ((asked.root / "mm/Makefile").read_text() + "obj-y += other.o\n").encode(),
    }
    tree = keyed(asked, before="DEFINE_STATIC_KEY_FALSE(xen_key);", more=other)
    assert [one.keys for one in ask(tree).lifted] == ["", "xen_key on"]


@pytest.mark.parametrize(
    ("macro", "machines"),
    [
        ("#define switch_on(x) static_branch_enable(&x##_key)", 2),
        ("#define switch_on(x) static_branch_enable(&(xen_##x))", 2),
        ("#define switch_on(x, y) static_branch_enable(&x ## _ ## y)", 2),
        ("#define switch_on(x) static_branch_enable(&x##_button)", 1),
        ("#define is_on(x) static_branch_unlikely(&x##_key)", 1),
        ("#define own(x, y) static int x##y = 1; int *of_##y = &x##y", 1),
        ("#define own(x, y) static_branch_enable(&x##y)", 2),
    ],
)
def test_a_macro_that_makes_a_key_s_name_of_parts_may_change_it(asked, macro, machines):
    """Which key that is stands nowhere; what only asks changes none."""
    before = f"{macro}\nDEFINE_STATIC_KEY_FALSE(xen_key);"
    answer = ask(keyed(asked, before=before))
    assert len(answer.lifted) == machines


def test_a_key_that_no_lifted_function_asks_for_makes_no_machine(asked):
    """What a switch does beside the mode was looked at, and is no part of the machine."""

    def change(text):
        begin = "static void context_switch("
        measured = (
            "#include <linux/jump_label.h>\nDEFINE_STATIC_KEY_FALSE(load_key);\n"
            f"{SETUP.replace('xen_key', 'load_key')}"
            "static void measure(struct task_struct *next)\n{\n"
            "\tif (static_branch_likely(&load_key))\n\t\treturn;\n}\n\n"
        )
        return text.replace(begin, measured + begin).replace(
            "\tswitch_to(prev, next);\n", "\tswitch_to(prev, next);\n\tmeasure(next);\n"
        )

    tree = asked.tree({"kernel/sched/core.c": change}).over({HEADER: JUMP_LABEL.encode()})
    request = lazymmu.VerifyRequest(scenarios=[SCENARIO], arches=["arm64"], tree=tree, jobs=1)
    (one,) = lazymmu.verify(request).lifted
    assert (one.refused, one.keys) == ("", "")
    assert "load_key" not in dict(one.abstracted)


@pytest.mark.parametrize(
    ("defined", "flushes", "why"),
    [
        ("", "static_branch_likely(&xen_key)", "the static key xen_key is defined nowhere"),
        ("", "static_branch_likely(&keys[1])", "of a key that is no variable of its own"),
        ("", "static_branch_likely(xen_keys)", "the static key xen_keys is defined nowhere"),
    ],
)
def test_a_key_that_is_not_known_is_refused_by_name_and_place(asked, defined, flushes, why):
    """Nothing is guessed of a key whose definition is not to be seen."""
    (lifted,) = ask(keyed(asked, flushes=flushes, before=defined)).lifted
    assert lifted.refused.startswith(f"{MMU}:")
    assert "static_branch_likely()" in lifted.refused
    assert lifted.refused.endswith(why)


def test_more_keys_than_machines_are_made_for_are_refused(asked):
    """Each such key doubles the machines, and all are named."""
    names = ("a_key", "b_key", "c_key")
    setup = "void {0}_up(void)\n{{\n\tstatic_branch_enable(&{0});\n}}\n"
    before = "\n".join(f"DEFINE_STATIC_KEY_FALSE({n});\n{setup.format(n)}" for n in names)
    flushes = " || ".join(f"!static_branch_unlikely(&{name})" for name in names)
    (lifted,) = ask(keyed(asked, flushes=flushes, before=before)).lifted
    assert "3 static keys that may be either" in lifted.refused


def test_two_trees_are_compared_key_by_key(asked):
    """A key that one of them alone has is as it is defined in the other."""
    before = f"DEFINE_STATIC_KEY_FALSE(xen_key);{SETUP}"
    answer = ask(keyed(asked, before=before), compare=asked.tree({}))
    assert [one.release for one in answer.verdicts] == [
        "linux-new with xen_key on",
        "linux-new (compared)",
    ]
    same = ask(keyed(asked, before=before), compare=keyed(asked, before=before))
    assert (same.done, same.same_machines) == ((), True)


def test_a_review_asks_the_machine_whose_keys_are_as_they_are_defined(asked):
    """The other one is named beside it."""
    tree = keyed(asked, before=f"DEFINE_STATIC_KEY_FALSE(xen_key);{SETUP}")
    state = states(tree, ["x86"], None)["x86"]
    assert state.implementation.lifted.linker.keys.values() == {"xen_key": 0}
    assert state.beside == ("xen_key on",)

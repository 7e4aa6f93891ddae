# SPDX-License-Identifier: GPL-2.0-or-later
"""Comments in the source that allow a finding: which line, which rule, and a reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.verbs.allow_comments import comments_of, parse
from lazymmu.witness.finding import Place, Standing, Step, StepAside

ALLOW = "lazymmu: allow(nested-section) the outer one is empty"


def only(text):
    """The one comment of a text."""
    (one,) = parse("mm/a.c", text.encode())
    return one


@pytest.mark.parametrize(
    ("text", "about"),
    [
        (f"enter();\t/* {ALLOW} */\nleave();\n", 1),
        (f"enter();\t// {ALLOW}\nleave();\n", 1),
        (f"/* {ALLOW} */ enter();\n", 1),
        (f"/* {ALLOW} */\nenter();\n", 2),
        (f"// {ALLOW}\nenter();\n", 2),
        (f"/* {ALLOW} */\n\n/* another */\n\tenter();\n", 5 - 1),
        (f"/*\n * {ALLOW}\n * on two lines\n */\nenter();\n", 5),
        (f"a();\n/* {ALLOW} */\n#ifdef X\n", 3),
        (f"/* {ALLOW} */", 1),
    ],
)
def test_a_comment_speaks_of_its_own_line_or_of_the_next_with_code(text, about):
    """As NOLINT and NOLINTNEXTLINE do, without two words to remember."""
    one = only(text)
    assert (one.about, one.rules, one.wrong) == (about, ("nested-section",), "")


def test_a_reason_may_have_several_lines_and_the_rules_commas():
    """It is told on one line, without the stars that comments have in front."""
    one = only("/*\n * lazymmu: allow(nested-section, stale-read) never\n *   set here\n */\nx;\n")
    assert one.rules == ("nested-section", "stale-read")
    assert one.reason == "never set here"
    assert (one.line, one.about) == (2, 5)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("lazymmu: allow(nested-section)", "it gives no reason"),
        ("lazymmu: allow(nested-section)   ", "it gives no reason"),
        ("lazymmu: allow(nested-sektion) x", "there is no rule 'nested-sektion'; did you mean"),
        ("lazymmu: allow(xyzzy) x", "there is no rule 'xyzzy'"),
        ("lazymmu: allow() x", "it is not understood"),
        ("lazymmu: allow nested-section x", "it is not understood"),
        ("lazymmu: alow(nested-section) x", "it is not understood"),
    ],
)
def test_a_comment_that_is_not_whole_allows_nothing_and_says_why(text, wrong):
    """A typo must not hide a finding, nor go unnoticed."""
    assert only(f"/* {text} */\n").wrong.startswith(wrong)


@pytest.mark.parametrize(
    "text",
    [
        f'char *s = "/* {ALLOW} */";\n',
        f"{ALLOW}\n",
        "/* lazymmu: see the documentation */\n",
        "/* lazymmu is a tool */\n",
        "",
    ],
)
def test_what_is_no_such_comment_is_none(text):
    """Strings, code, and comments that only say our name."""
    assert list(parse("mm/a.c", text.encode())) == []


def test_two_in_one_comment_are_two():
    """Each has its own rule and reason."""
    first, second = parse(
        "a.c", b"/* lazymmu: allow(nested-section) one\n   lazymmu: allow(stale-read) two */\nx;\n"
    )
    assert (first.reason, first.line, first.about) == ("one", 1, 3)
    assert (second.reason, second.line, second.about) == ("two", 2, 3)


@given(st.binary(max_size=300), st.binary(max_size=60))
def test_any_bytes_are_read_or_are_no_comment(around, inside):
    """A file of a stranger's may hold anything; places are those of lines that are there."""
    text = around + b"/* lazymmu: " + inside + b"\n" + around
    for one in parse("a.c", text):
        assert 1 <= one.line <= text.count(b"\n") + 1
        assert one.line <= one.about <= text.count(b"\n") + 1
        assert one.wrong or (one.rules and one.reason)


@pytest.fixture
def tree(tmp_path):
    """Writes files of a folder that was checked."""
    (tmp_path / "mm").mkdir()

    def write(**texts):
        for name, text in texts.items():
            (tmp_path / "mm" / f"{name}.c").write_text(text)
        return tmp_path

    return write


def test_the_same_mistake_on_several_lines_needs_a_comment_at_each(tree, make_finding, make_result):
    """One comment must not hide what nobody has judged."""
    again = Step("mm/b.c", 2, 1, "f", "likewise", aside=StepAside.CULPRIT)
    other = Step("mm/b.c", 9, 1, "f", "also", aside=StepAside.SECTION)
    finding = make_finding(file="mm/a.c", line=2, path=(other, again))
    comment = f"/* {ALLOW} */\nenter();\n"
    result = make_result(finding)
    first = comments_of(tree(a=comment, b="x;\ny;\n"), result)
    assert first.holding(finding) == ()
    assert len(first.unused([finding])) == 1
    second = comments_of(tree(a=comment, b=comment), result)
    assert len(second.holding(finding)) == 2
    assert second.unused([finding]) == ()


def test_a_comment_allows_its_rule_alone(tree, make_finding, make_result):
    """Another mistake on the same line is another finding."""
    rules = ("nested-section", "stale-read")
    one, other = (make_finding(file="mm/a.c", line=2, rule=rule) for rule in rules)
    found = comments_of(tree(a=f"/* {ALLOW} */\nenter();\n"), make_result(one, other))
    assert found.holding(one)
    assert not found.holding(other)


def test_a_rule_that_a_line_breaks_besides_has_to_be_named_as_well(tree, make_finding, make_result):
    """A comment about one rule hides no other, and is about something all the same."""
    finding = make_finding(file="mm/a.c", line=2, also=("stale-read",))
    for rules, allowed in (("nested-section", False), ("nested-section, stale-read", True)):
        text = f"/* lazymmu: allow({rules}) never set here */\nenter();\n"
        comments = comments_of(tree(a=text), make_result(finding))
        assert bool(comments.holding(finding)) is allowed
        assert comments.unused([finding]) == ()


def test_comments_are_looked_for_in_every_file_that_names_the_mode(tree, make_result):
    """One whose finding is gone is found there, and told as unused."""
    result = make_result()
    place = Place("mm/a.c", 2, "arch_enter_lazy_mmu_mode", Standing.WALKED)
    result = replace(result, coverage=replace(result.coverage, places=(place,)))
    found = comments_of(tree(a=f"/* {ALLOW} */\nenter();\n"), result)
    assert [str(one) for one in found.unused([])] == ["mm/a.c:1"]


def test_nothing_outside_of_the_tree_is_read(tree, tmp_path, make_finding, make_result):
    """A link that leads out has no comments, and neither has what is no file."""
    top = tree(a="")
    outside = tmp_path.parent / f"{tmp_path.name}-outside.c"
    outside.write_text(f"/* {ALLOW} */\nenter();\n")
    (top / "mm" / "link.c").symlink_to(outside)
    (top / "mm" / "folder.c").mkdir()
    findings = [
        make_finding(file=file, line=2)
        for file in ("mm/link.c", "mm/folder.c", "mm/none.c", str(outside), "../x.c", "a\0b")
    ]
    assert comments_of(top, make_result(*findings)).all == ()

# SPDX-License-Identifier: GPL-2.0-or-later
"""Definitions that do nothing but say no, beside one that asks."""

from __future__ import annotations

import pytest

from lazymmu.witness.source.stubs import says_no


@pytest.mark.parametrize(
    "text",
    [
        "static inline bool is_it(struct entry e)\n{\n\treturn false;\n}\n",
        "static inline int is_it(struct entry e) { return 0; }",
        "#define is_it(e)\t(0)\n",
        "#define is_it(e) false\n",
        "static inline void *is_it(void)\n{\n\treturn NULL;\n}",
    ],
)
def test_a_stub_says_no_and_no_more(text: str) -> None:
    """As a function or as a macro."""
    assert says_no(text.encode(), "is_it")
    assert not says_no(text.encode(), "is")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("TESTPAGEFLAG_FALSE(TransCompound, transcompound)", "PageTransCompound"),
        ("FOLIO_TEST_FLAG_FALSE(large)", "folio_test_large"),
        ("PAGEFLAG_FALSE(HWPoison, hwpoison)", "folio_test_hwpoison"),
    ],
)
def test_a_flag_of_pages_that_is_never_set_says_no(text: str, name: str) -> None:
    """The kernel makes both questions of one line."""
    assert says_no(text.encode(), name)
    assert not says_no(text.encode(), name + "_x")


def test_another_way_to_answer_is_no_stub() -> None:
    """Where both sides of an #ifdef ask, no side needs the symbol."""
    text = b"static inline int is_it(int e)\n{\n\treturn e & 1;\n}\n#define is_it(e) __is_it(e)\n"
    assert not says_no(text, "is_it")

# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files one compilation has in common, told from who includes whom."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.preprocess.inclusions import Inclusions

FILES = ["a.c", "b.c", "c.c", "x.h", "y.h", "z.h", "v.h", "w.h"]

GRAPHS = st.dictionaries(st.sampled_from(FILES), st.lists(st.sampled_from(FILES), max_size=4))


def followed(includes: dict[str, list[str]], rel: str) -> set[str]:
    """What is compiled with a file, by going from one include to the next."""
    work = [rel]
    if rel.endswith(".c"):
        work += [includer for includer, others in includes.items() if rel in others]
    seen = set(work)
    while work:
        for other in includes.get(work.pop(), ()):
            if other not in seen:
                seen.add(other)
                work.append(other)
    return seen


@given(GRAPHS, st.permutations(FILES))
def test_what_a_file_includes_is_followed_through_circles(includes, order):
    """In whatever order files are asked for, each is compiled with all that it comes to."""
    inclusions = Inclusions(includes)
    for rel in order:
        expected = followed(includes, rel)
        assert {other for other in FILES if inclusions.has(rel, other)} == expected
        others = expected - {rel}
        assert inclusions.sources(rel) == {file for file in others if file.endswith(".c")}


def test_a_file_that_nobody_knows_is_compiled_alone():
    """A file without includes is compiled with itself and nothing else."""
    inclusions = Inclusions({"a.c": ["x.h"]})
    assert not inclusions.sources("q.c")
    assert inclusions.has("q.c", "q.c")
    assert not inclusions.has("q.c", "x.h")

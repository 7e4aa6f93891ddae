# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees that differ from what lies on the disk: files changed in memory, a folder put in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lazymmu.kernelc.index.word_search import files_containing
from lazymmu.processes import Task
from lazymmu.snapshot.content_ids import ContentIds
from lazymmu.snapshot.tree import Loss, Tree, TreeError

Grow = Callable[[dict[str, str | bytes]], Path]


@pytest.fixture
def tree(grow: Grow) -> Tree:
    """Three files in mm/, one of them in a directory of its own."""
    return Tree.open(
        grow({"mm/kept.c": "kept", "mm/changed.c": "now", "mm/kasan/gone.c": "gone", "a/x.h": ""})
    )


CHANGES = {"mm/changed.c": b"then", "mm/kasan/gone.c": None, "mm/new/added.c": b"added"}


def test_changes_are_read_and_the_rest_is_as_it_was(tree: Tree) -> None:
    """Replaced, absent and added files read as the changes say, and the tree below does not."""
    over = tree.over(CHANGES)
    assert over.read("mm/changed.c") == b"then"
    assert over.read("mm/new/added.c") == b"added"
    assert over.read("mm/kept.c") == b"kept"
    assert over.read("mm/kasan/gone.c") == b""
    assert over.losses == [Loss("mm/kasan/gone.c", "no such file or directory", unread=True)]
    assert tree.read("mm/changed.c") == b"now"
    assert tree.losses == []


def test_changes_are_in_every_kind_of_question(tree: Tree) -> None:
    """What is there, what a directory has, what is listed, in which state."""
    over = tree.over(CHANGES)
    assert over.has("mm/new/added.c")
    assert not over.has("mm/kasan/gone.c")
    assert over.entries("mm") == [
        ("changed.c", False), ("kasan", True), ("kept.c", False), ("new", True),
    ]  # fmt: skip
    assert over.entries("mm/kasan") == []
    assert over.entries("mm/new") == [("added.c", False)]
    before, after = tree.manifest(), over.manifest()
    assert set(after) - set(before) == {"mm/new/added.c"}
    assert set(before) - set(after) == {"mm/kasan/gone.c"}
    assert [rel for rel in before if rel in after and before[rel] != after[rel]] == ["mm/changed.c"]
    assert list(after) == sorted(after)
    assert all(over.stamp(rel) == stamp for rel, stamp in after.items())


def test_only_what_a_check_may_read_is_listed(tree: Tree) -> None:
    """A change brings what the disk would bring, and no more."""
    over = tree.over({"tools/a.c": b"", "mm/a.txt": b"", ".git/b.c": b"", "tools/Kconfig": b""})
    assert set(over.manifest()) - set(tree.manifest()) == {"tools/Kconfig"}


def test_changes_over_changes(tree: Tree) -> None:
    """Of changes laid over changes the later ones count."""
    over = tree.over(CHANGES).over({"mm/changed.c": b"later", "mm/new/added.c": None})
    assert over.read("mm/changed.c") == b"later"
    assert not over.has("mm/new/added.c")
    assert not over.has("mm/kasan/gone.c")


def test_a_word_is_found_in_changes_by_every_process(tree: Tree) -> None:
    """A forked process sees them as well."""
    over = tree.over(CHANGES)
    assert set(files_containing(over, [b"then", b"added", b"now"])) == {
        "mm/changed.c",
        "mm/new/added.c",
    }
    assert Task(True, over.read, "mm/changed.c").result() == b"then"


def test_ids_tell_changed_from_unchanged(tree: Tree) -> None:
    """Ids of the one tree are those of the other as far as both hold the same."""
    for rel, same in {
        "mm/kept.c": True, "mm/changed.c": False, "mm/kasan/gone.c": False,
        "mm/new/added.c": False, "mm/none.c": True, "mm": False, "a": True, "arch": True,
    }.items():  # fmt: skip
        then = ContentIds(tree).of(rel)
        assert ContentIds(tree).of(rel) == then
        now = ContentIds(tree.over(CHANGES)).of(rel)
        assert (now == then) is same, rel
        assert ContentIds(tree.over(dict(CHANGES))).of(rel) == now


def test_a_change_is_seen_through_links(tree: Tree) -> None:
    """A patch names the file itself; the build may go by a link."""
    (tree.root / "lib").symlink_to("mm")
    (tree.root / "mm/same.c").symlink_to("changed.c")
    over = tree.over(CHANGES)
    assert over.read("lib/changed.c") == over.read("mm/same.c") == b"then"
    assert over.read("lib/new/added.c") == b"added"
    assert not over.has("lib/kasan/gone.c")
    assert tree.over({"lib/kept.c": b"by the link"}).read("mm/kept.c") == b"by the link"


def test_a_directory_that_became_a_link_is_a_directory_again(tree: Tree) -> None:
    """As --since has it: the link is to go, and the files that it leads to are to be elsewhere."""
    (tree.root / "mm").rename(tree.root / "mm-new")
    (tree.root / "mm").symlink_to("mm-new")
    changes = {
        "mm": None, "mm/kept.c": b"kept", "mm/sub/more.c": b"more", "mm-new/kept.c": None,
        "mm-new/changed.c": None, "mm-new/kasan/gone.c": None,
    }  # fmt: skip
    for order in (changes, dict(reversed(changes.items()))):
        over = tree.over(order)
        assert [rel for rel in over.manifest() if rel.endswith(".c")] == [
            "mm/kept.c",
            "mm/sub/more.c",
        ]
        assert over.read("mm/kept.c") == b"kept"
        assert not over.has("mm/changed.c")
        assert over.entries("mm") == [("kept.c", False), ("sub", True)]
        assert over.entries("mm/sub") == [("more.c", False)]


def test_a_file_that_was_a_directory(tree: Tree) -> None:
    """And the other way around; neither is there below."""
    over = tree.over({"mm/new": None, "mm/new/a.c": b"a", "mm/kept.c/b.c": b"b", "mm/kept.c": None})
    assert over.read("mm/new/a.c") == b"a"
    assert over.read("mm/kept.c/b.c") == b"b"
    assert over.entries("mm/new") == [("a.c", False)]
    assert not over.has("mm/new/none.c")


def test_a_change_may_lie_as_deep_as_paths_go(tree: Tree) -> None:
    """Two thousand directories, none of them on the disk."""
    rel = "mm/" + "d/" * 2000 + "a.c"
    over = tree.over({rel: b"deep"})
    assert over.read(rel) == b"deep"
    assert rel in over.manifest()


def test_a_folder_is_put_into_the_tree(
    tree: Tree, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its files are listed, read and looked at below the name that it is given."""
    folder = tmp_path_factory.mktemp("module")
    for name, text in {"mine.c": "mine", "Kbuild": "obj-m := mine.o", "in/a.h": ""}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "out.h").symlink_to(tree.root / "mm/kept.c")
    mounted = tree.mounted("drivers/mine", folder)
    assert mounted.read("drivers/mine/mine.c") == b"mine"
    assert mounted.read("mm/kept.c") == b"kept"
    assert mounted.has("drivers/mine/in/a.h")
    assert mounted.entries("drivers/mine") == [("Kbuild", False), ("in", True), ("mine.c", False)]
    assert set(mounted.manifest()) - set(tree.manifest()) == {
        "drivers/mine/Kbuild", "drivers/mine/in/a.h", "drivers/mine/mine.c",
    }  # fmt: skip
    reason = "a link that leads out of the tree"
    assert mounted.losses == [Loss("drivers/mine/out.h", reason, unread=True)]
    assert mounted.over({"drivers/mine/mine.c": b"new"}).read("drivers/mine/mine.c") == b"new"


def test_a_folder_takes_the_place_of_what_was_there(tree: Tree, tmp_path_factory) -> None:
    """A folder takes the place of what was there, and nothing of both is mixed."""
    folder = tmp_path_factory.mktemp("module")
    (folder / "a.c").write_text("")
    mounted = tree.mounted("mm", folder)
    assert [rel for rel in mounted.manifest() if rel.startswith("mm/")] == ["mm/a.c"]
    assert not mounted.has("mm/kept.c")
    assert ("mm", True) in mounted.entries("")


def test_a_folder_that_is_none_is_one_sentence(tree: Tree, tmp_path: Path) -> None:
    """A folder to be laid over that is none is one sentence, as for a tree."""
    with pytest.raises(TreeError, match=r"/none: does not exist$"):
        tree.mounted("m", tmp_path / "none")
    with pytest.raises(TreeError, match=r"/Kconfig: is not a directory$"):
        tree.mounted("m", tmp_path / "Kconfig")


def test_a_tree_whose_makefile_is_changed_is_of_another_release(tree):
    """A former tree may be that of another version."""
    makefile = b"VERSION = 6\nPATCHLEVEL = 13\nSUBLEVEL = 0\nEXTRAVERSION = -rc1\n"
    assert tree.over({"Makefile": makefile}).release == "6.13.0-rc1"
    assert tree.over({"Makefile": b"nothing"}).release == tree.release

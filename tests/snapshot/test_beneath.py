# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing of a tree leads out of it: links, names, devices, and what is too much."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.arch_profile import PROFILES
from lazymmu.kernelc.config.kbuild import Kbuild
from lazymmu.kernelc.config.kconfig import Config, solve
from lazymmu.kernelc.index.word_search import files_containing
from lazymmu.snapshot import beneath, listing
from lazymmu.snapshot.beneath import Folder
from lazymmu.snapshot.tree import Loss, Tree, TreeError
from tests.kernelc.seen import walked

Grow = Callable[[dict[str, str | bytes]], Path]

LINK_OUT = "a link that leads out of the tree"


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory beside the tree, with a secret in it."""
    place = tmp_path_factory.mktemp("outside")
    (place / "secret.c").write_text("secret")
    (place / "Makefile").write_text("obj-y += secret.o")
    (place / "Kconfig").write_text("config SECRET\n\tdef_bool y\n")
    return place


def c_files(tree: Tree) -> list[str]:
    """The .c files that are listed."""
    return [rel for rel in tree.manifest() if rel.endswith(".c")]


@pytest.mark.parametrize(
    "target",
    ["mm-new", "./mm-new/", "{root}/mm-new", "{root}/arch/../mm-new", "../{name}/mm-new"],
)
def test_a_directory_that_is_a_link_is_followed(grow: Grow, target: str) -> None:
    """However the link is written, its files have the names that the build uses, once each."""
    root = grow({"mm-new/memory.c": "needle", "mm-new/sub/deep.c": "", "Kbuild": "obj-y += mm/"})
    (root / "mm").rmdir()
    (root / "mm").symlink_to(target.format(root=root, name=root.name))
    tree = Tree.open(root)
    assert c_files(tree) == ["mm/memory.c", "mm/sub/deep.c"]
    assert tree.read("mm/memory.c") == tree.read("mm-new/memory.c") == b"needle"
    assert tree.shown("mm-new/sub/deep.c") == "mm/sub/deep.c"
    assert [entry.name for entry in tree.entries("mm")] == ["memory.c", "sub"]
    assert files_containing(tree, [b"needle"]) == {"mm/memory.c": {b"needle"}}
    assert tree.losses == []


def test_a_directory_is_listed_by_its_own_name_unless_the_build_uses_the_link(grow: Grow) -> None:
    """The kernel has links for its own tools; they give nothing another name."""
    root = grow({"drivers/real/a.c": "", "drivers/Makefile": "obj-y += real/ also/"})
    (root / "drivers/also").symlink_to("real")
    (root / "scripts").mkdir()
    (root / "scripts/prefix").symlink_to("../drivers/real")
    tree = Tree.open(root)
    assert c_files(tree) == ["drivers/real/a.c"]
    assert [entry.name for entry in tree.entries("drivers")] == ["Makefile", "real"]


@pytest.mark.parametrize("place", [".hidden", "tools/common"])
def test_what_only_a_link_leads_to_is_listed_by_it(grow: Grow, place: str) -> None:
    """A directory that would not be looked into is, when a link leads there."""
    root = grow({f"{place}/a.c": ""})
    (root / "mm/common").symlink_to(f"../{place}")
    assert c_files(Tree.open(root)) == ["mm/common/a.c"]


def test_a_tree_whose_root_is_a_link_is_like_any_other(grow: Grow, tmp_path: Path) -> None:
    """Absolute links in it may name the link or what is behind it."""
    root = grow({"tree/mm/a.c": "here", "tree/Kconfig": "", "tree/arch/x": ""})
    (root / "tree/include/linux").mkdir(parents=True)
    (root / "tree/Makefile").write_bytes((root / "Makefile").read_bytes())
    (root / "link").symlink_to("tree")
    (root / "tree/mm/b.c").symlink_to(root / "link/mm/a.c")
    (root / "tree/mm/c.c").symlink_to(root / "tree/mm/a.c")
    tree = Tree.open(root / "link")
    assert tree.read("mm/b.c") == tree.read("mm/c.c") == b"here"
    assert tree.losses == []


def test_a_file_with_two_names_is_listed_by_the_one_that_is_built(grow: Grow) -> None:
    """By both when both are: those are two objects."""
    root = grow({"old/a.c": "", "old/b.c": "", "mm/Makefile": "obj-y := a.o", "old/x.c": ""})
    (root / "old/Makefile").write_text("obj-y := b.o")
    for name in "ab":
        (root / f"mm/{name}.c").symlink_to(f"../old/{name}.c")
    assert c_files(Tree.open(root)) == ["mm/a.c", "old/b.c", "old/x.c"]
    (root / "old/Makefile").write_text("obj-y := a.o b.o")
    assert c_files(Tree.open(root)) == ["mm/a.c", "old/a.c", "old/b.c", "old/x.c"]


def test_circles_of_links_end(grow: Grow) -> None:
    """A link to what is above it, to itself, to one that leads back."""
    root = grow({"mm/a.c": "", "Kbuild": "obj-y += mm/ up/", "lib/b.c": ""})
    for name, target in {
        "mm/self": ".", "mm/up": "..", "mm/me": "me", "mm/one": "two", "mm/two": "one",
        "mm/lib": "../lib", "lib/mm": "../mm", "up": ".",
    }.items():  # fmt: skip
        (root / name).symlink_to(target)
    tree = Tree.open(root)
    assert c_files(tree) == ["lib/b.c", "mm/a.c"]
    assert not tree.has("mm/me")
    assert tree.read("mm/self/up/lib/mm/a.c") == b""
    assert tree.read("mm/one/a.c") == b""
    assert [loss.reason for loss in tree.losses] == ["too many levels of symbolic links"] * 2


def test_many_names_of_few_directories_do_not_grow(grow: Grow) -> None:
    """Two links in each of thirty directories make a billion ways to the last one."""
    root = grow({f".d/{number}/a.c": "" for number in range(30)})
    for number in range(29):
        for name in ("x", "y"):
            (root / f".d/{number}/{name}").symlink_to(f"../{number + 1}")
    (root / "mm/in").symlink_to("../.d/0")
    assert len(c_files(Tree.open(root))) == 30


@pytest.mark.parametrize("form", ["absolute", "relative", "hop"])
def test_a_link_that_leads_out_is_a_loss(grow: Grow, outside: Path, form: str) -> None:
    """For a file and for a directory, directly or by another link; nothing behind it is read."""
    root = grow({"Kbuild": "obj-y += mm/ secrets/", "mm/a.c": ""})
    target = outside if form == "absolute" else Path(os.path.relpath(outside, root))
    (root / "secrets").symlink_to(target)
    (root / "mm/secret.c").symlink_to(
        "../secrets/secret.c" if form == "hop" else outside / "secret.c"
    )
    tree = Tree.open(root)
    assert c_files(tree) == ["mm/a.c"]
    assert sorted(loss.file for loss in tree.losses) == ["mm/secret.c", "secrets"]
    assert {loss.reason for loss in tree.losses} == {LINK_OUT}
    assert tree.read("mm/secret.c") == tree.read("secrets/secret.c") == b""
    assert not tree.has("secrets/Makefile")
    assert tree.entries("secrets") == []
    assert tree.stamp("secrets/secret.c") == tree.stamp("mm/secret.c") == (-1,)
    assert {loss.reason for loss in tree.losses} == {LINK_OUT}


def test_what_a_link_says_is_read_beneath_the_tree(grow: Grow, outside: Path) -> None:
    """Where it leads may be anywhere; where it lies may not."""
    root = grow({"mm/a.c": ""})
    (root / "mm/out.c").symlink_to(outside / "secret.c")
    (root / "there").symlink_to(outside)
    (outside / "more.c").symlink_to("secret.c")
    tree = Tree.open(root)
    assert tree.link("mm/out.c") == str(outside / "secret.c")
    assert [tree.link(rel) for rel in ("mm/a.c", "mm/none.c", "mm", "there/more.c", "\0")] == [
        None
    ] * 5
    assert tree.over({"mm/out.c": b""}).link("mm/out.c") is None


def test_links_out_that_nothing_builds_are_no_losses(grow: Grow, outside: Path) -> None:
    """A tree that was installed has a link `build`; a text is never read."""
    root = grow({"Kbuild": "obj-y += mm/"})
    (root / "build").symlink_to(outside)
    (root / "mm/notes.txt").symlink_to(outside / "secret.c")
    tree = Tree.open(root)
    tree.manifest()
    assert tree.losses == []


@pytest.mark.parametrize("mark", ["Makefile", "Kconfig", "mm", "include/linux"])
def test_a_tree_of_links_into_another_is_refused(grow: Grow, outside: Path, mark: str) -> None:
    """What every tree has must be in the tree, and the sentence says what is not."""
    root = grow({})
    if mark in ("Makefile", "Kconfig"):
        (outside / mark).write_bytes((root / mark).read_bytes())
        (root / mark).unlink()
    else:
        (root / mark).rmdir()
    (root / mark).symlink_to(outside / ("Makefile" if mark == "Makefile" else ""))
    with pytest.raises(TreeError, match=f"`{mark}` cannot be read: {LINK_OUT}$"):
        Tree.open(root)


@pytest.mark.parametrize("path", ["../outside/Kconfig", "mm/../../o/Kconfig", "{outside}/Kconfig"])
def test_a_kconfig_source_does_not_lead_out(grow: Grow, outside: Path, path: str) -> None:
    """By its path or by a link; it is lost with the reason."""
    root = grow({"Kconfig": f'source "{path}"\nsource "link"\n'.format(outside=outside)})
    (root / "link").symlink_to(outside / "Kconfig")
    tree = Tree.open(root)
    assert "SECRET" not in solve(tree, PROFILES["x86"]).on
    assert {loss.reason for loss in tree.losses} >= {LINK_OUT, "leads out of the tree"}


@pytest.mark.parametrize("include", ["../{name}/Makefile", "$(srctree)/../{name}/Makefile", "link"])
def test_a_make_include_does_not_lead_out(grow: Grow, outside: Path, include: str) -> None:
    """Neither by its path nor by a link."""
    text = f"include {include}\n".format(name=outside.name)
    root = grow({"Kbuild": "obj-y += mm/", "mm/Makefile": text, "mm/secret.c": ""})
    (root / "link").symlink_to(outside / "Makefile")
    tree = Tree.open(root)
    assert Kbuild(tree, Config((), (), {}), PROFILES["x86"]).presence("mm/secret.c") is None
    assert {LINK_OUT, "leads out of the tree"} & {loss.reason for loss in tree.losses}


@pytest.mark.parametrize("spec", ['"../../{name}/secret.c"', '"{outside}/secret.c"', "<link.h>"])
def test_an_include_does_not_lead_out(grow: Grow, outside: Path, spec: str) -> None:
    """Neither by its path nor by a link; the including file, or the link, is a loss."""
    line = f"#include {spec}\n".format(name=outside.name, outside=outside)
    root = grow({"mm/a.c": line})
    (root / "include/link.h").symlink_to(outside / "secret.c")
    tree = Tree.open(root)
    found = walked(tree, PROFILES["x86"], Config((), (), {}), ["mm/a.c"])
    assert found.files == ()
    assert len(tree.losses) == 1
    assert "out of the tree" in tree.losses[0].reason


def special(path: Path, kind: str) -> None:
    """Put something at `path` that is neither a file nor a directory."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        here = os.open(".", os.O_RDONLY)
        os.chdir(path.parent)  # a socket's path may have 107 bytes
        try:
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(path.name)
        finally:
            os.fchdir(here)
            os.close(here)
    else:
        path.symlink_to(kind)


@pytest.mark.parametrize("kind", ["pipe", "socket", "/dev/zero", "/proc/self/environ", "/dev/tty"])
def test_what_is_no_file_is_not_opened(
    grow: Grow, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is lost, whatever asks for it."""
    root = grow({"mm/kept.c": ""})
    special(root / "mm/it.c", kind)
    special(root / "mm/Kconfig", kind)
    tree = Tree.open(root)
    opened: list[object] = []
    true_open = os.open
    monkeypatch.setattr(
        os, "open", lambda path, *rest: opened.append(path) or true_open(path, *rest)
    )
    assert c_files(tree) == ["mm/kept.c"]
    assert tree.read("mm/it.c") == b""
    assert not tree.has("mm/Kconfig")
    assert files_containing(tree, [b"x"], manifest={"mm/it.c": (1, 1)}) == {}
    assert opened == []
    reason = LINK_OUT if kind[0] == "/" else "not a regular file"
    assert [loss.reason for loss in tree.losses] == [reason, reason]
    assert {loss.file for loss in tree.losses} == {"mm/it.c", "mm/Kconfig"}


def test_what_changes_between_look_and_opening_is_looked_at_again(
    grow: Grow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe in the place of the file is not waited for, a link is not followed."""
    root = grow({"mm/a.c": "text", "mm/b.c": "text"})
    os.mkfifo(tmp_path / "pipe")
    ground = Folder(str(root))
    true_find = ground.find

    def swapped(rel: str) -> tuple[str, os.stat_result]:
        found = true_find(rel)
        (root / rel).unlink()
        (tmp_path / "pipe").rename(root / rel) if rel == "mm/a.c" else (root / rel).symlink_to("x")
        return found

    monkeypatch.setattr(ground, "find", swapped)
    with pytest.raises(OSError, match="not a regular file"):
        ground.read("mm/a.c", 100)
    with pytest.raises(OSError, match="symbolic links"):
        ground.read("mm/b.c", 100)


@pytest.mark.parametrize("told", [0, 3, 200_000])
def test_what_is_read_is_counted(grow: Grow, monkeypatch: pytest.MonkeyPatch, told: int) -> None:
    """The size that a file tells may be nothing, or what it was a moment ago."""
    root = grow({"mm/a.c": b"x" * 150_000})
    ground = Folder(str(root))
    true = os.fstat

    def fstat(handle: int) -> os.stat_result:
        fields = list(true(handle))
        fields[6] = told
        return os.stat_result(fields)

    monkeypatch.setattr(os, "fstat", fstat)
    assert ground.read("mm/a.c", 200_000) == b"x" * 150_000
    buffer = bytearray(10)
    assert ground.into("mm/a.c", buffer, 200_000) == 150_000
    assert buffer[:150_000] == b"x" * 150_000
    for read in (ground.read, lambda rel, cap: ground.into(rel, bytearray(10), cap)):
        with pytest.raises(OSError, match="is more than"):
            read("mm/a.c", 149_999)


@pytest.mark.parametrize("name", [b"new\nline.c", b"\x1b[31mred.c", b"\xff\xfe.c", b"\xc2\x9b.c"])
def test_any_name_is_listed_and_read(grow: Grow, name: bytes) -> None:
    """Names are bytes; none of them stops anything."""
    root = grow({})
    with open(os.fsencode(root) + b"/mm/" + name, "wb") as file:
        file.write(b"needle")
    tree = Tree.open(root)
    assert files_containing(tree, [b"needle"]) == {f"mm/{os.fsdecode(name)}": {b"needle"}}
    assert tree.over({"mm/x.c": b""}).read(f"mm/{os.fsdecode(name)}") == b"needle"


def test_a_crowded_directory_is_a_loss(grow: Grow, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it, since the order of a directory is nobody's choice; the rest is listed."""
    monkeypatch.setattr(beneath, "CROWD", 9)
    monkeypatch.setattr(listing, "CROWD", 9)
    tree = Tree.open(grow({"lib/a.c": "", **{f"mm/{n}.c": "" for n in range(10)}}))
    assert c_files(tree) == ["lib/a.c"]
    assert tree.losses == [Loss("mm", "more than 9 entries", unread=True)]
    assert tree.entries("mm") == []


def test_ways_without_end_are_given_up(grow: Grow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each link has a long way, there are many of them, and the rest of the tree is listed."""
    monkeypatch.setattr(beneath, "_STEPS", 5000)
    root = grow({"mm/z.c": "", "lib/b.c": ""})
    for number in range(100):
        (root / f"mm/a{number}.c").symlink_to("../lib/" + "../lib/" * 100 + "b.c")
    tree = Tree.open(root)
    assert {"mm/z.c", "lib/b.c"} <= set(c_files(tree))
    assert "too many links to follow them all" in {loss.reason for loss in tree.losses}


def test_more_files_than_any_kernel_has_are_a_loss(
    grow: Grow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that come first are listed."""
    monkeypatch.setattr(listing, "_MOST", 4)
    tree = Tree.open(grow({f"mm/{n}.c": "" for n in range(6)}))
    assert len(tree.manifest()) == 4
    (loss,) = tree.losses
    assert loss.reason.startswith("more than 4 files")


def test_a_path_longer_than_the_system_takes_is_a_loss(grow: Grow) -> None:
    """Directories may be nested without end; what is above is listed."""
    root = grow({"mm/a.c": ""})
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(root / "mm")
        for _ in range(30):
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
        Path("b.c").write_text("")
    finally:
        os.fchdir(here)
        os.close(here)
    tree = Tree.open(root)
    assert c_files(tree) == ["mm/a.c"]
    assert [loss.reason for loss in tree.losses] == ["file name too long"]
    deep = "/".join(["mm", *["d" * 200] * 30, "b.c"])
    assert tree.read(deep) == b""
    assert not tree.has("x/" * 100_000 + "y")


PARTS = st.lists(st.sampled_from(["a", "b", "l", "m", "out", "..", ".", ""]), max_size=6)


@given(PARTS, st.lists(PARTS, min_size=2, max_size=2), st.booleans())
def test_no_path_leads_out(
    tmp_path_factory: pytest.TempPathFactory,
    path: list[str],
    targets: list[list[str]],
    absolute: bool,
) -> None:
    """Whatever links and paths say, what is read is beneath, and is what the system would read."""
    top = tmp_path_factory.mktemp("top")
    root = top / "a"
    (root / "a/b").mkdir(parents=True)
    (root / "b").mkdir()
    (top / "out").write_text("out")
    for place in ("a/out", "out", "a/b/out"):
        (root / place).write_text(place)
    for link, target in zip(("a/l", "b/m"), targets, strict=True):
        (root / link).symlink_to((f"{root}/" if absolute else "") + "/".join(target) or ".")
    rel = "/".join(path)
    folder = Folder(str(root))
    try:
        text = folder.read(rel, 100).decode()
    except OSError:
        return
    assert text in ("a/out", "out", "a/b/out")
    assert text == folder.real(rel)
    assert (root / rel).resolve() == (root / text).resolve()


@pytest.mark.parametrize("age", [0, 10**18], ids=["settled", "just now"])
def test_what_comes_or_goes_after_the_listing_is_noticed(
    tree: Path, monkeypatch: pytest.MonkeyPatch, age: int
) -> None:
    """However old the directories are; what is written shows that in its stamp."""
    monkeypatch.setattr(beneath, "_SETTLED", age)
    opened = Tree.open(tree)
    over = opened.over({"mm/memory.c": None, "mm/more.c": b"int x;\n"})
    over.manifest()
    assert opened.same_files()
    assert over.same_files()
    (tree / "mm/a.o").write_bytes(b"no source")
    assert opened.same_files()
    assert over.same_files()
    (tree / "mm/new.c").write_bytes(b"")
    assert not opened.same_files()
    assert not over.same_files()

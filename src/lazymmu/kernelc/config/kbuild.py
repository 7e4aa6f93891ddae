# SPDX-License-Identifier: GPL-2.0-or-later
"""Which .c files one configuration builds, under which free symbols, and why others are not built.

The tree's own Makefiles are read as Kbuild reads them (Documentation/kbuild/makefiles.rst), from
the top: `obj-$(CONFIG_X)` lists, directories, composite objects, variables that collect objects,
and conditionals. Every word of a list carries its presence condition (see presence.py).

At the top stand the lists of Kbuild, since v6.1 (commit 5750121ae738 ("kbuild: list
sub-directories in ./Kbuild")), those of the top Makefile before that (core-y, drivers-y, libs-y;
net-y, init-y and virt-y in older ones), and what the architecture's Makefile adds to them. All that
a tree has counts.

Limits: recipes and rules are not read, nor what a shell would answer; `-D` flags do not reach
the preprocessor. A directory is entered by its own Makefile only, so that files listed with a
path by a far Makefile (virt/kvm) are found when that Makefile was read before; `why` reads all.

A module out of tree is read as `make M=` reads it: its Kbuild, or else the half of its Makefile
that holds under KERNELRELEASE. A symbol that no Kconfig of the tree defines is then whoever's who
builds the module, and counts as free.
"""

from __future__ import annotations

from posixpath import dirname, normpath
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.config.make_bounds import Budget
from lazymmu.kernelc.config.make_words import UNKNOWN, Word, replaced
from lazymmu.kernelc.config.makefile import Makefile, Setting
from lazymmu.kernelc.config.unbuilt import Cause, Unbuilt, off, turned_off
from lazymmu.kernelc.presence import ALWAYS, NEVER, PresenceCondition, both, either

if TYPE_CHECKING:
    from lazymmu.kernelc.arch_profile import Profile
    from lazymmu.kernelc.config.kconfig import Config
    from lazymmu.snapshot.tree import Tree

__all__ = ["Kbuild"]

_LISTS: Final = ("obj-y", "obj-m", "lib-y", "lib-m", "extra-y")
_TOP_LISTS: Final = ("head", "init", "core", "drivers", "net", "libs", "virt")
_ARCHIVES: Final = ("/built-in.a", "/built-in.o", "/lib.a", "/modules.builtin")
"""What older top Makefiles make of the directories of their lists, once all are known."""

_OBJECTS: Final = 20_000
"""Objects of one directory's lists and those that they are made of, each by its condition."""

_ALL_OBJECTS: Final = 500_000
"""The same of all directories together."""


class Kbuild:
    """The Makefiles of a tree under one configuration, read as they are asked for."""

    def __init__(
        self,
        tree: Tree,
        config: Config,
        profile: Profile | None = None,
        *,
        everything: bool = False,
    ) -> None:
        """Look at `tree` under `config`; without `profile` no architecture's Makefile is read.

        With `everything` both sides of every test of a symbol are taken, each with its condition:
        what no configuration builds is then not there either.
        """
        self.tree = tree
        self.config = config
        self.profile = profile
        self.everything = everything
        budget = Budget()
        self.setting = Setting(tree, self._value, config.number, budget)
        self._own_setting = Setting(tree, self._value_in_module, config.number, budget)
        self._files: dict[str, PresenceCondition] = {}
        self._directories: dict[str, PresenceCondition] = {"": ALWAYS}
        self._read = {""}
        self._flags: dict[str, tuple[str, ...]] = {"": ()}
        self._exported: dict[str, list[Word]] = {}
        self._unread: dict[str, PresenceCondition] = {}
        self._objects = 0
        self._whole: Kbuild | None = None
        self._arch = profile.arch_dir if profile is not None else ""
        self._top()

    def presence(self, rel: str) -> PresenceCondition | None:
        """Return the presence condition of the .c file `rel`: in which configurations it is built.

        None when none builds it that this one leaves open.
        """
        self._enter(dirname(rel))
        presence = self._files.get(rel)
        return None if presence is None or off(presence, self.config) else presence

    def include_directories(self, rel: str) -> tuple[str, ...]:
        """Return the directories that `-I` flags of the file's Makefiles add, nearest first."""
        directory = dirname(rel)
        self._enter(directory)
        return self._flags.get(directory, ())

    def why(self, rel: str) -> Unbuilt | None:
        """Return why the .c file `rel` is not built here; None when it is.

        All Makefiles of the tree are read for that, where those on the way to the file do not
        say it.
        """
        if self.presence(rel) is not None:
            return None
        if not self.tree.has(rel):
            return Unbuilt(Cause.ABSENT, "there is no such file")
        top, _, below = rel.partition("/")
        if top == "arch" and below.partition("/")[0] != self._arch:
            return Unbuilt(Cause.ELSEWHERE, f"arch/{below.partition('/')[0]} is not built here")
        whole = self._everything()
        presence = whole.listed(rel)
        if presence is None:
            self._enter_all()
            if self.presence(rel) is not None:
                return None
            whole._enter_all()
            presence = whole.listed(rel)
        if presence is not None:
            return turned_off(presence, self.config)
        return self._unnamed(rel)

    def listed(self, rel: str) -> PresenceCondition | None:
        """Return the condition of a file as the lists have it, be it one that cannot hold."""
        self._enter(dirname(rel))
        return self._files.get(rel)

    def _everything(self) -> Kbuild:
        if self._whole is None:
            self._whole = Kbuild(self.tree, self.config, self.profile, everything=True)
        return self._whole

    def _unnamed(self, rel: str) -> Unbuilt:
        """Tell why no list that could be read has a file."""
        whole = self._everything()
        directory = dirname(rel)
        entered = directory
        while whole._directories.get(entered) is None:
            entered = dirname(entered)
        outside = directory[len(entered) :].lstrip("/").partition("/")[0]
        below = f"{entered}/{outside}".lstrip("/") if outside else ""
        lead = f"{below} is not entered: " if below else ""
        for name in (f"{entered}/Kbuild", f"{entered}/Makefile", "Kbuild", "Makefile"):
            lost = [loss for loss in self.tree.losses if loss.file == name.lstrip("/")]
            if lost and dirname(name) == entered:
                what = f"{lost[0].file} could not be read: {lost[0].reason}"
                return Unbuilt(Cause.UNREADABLE, lead + what)
        unread = whole._unread.get(entered, ())
        if unread:
            places = ", ".join(unread)
            what = f"no list that could be read names it, but one has a word of {places}"
            return Unbuilt(Cause.UNREADABLE, lead + what)
        return Unbuilt(Cause.UNNAMED, f"{lead}no Makefile names it")

    def _value(self, symbol: str) -> str:
        """Return what Makefiles are told of a symbol."""
        value = self.config.may(symbol)
        if self.everything and (value != "n" or self.config.number(symbol) is None):
            return "either"
        return value

    def _value_in_module(self, symbol: str) -> str:
        """Return what the Makefiles of a module out of tree are told of a symbol."""
        defined = self.config.defined
        mine = defined is not None and symbol not in defined
        return ("either" if self.everything else "free") if mine else self._value(symbol)

    def _top(self) -> None:
        """Read the top directory's lists: Kbuild, Makefile, and what the architecture adds."""
        lists: dict[str, list[Word]] = {}
        machine = dict.fromkeys(("ARCH", "SRCARCH", "SUBARCH"), self._arch)
        if self._arch:
            arch = Makefile(self.setting, f"arch/{self._arch}", fixed=machine)
            arch.read(f"arch/{self._arch}/Makefile")
            _add_top_lists(lists, arch)
            self._exported = {
                name: arch.words(name)
                for name in arch.variables
                if not name.startswith(tuple(f"{kind}-" for kind in _TOP_LISTS))
            }
        old = Makefile(self.setting, "", self._exported, {**machine, "sub_make_done": "1"})
        if self.tree.has("Makefile"):
            old.read("Makefile")
            _add_top_lists(lists, old)
        top = Makefile(self.setting, "", self._exported, machine)
        top.variables["ARCH_CORE"] = list(lists.get("core", []))
        top.variables["ARCH_DRIVERS"] = list(lists.get("drivers", []))
        libraries = [word for word in lists.get("libs", []) if word[0].endswith("/")]
        top.variables["ARCH_LIB"] = [*libraries, ("lib/", ())]
        if self.tree.has("Kbuild"):
            top.read("Kbuild")
        for words in lists.values():
            top.variables.setdefault("obj-y", []).extend(words)
        self._collect("", top, ())
        if self.tree.module:
            self._directories[self.tree.module] = ()

    def _makefile(self, directory: str) -> Makefile:
        """Return the Makefile of a directory before its first line."""
        module = self.tree.module
        if not module or not f"{directory}/".startswith(f"{module}/"):
            return Makefile(self.setting, directory, self._exported)
        fixed = {
            **dict.fromkeys(("M", "KBUILD_EXTMOD", "PWD"), module),
            **dict.fromkeys(("ARCH", "SRCARCH", "SUBARCH"), self._arch),
            "KERNELRELEASE": self.tree.release,
        }
        return Makefile(self._own_setting, directory, self._exported, fixed)

    def _enter(self, directory: str) -> PresenceCondition | None:
        """Read the Makefiles down to a directory; its condition, None if it is not entered."""
        if directory in self._read:
            return self._directories.get(directory)
        self._read.add(directory)
        above = dirname(directory)
        self._enter(above)
        presence = self._directories.get(directory)
        if presence is None:
            self._flags[directory] = self._flags.get(above, ())
            return None
        makefile = self._makefile(directory)
        for name in ("Kbuild", "Makefile"):
            if self.tree.has(f"{directory}/{name}"):
                makefile.read(f"{directory}/{name}")
                break
        else:
            if not self.everything and not off(presence, self.config):
                self.tree.lose(f"{directory}/Makefile", "is not there, but the directory is built")
        self._collect(directory, makefile, presence)
        return presence

    def _enter_all(self) -> None:
        """Read the Makefiles of all directories that are entered."""
        while new := [path for path in self._directories if path not in self._read]:
            for directory in new:
                self._enter(directory)

    def _collect(self, directory: str, makefile: Makefile, presence: PresenceCondition) -> None:
        """Enter what the lists of a directory's Makefile name."""
        flags = self._flags.get(dirname(directory), ()) if directory else ()
        own: list[str] = []
        for name in ("ccflags-y", "subdir-ccflags-y", "EXTRA_CFLAGS"):
            own += _include_paths([word for word, _ in makefile.words(name)])
        self._flags[directory] = tuple(dict.fromkeys([*own, *flags]))
        seen: set[Word] = set()
        for kind in _LISTS:
            for word, listed in makefile.words(kind):
                self._object(directory, makefile, (word, both(presence, listed)), seen)
        self._objects += len(seen)

    def _object(self, directory: str, makefile: Makefile, asked: Word, seen: set[Word]) -> None:
        """Enter one word of a list: a directory, or an object with its members."""
        todo: list[Word] = [asked]
        most = min(_OBJECTS, _ALL_OBJECTS - self._objects)
        while todo:
            word, presence = item = todo.pop()
            if UNKNOWN in word:
                self._unread[directory] = both(self._unread.get(directory, ()), presence[-1:])
                continue
            beside = directory and word[0] != "/"
            path = normpath(f"{directory}/{word}" if beside else word.lstrip("/"))
            if word.endswith("/"):
                self._directories[path] = either(self._directories.get(path, NEVER), presence)
                continue
            if not word.endswith(".o") or item in seen:
                continue
            if len(seen) >= most:
                what = f"`{asked[0]:.40}` is made of too many objects, or is one of too many"
                self.tree.lose(f"{directory}/Makefile".lstrip("/"), what)
                return
            seen.add(item)
            self._enter_object(makefile, path, presence)
            stem = word[:-2]
            members = [
                (member, both(presence, own))
                for suffix in ("-objs", "-y", "-m")
                for member, own in makefile.words(stem + suffix)
            ]
            todo += reversed(members)

    def _enter_object(self, makefile: Makefile, path: str, presence: PresenceCondition) -> None:
        source = path[:-2] + ".c"
        if makefile.renamed and not self.tree.has(source):
            for made, original in makefile.renamed:
                source = replaced(path, made, original)[:-2] + ".c"
        if self.tree.has(source):
            self._files[source] = either(self._files.get(source, NEVER), presence)


def _add_top_lists(lists: dict[str, list[Word]], makefile: Makefile) -> None:
    """Add the directories and objects that a Makefile lists for the top directory."""
    for kind in _TOP_LISTS:
        for state in ("y", "m"):
            for word, presence in makefile.words(f"{kind}-{state}"):
                for archive in _ARCHIVES:
                    if word.endswith(archive):
                        word = word[: len(word) - len(archive) + 1]
                if (word, presence) not in lists.setdefault(kind, []):
                    lists[kind].append((word, presence))


def _include_paths(words: list[str]) -> list[str]:
    """Return the tree's directories among compiler flags: `-Idir`, `-I dir`."""
    found: list[str] = []
    for index, word in enumerate(words):
        if word.startswith("-I"):
            path = word[2:] or (words[index + 1] if index + 1 < len(words) else "")
            path = normpath(path.lstrip("/")) if path else ""
            if path and UNKNOWN not in path and not path.startswith(".."):
                found.append(path)
    return found

# SPDX-License-Identifier: GPL-2.0-or-later
"""Every format of every verb, with hostile names in it, read back by a reader of its kind.

Which verb has which format is asked of the parsers themselves: a format that is added there without
a reader, or a verb without a hostile input, fails here.
"""

from __future__ import annotations

import argparse
import gzip
import inspect
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lazymmu.cli.command import build_parser
from lazymmu.lab.boot import Booted, Ending
from lazymmu.lab.kernel import LabKernel
from lazymmu.machine.arch import template
from lazymmu.report.common.formats import FORMATS
from lazymmu.verbs import lab
from lazymmu.witness.finding import Place, SectionRow, Sections, Severity, Standing
from lazymmu.witness.source import check as source
from tests.cli.test_hostile_names import EVIL, EXAMPLES, NAME, TWO, evil, harmless, recording
from tests.format_readers import READERS

__all__ = ["evil"]

MARKUP = "<forged onload=x>&\"'`|]]>{} "
WORSE = f"{MARKUP}{EVIL}"
FILE = f"{MARKUP}{NAME}"
"""What markup, quotes and tables take as theirs, before what a terminal does."""
TRACE = "trace/xen-6.12.107.trace.gz"
OOPS = "oops/xen-6.12.8-preempted.txt"


def table() -> Iterator[tuple[str, str]]:
    """Each verb with each format that its parser takes."""
    (verbs,) = (
        action.choices
        for action in build_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    for verb, parser in verbs.items():
        for action in parser._actions:
            if "--format" in action.option_strings:
                told = action.help or ""
                names = action.choices or [
                    name for name in FORMATS if f"{name}: {FORMATS[name]}" in told
                ]
                assert names, verb
                yield from ((verb, name) for name in names)


TABLE = sorted(set(table()))


class Stage:
    """What a verb is handed: a place of a hostile name, and what stands for a long search."""

    def __init__(self, place: Path, patch: pytest.MonkeyPatch, made: Callable[[str], object]):
        self.place, self.patch, self.made = place, patch, made

    def check(self, _name: str) -> list[object]:
        """A tree in which all names are hostile."""
        self.made("check")
        return ["check", FILE]

    def sections(self, _name: str) -> list[object]:
        """Sections of hostile functions."""
        chain = (f"x86: {WORSE}",)
        row = SectionRow(
            file=WORSE, line=1, function=WORSE, arches=("x86",), space=WORSE,
            locks_begin=(WORSE,), locks_end=(), pinned=(WORSE,), actions=((1, WORSE),),
            sleeps=chain, nests=chain, flushes=chain,
        )  # fmt: skip
        places = (Place(WORSE, 1, WORSE, Standing.LOST, WORSE, WORSE),)
        self.made("sections")
        found = Sections((row,), replace(source.Coverage(1, 1), places=places))
        self.patch.setattr(source, "sections", lambda *_args, **_given: found)
        return ["sections", FILE]

    def verify(self, name: str) -> list[object]:
        """A port whose file has a hostile name; as a recording only what is known goes out."""
        asked: list[object] = ["verify", "--scenario", "section-inside-section"]
        if name == "ftrace":
            return [*asked, "--arch", "x86", "--release", "6.12.8"]
        if name == "herd7":
            used = "kernel-mapping-used-before-leave"
            return ["verify", "--scenario", used, "--arch", "arm64", "--release", "7.3.4"]
        if name == "promela":
            return [
                "verify",
                "--scenario",
                "section-never-ends",
                "--arch",
                "x86",
                "--release",
                "7.3.4",
            ]
        Path(FILE).write_text(inspect.getsource(template))
        return [*asked, "--port", FILE, "--engine", "python"]

    def litmus(self, _name: str) -> list[object]:
        """A scenario file of a hostile name, with another verdict than it expects."""
        Path(FILE).write_text(TWO)
        return ["litmus", FILE, "--release", "6.12.8", "--engine", "python"]

    def trace(self, _name: str) -> list[object]:
        """A recording of tasks and functions with hostile names."""
        Path(FILE).write_bytes(recording())
        return ["trace", FILE, "--release", "6.12.8"]

    def lab(self, name: str) -> list[object]:
        """The same recording, as a guest would leave it."""
        self.trace(name)
        asked = ["lab", FILE, "--recording", FILE]

        def booted(request: lab.LabRequest, **_given: object) -> lab.LabAnswer:
            ended = Booted(Ending.DONE, WORSE, 1.0, kvm=False)
            kernel = LabKernel(WORSE, b"", "x86", WORSE)
            told = (WORSE, WORSE, (WORSE,), (WORSE,), FILE, lab.judge(request))
            return lab.LabAnswer(kernel, False, ended, {"release": WORSE}, *told)

        self.patch.setattr(lab, "run_lab", booted)
        return asked

    def history(self, _name: str) -> list[object]:
        """Two releases in hostile folders, of which one calls itself so."""
        for folder in (FILE, "other"):
            shutil.copytree(EXAMPLES / "linux-old", folder)
        text = Path(FILE, "Makefile").read_text()
        Path(FILE, "Makefile").write_text(
            text.replace("= -example", f"= -{WORSE}".replace("\n", " ")), encoding="utf-8"
        )
        return ["history", FILE, "other", "--arch", "x86", "--no-cache"]

    def cost(self, _name: str) -> list[object]:
        """By caller, of a recording whose functions and tasks have hostile names."""
        shipped = gzip.decompress((EXAMPLES / TRACE).read_bytes())
        names = {b"insmod": b"<forged\x1b[1m>", b"init": b"=1+1&|"}
        for ours, theirs in names.items():
            shipped = shipped.replace(ours, theirs)
        Path(FILE).write_bytes(shipped)
        return ["cost", FILE]

    def replay(self, _name: str) -> list[object]:
        """Events that happened at hostile places."""
        spot = repr(MARKUP.replace("'", "").replace('"', "") + ".c:1:2").replace("'", '"')
        Path(FILE).write_text(f"dialect no-nesting\nT0: enable at={spot}\nT0: enable at={spot}\n")
        return ["replay", FILE]

    def review(self, _name: str) -> list[object]:
        """A series whose subject, sender and files are hostile, and which breaks a rule."""
        subject = EVIL.replace("\n", " ")
        body = "".join(
            f"+{line}\n" for line in (EXAMPLES / "linux-old/mm/wrong_nesting.c").read_text()
            .replace("age_", "grey_").replace("drop_", "fall_").replace("forget_", "lose_")
            .splitlines()
        )  # fmt: skip
        name = "mm/<forged onload=x>&'`|]]>{}.c"
        Path(FILE).write_text(
            f"From: {MARKUP}{subject} <a@b.invalid>\nSubject: [PATCH] {MARKUP}{subject}\n"
            f"Message-Id: <{MARKUP}>\n\n{MARKUP}{subject}\n\n--- /dev/null\n+++ b/{name}\n"
            f"@@ -0,0 +1,{body.count(chr(10))} @@\n{body}",
            errors="surrogateescape",
        )
        return ["review", FILE, "--tree", EXAMPLES / "linux-old", "--arch", "x86", "--no-cache"]

    def explain(self, name: str) -> list[object]:
        """An oops of a hostile task; a rule as a graph is ours alone."""
        if name == "dot":
            return ["explain", "nested-section"]
        text = (EXAMPLES / OOPS).read_text()
        Path(FILE).write_text(text.replace("kworker/0:2", WORSE), encoding="utf-8")
        return ["explain", "--oops", FILE]


@pytest.fixture
def stage(tmp_path, monkeypatch, checked, make_result, evil) -> Stage:
    """A hostile place to stand in."""
    folder = tmp_path / NAME
    folder.mkdir()
    monkeypatch.chdir(folder)
    found = replace(evil, file=WORSE, function=WORSE, message=WORSE)

    def made(_verb: str) -> None:
        told = make_result(found, replace(found, severity=Severity.INFORMATION))
        checked(replace(told, tree=replace(told.tree, release=WORSE)))

    return Stage(folder, monkeypatch, made)


@pytest.mark.parametrize(("verb", "name"), TABLE, ids=lambda value: value)
def test_a_format_with_hostile_names_is_read_by_a_reader_of_its_kind(
    stage, run, tmp_path, verb, name
):
    """Nothing acts on who reads it, and what a reader of that kind asks for is there."""
    ran = harmless(run(*getattr(stage, verb)(name), "--format", name))
    assert ran.code in {0, 1, 3}, ran.err
    READERS[name](ran.out, verb, tmp_path)
    assert os.fsencode(FILE) not in ran.out.encode()


def test_every_format_is_of_some_verb_and_has_a_reader():
    """A format in the table of formats that no parser takes would be a promise."""
    taken = {name for _, name in TABLE}
    assert taken >= set(FORMATS)
    assert taken <= set(READERS)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Keeps what lazymmu says of trees, scenarios and traces, and compares it with what another said.

    python -m tools.reference OUT [--source OTHER/src] [--trees DIR] [--traces DIR] [--cases DIR]
    python -m tools.reference --compare BEFORE AFTER [--sentences] [--only REGEX]

OUT gets a file for each run of the command line: its exit code, and rules, places, severities,
counts and verdicts, sorted. What may be reworded, and all that is text, goes to OUT/sentences,
and is compared only with --sentences. The comparison prints what differs and ends with 1 then, with
0 where nothing does; keys that are new are named and allowed. An input that is not there is named,
and stands in OUT/index.json.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tools.reference_compare import compare, load
from tools.reference_facts import records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TOP: Final = Path(__file__).resolve().parents[1]
KERNELS: Final = Path(
    os.environ.get("LAZYMMU_KERNELS") or Path("~/.cache/lazymmu-kernels").expanduser()
)
TRACES: Final = Path(os.environ.get("LAZYMMU_TRACES") or TOP / "examples" / "trace")
VERSIONS: Final = ("6.1", "6.12.8", "7.3")
ARCHES: Final = ("all", "x86", "powerpc", "sparc", "arm64")
MAX_SECONDS: Final = 1800
"""Of one run; then its exit code is `timeout`."""

MAX_DIFFERENCES: Final = 200
"""Lines that the comparison prints; the number of all is said in any case."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One run of the command line: the name of its file, and its arguments."""

    name: str
    arguments: tuple[str, ...]

    @property
    def kind(self) -> str:
        """The verb and the format, and whether it is a summary."""
        words = self.arguments
        form = words[words.index("--format") + 1] if "--format" in words else "text"
        return " ".join([words[0], *(["summary"] if "--summary" in words else []), form])


@dataclass(frozen=True, slots=True)
class Place:
    """Where inputs are; missing ones are noted in `gaps`."""

    trees: Path
    versions: tuple[str, ...]
    traces: Path
    cases: Path | None
    package: Path
    gaps: list[str]


def wanted(place: Place) -> Iterator[Wanted]:
    """Every run, in the order in which they are made."""
    examples = [TOP / "examples" / f"linux-{age}" for age in ("old", "new")]
    trees = {f"examples-{path.name}": path for path in examples}
    for version in place.versions:
        trees[f"linux-{version}"] = place.trees / f"linux-{version}"
    for name, tree in trees.items():
        if tree.is_dir():
            yield from _of_tree(name, tree)
        else:
            place.gaps.append(f"no tree {tree}")
    both = tuple(map(str, examples))
    yield Wanted("compare-examples", ("check", *both, "--compare", "--format", "json"))
    yield from _of_machines(place)
    yield from _of_traces(place)
    for events in sorted(place.package.rglob("*.events")):
        name = f"replay-{events.parent.name}-{events.stem}"
        yield Wanted(name, ("replay", str(events), "--format", "json"))
        yield Wanted(f"{name}-text", ("replay", str(events)))
    yield Wanted("explain", ("explain",))


def _of_tree(name: str, tree: Path) -> Iterator[Wanted]:
    """The check and the sections of one tree, for all architectures and for each."""
    for arch in ARCHES:
        asked = ("check", str(tree), "--arch", arch)
        yield Wanted(f"check-{name}-{arch}", (*asked, "--format", "json"))
    whole = ("check", str(tree))
    for form in ("text", "sarif", "mail"):
        yield Wanted(f"check-{name}-{form}", (*whole, "--format", form))
    low = ("--min-confidence", "low", "--format", "json")
    yield Wanted(f"check-{name}-low", (*whole, *low))
    yield Wanted(f"sections-{name}", ("sections", str(tree), "--format", "json"))
    yield Wanted(f"sections-{name}-text", ("sections", str(tree)))


def _of_machines(place: Place) -> Iterator[Wanted]:
    """The scenarios that ship on what they are most about and on all, and litmus files."""
    yield Wanted("verify", ("verify", "--format", "json"))
    yield Wanted("verify-text", ("verify",))
    yield Wanted("verify-ktap", ("verify", "--format", "ktap"))
    yield Wanted("verify-all", ("verify", "--all", "--format", "json"))
    yield Wanted("verify-list", ("verify", "--list"))
    shipped = sorted(place.package.rglob("*.litmus"))
    if not shipped:
        place.gaps.append(f"no litmus file in {place.package}")
    litmus = {f"litmus-{path.stem}": path for path in shipped}
    if place.cases is not None:
        for path in sorted(place.cases.rglob("*.litmus")):
            litmus[f"litmus-case-{path.stem}"] = path
        for path in sorted(place.cases.rglob("*_port.py")):
            port = ("verify", "--port", str(path), "--format", "json")
            yield Wanted(f"port-{path.stem}", port)
    for name, path in litmus.items():
        yield Wanted(name, ("litmus", str(path), "--format", "json"))


def _of_traces(place: Place) -> Iterator[Wanted]:
    """Findings and summary of every recording that is found, and of those that ship."""
    folders = [TOP / "examples" / "trace", place.traces, *([place.cases] if place.cases else [])]
    if not place.traces.is_dir():
        place.gaps.append(f"no folder of traces {place.traces}")
    seen: dict[str, Path] = {}
    for folder in folders:
        for pattern in ("*.trace", "*.trace.gz", "*.dat"):
            for path in sorted(folder.rglob(pattern)):
                inside = str(path.relative_to(folder)).replace("/", "-")
                seen.setdefault(f"{folder.name}-{inside}", path)
    for name, path in seen.items():
        asked = ("trace", str(path))
        yield Wanted(f"trace-{name}", (*asked, "--format", "json"))
        yield Wanted(f"trace-{name}-sarif", (*asked, "--format", "sarif"))
        yield Wanted(f"trace-{name}-text", asked)
        yield Wanted(f"trace-{name}-summary", (*asked, "--summary", "--format", "json"))


class Recorder:
    """Makes runs and writes what they say into a folder."""

    def __init__(self, out: Path, python: str, source: Path | None, place: Place) -> None:
        self._out = out
        self._python = python
        self._source = source
        # The longest first, so that a folder within another is called by its own name.
        hidden = {
            str(place.package): "PACKAGE",
            str(place.trees.absolute()): "TREES",
            str(place.traces.absolute()): "TRACES",
            str(TOP): "PROJECT",
        }
        if place.cases is not None:
            hidden[str(place.cases.absolute())] = "CASES"
        self._hidden = sorted(hidden.items(), key=lambda pair: -len(pair[0]))

    def record(self, run: Wanted, home: Path) -> None:
        """Make one run in a folder of its own, with a cache there, and write its two files."""
        cached = run.arguments[0] in {"check", "sections"}
        where = ("--cache-dir", str(home / "cache")) if cached else ()
        command = [self._python, "-m", "lazymmu", *run.arguments, *where]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=MAX_SECONDS,
                check=False,
                cwd=home,
                env=self.environment(home),
            )
            code: int | str = done.returncode
            output, said = self._hide(done.stdout), self._hide(done.stderr)
        except subprocess.TimeoutExpired:
            code, output, said = "timeout", "", ""
        structured = run.kind.rpartition(" ")[2] in {"json", "sarif"}
        facts, prose = [], {"output": _timeless(output), "error": _timeless(said)}
        if structured and output.strip():
            try:
                facts = records(output)
                prose["output"] = json.dumps(records(output, sentences=True))
            except ValueError as error:
                facts = [("output", {"unreadable": str(error)})]
        lines = ",\n".join(json.dumps(record, sort_keys=True) for record in facts)
        head = json.dumps({"kind": run.kind, "exit": code})[:-1]
        (self._out / f"{run.name}.run.json").write_text(f'{head}, "records": [\n{lines}\n]}}\n')
        (self._out / "sentences" / f"{run.name}.json").write_text(json.dumps(prose, indent=1))

    def environment(self, home: Path) -> dict[str, str]:
        """What a run sees: nothing that changes how it prints, and the sources that are meant."""
        env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "100", "XDG_CACHE_HOME": str(home)}
        env.pop("PYTHONPATH", None)
        if self._source is not None:
            env["PYTHONPATH"] = str(self._source)
        return env

    def _hide(self, text: str) -> str:
        for path, name in self._hidden:
            text = text.replace(path, name)
        return text


def _timeless(text: str) -> str:
    """A text without durations."""
    return re.sub(r"\b\d+(\.\d+)? (s|ms|seconds?)\b", "N s", text)


def sentences(before: Path, after: Path) -> list[str]:
    """The runs of which the prose differs."""
    lines = []
    for one in sorted((before / "sentences").glob("*.json")):
        other = after / "sentences" / one.name
        if other.is_file() and one.read_text() != other.read_text():
            lines.append(f"{one.stem}: sentences differ (diff {one} {other})")
    return lines


def _package(python: str, env: dict[str, str]) -> Path:
    """Where the package is that an interpreter imports; ends the program where it has none."""
    code = "import lazymmu, os; print(os.path.dirname(lazymmu.__file__))"
    done = subprocess.run(
        [python, "-P", "-c", code], capture_output=True, text=True, check=False, env=env
    )
    if done.returncode:
        sys.exit(f"{python} cannot import lazymmu: {done.stderr.strip().splitlines()[-1:]}")
    return Path(done.stdout.strip())


def keep(asked: argparse.Namespace) -> int:
    """Make every run, and say what was left out."""
    out: Path = asked.out
    (out / "sentences").mkdir(parents=True, exist_ok=True)
    for old in (*out.glob("*.run.json"), *(out / "sentences").glob("*.json")):
        old.unlink()
    source = asked.source.absolute() if asked.source else None
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "PYTHONPATH": str(source)} if source else dict(os.environ)
        place = Place(
            asked.trees.absolute(),
            tuple(asked.versions.split(",")),
            asked.traces.absolute(),
            asked.cases.absolute() if asked.cases else None,
            _package(asked.python, env),
            [],
        )
        recorder = Recorder(out, asked.python, source, place)
        made = []
        for run in wanted(place):
            if re.search(asked.only, run.name):
                print(run.name, file=sys.stderr)
                recorder.record(run, Path(home))
                made.append(run.name)
    index = {"runs": made, "left_out": place.gaps, "only": asked.only}
    (out / "index.json").write_text(json.dumps(index, indent=1) + "\n")
    for gap in place.gaps:
        print(f"left out: {gap}", file=sys.stderr)
    print(f"{len(made)} runs in {out}")
    return 0


def differ(before: Path, after: Path, with_sentences: bool, only: str = "") -> int:
    """Print what differs between two references, in the runs whose names match."""
    try:
        pair = [
            {name: run for name, run in load(folder).items() if re.search(only, name)}
            for folder in (before, after)
        ]
        found = compare(*pair)
    except (OSError, ValueError) as error:
        print(f"reference: {error}", file=sys.stderr)
        return 2
    differences = found.differences + (sentences(before, after) if with_sentences else [])
    for note in found.notes:
        print(f"allowed: {note}")
    for line in differences[:MAX_DIFFERENCES]:
        print(line)
    print(f"{len(differences)} differences" if differences else "nothing differs")
    return 1 if differences else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Keep a reference, or compare two."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", nargs="?", type=Path, metavar="OUT", help="folder to write to")
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("BEFORE", "AFTER"))
    parser.add_argument("--sentences", action="store_true", help="compare prose, too")
    parser.add_argument("--python", default=sys.executable, help="interpreter that has lazymmu")
    parser.add_argument(
        "--source", type=Path, help="src/ of the commit to run (default: installed)"
    )
    parser.add_argument("--trees", type=Path, default=KERNELS, help="holds linux-VERSION")
    parser.add_argument("--versions", default=",".join(VERSIONS), help="trees, with commas")
    parser.add_argument("--traces", type=Path, default=TRACES, help="recordings, in any depth")
    parser.add_argument("--cases", type=Path, help="litmus files, traces and *_port.py")
    parser.add_argument("--only", default="", metavar="REGEX", help="runs whose name matches")
    asked = parser.parse_args(arguments)
    if asked.compare:
        before, after = asked.compare
        return differ(before, after, asked.sentences, asked.only)
    if asked.out is None:
        parser.error("say a folder to write to, or --compare two of them")
    return keep(asked)


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: GPL-2.0-or-later
"""What is given away: a source archive that builds by itself, and a wheel that is complete."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from lazymmu.cli.completion import SHELLS
from tools import share

TOP = Path(__file__).parents[2]
VERSION = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]["version"]
DATA = f"lazymmu-{VERSION}.data/data/share"


def build(source, kind, target):
    """Build one kind of archive with the backend that is installed; nothing is downloaded."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (found,) = target.iterdir()
    return found


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """A source archive, made and laid out where no version control is."""
    where = tmp_path_factory.mktemp("sdist")
    archive = build(TOP, "sdist", where / "made")
    with tarfile.open(archive) as tar:
        tar.extractall(where, filter="data")
    return where / f"lazymmu-{VERSION}"


@pytest.fixture(scope="module")
def wheel(unpacked, tmp_path_factory):
    """The wheel that is built of the source archive."""
    return build(unpacked, "wheel", tmp_path_factory.mktemp("wheel") / "made")


def test_the_source_archive_holds_what_a_contributor_needs(unpacked):
    """From the archive alone one can build, run the gate, and read how to take part."""
    for name in (
        "Makefile", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE",
        "CODE_OF_CONDUCT.md", "Containerfile", "hatch_build.py", "locks/dev.txt", "debian/rules",
        "tests/conftest.py", "tools/share.py", "docs/man.rst", "bench", ".github/workflows",
    ):  # fmt: skip
        assert (unpacked / name).exists(), name
    assert not (unpacked / ".git").exists()


def test_what_a_build_imports_is_what_it_asks_for():
    """A build has nothing of what lazymmu needs to run, but for what pyproject.toml names of it."""
    asked = tomllib.loads((TOP / "pyproject.toml").read_text())
    names = {re.split(r"[^\w-]", one)[0] for one in asked["build-system"]["requires"]}
    needs = {re.split(r"[^\w-]", one)[0] for one in asked["project"]["dependencies"]}
    absent = sorted(name.replace("-", "_") for name in needs - names)
    assert "tree_sitter" in absent
    subprocess.run(
        [
            *(sys.executable, "-c"),
            "import sys, tempfile, pathlib\n"
            f"sys.modules.update(dict.fromkeys({absent}))\n"
            f"sys.path[:0] = [{str(TOP)!r}, {str(TOP / 'src')!r}]\n"
            "from tools import share\n"
            "share.write(pathlib.Path(tempfile.mkdtemp()))\n",
        ],
        check=True,
    )


def test_the_wheel_installs_the_man_page_and_completions(wheel):
    """pip, pipx and uv put below share/ what a shell and man look for there."""
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"{DATA}/{path}" for path in (share.MAN, *share.COMPLETIONS.values())}
    assert wanted <= names
    assert {f"{shell}" for shell in share.COMPLETIONS} < set(SHELLS)


def test_the_wheel_of_the_source_archive_checks_its_own_examples(wheel, tmp_path):
    """What was built without version control finds the mistakes that ship with it."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    done = subprocess.run(
        [
            sys.executable, "-c",
            f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import lazymmu;"
            f"assert lazymmu.__file__.startswith({str(tmp_path)!r});"
            "from lazymmu.__main__ import run; run()",
            "check", "--no-cache", "--arch", "x86", str(tmp_path / "lazymmu/examples/linux-old"),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "[nested-section]" in done.stdout


def test_the_man_page_names_every_verb_and_what_an_option_says(tmp_path):
    """The page that is installed has the options of the parser, and no markup of its source."""
    share.write(tmp_path)
    page = (tmp_path / share.MAN).read_text()
    plain = page.replace("\\-", "-")
    for word in ("--min-confidence", "SYNOPSIS", "EXIT STATUS", "completion", "sections"):
        assert word in plain
    assert "``" not in page
    assert ":doc:" not in page


@pytest.mark.skipif(not shutil.which("man"), reason="there is no man")
def test_man_shows_the_page_without_a_complaint(tmp_path):
    """What is installed is roff that man formats without a warning."""
    share.write(tmp_path)
    page = str(tmp_path / share.MAN)
    done = subprocess.run(
        ["man", "--warnings", "-l", page],
        capture_output=True, text=True, check=False,
        env={"MANWIDTH": "80", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == ""


def test_every_place_that_names_the_version_names_the_same():
    """pyproject.toml has the version, and the changelog's and Debian's newest entries follow it."""
    dated = re.findall(r"^## (\d\S+) - \d{4}-\d\d-\d\d$", (TOP / "CHANGELOG.md").read_text(), re.M)
    assert dated[0] == VERSION
    first = (TOP / "debian" / "changelog").read_text().partition("\n")[0]
    assert first.startswith(f"lazymmu ({VERSION})")


def test_make_and_pip_ask_for_the_same_python():
    """A Python that pip refuses is none that `make` sets itself up with."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    bound = project["requires-python"].removeprefix(">=").replace(".", ", ")
    assert f"sys.version_info < ({bound})" in (TOP / "Makefile").read_text()


def test_the_changelog_has_a_place_for_what_comes_next():
    """A change is added above the newest release, and never to one that was made."""
    heads = re.findall(r"^## .*$", (TOP / "CHANGELOG.md").read_text(), re.M)
    assert heads[0] == "## Unreleased"
    assert len(heads) > 1


def test_the_log_of_changes_says_nothing_twice():
    """Merges join what two sides have added, and one entry may have been on both."""
    text = (TOP / "CHANGELOG.md").read_text()
    entries = [line for line in text.splitlines() if line.startswith("- ")]
    assert sorted(set(entries)) == sorted(entries)

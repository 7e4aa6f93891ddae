# SPDX-License-Identifier: GPL-2.0-or-later
"""Other Pythons count the same: nothing of a search depends on how one interpreter does things."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OLDEST = 11
"""3.11, as pyproject.toml has it."""

RUNS = [
    ("xen-preempted-at-depth-two", "x86", "6.12.8"),
    ("section-migrates", "sparc", "6.12.8"),
    ("fork-outside-section", "x86", "7.3.4"),
    ("interrupt-inside-section", "powerpc", "6.1.176"),
]

SCRIPT = """\
import json, sys
from lazymmu.explore import search
from lazymmu.litmus.to_config import to_query
from lazymmu.litmus.run import named
from lazymmu.witness.machine.product_model import ProductModel

found = []
for name, arch, release in json.loads(sys.argv[1]):
    result = search(ProductModel(to_query(named(name), arch, release)), engine="python")
    ways = {key: [step.action for step in path.steps] for key, path in result.discoveries.items()}
    found.append([name, result.states, result.transitions, result.depth, result.taken, ways])
print(json.dumps(found))
"""


def pythons() -> list[Path]:
    """One Python of each other version that may run this: on the path, or one of pyenv's."""
    home = Path(os.environ.get("PYENV_ROOT") or Path("~/.pyenv").expanduser())
    found: dict[str, Path] = {}
    for minor in range(OLDEST, 30):
        version = f"3.{minor}"
        if version == f"{sys.version_info.major}.{sys.version_info.minor}":
            continue
        named = shutil.which(f"python{version}")
        for python in (
            *([Path(named)] if named else []),
            *sorted(home.glob(f"versions/{version}.*/bin/python")),
        ):
            # A shim may be there without what it stands for.
            if _version(python) == version:
                found.setdefault(version, python)
    return list(found.values())


def _version(python: Path) -> str:
    says = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", says], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def counted(python: Path, extra: Path) -> object:
    """What a Python counts, with the standard library, our sources and what is in `extra`."""
    env = {
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{extra}",
        "PATH": os.environ.get("PATH", ""),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [python, "-c", SCRIPT, json.dumps(RUNS)],
        capture_output=True,
        text=True,
        env=env,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_another_python_counts_the_same(tmp_path: Path) -> None:
    """States, transitions, how often each action is taken, and each shortest way."""
    others = pythons()
    if not others:
        pytest.skip("there is no other Python of 3.11 or later on this machine")
    lark = importlib.util.find_spec("lark")
    assert lark is not None
    assert lark.origin is not None
    # The reader of scenarios, which is Python and no more, is lent to those who have it not.
    (tmp_path / "lark").symlink_to(Path(lark.origin).parent)
    here = counted(Path(sys.executable), tmp_path)
    for python in others:
        assert counted(python, tmp_path) == here

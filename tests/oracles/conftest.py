# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of others that answer the questions which our readers answer, each where it is found."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Preprocess = Callable[[str, Mapping[str, str]], tuple[list[str], frozenset[int]]]


@pytest.fixture(scope="session")
def preprocess(tmp_path_factory: pytest.TempPathFactory) -> Preprocess:
    """What `gcc -E` leaves of a text under definitions, as the kernel calls it.

    A list of the words, and the lines of the text in which there is an error: no kernel has
    any, and what gcc goes on with there is its own affair.
    """
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("there is no gcc")
    empty = tmp_path_factory.mktemp("gcc")

    def run(text: str, definitions: Mapping[str, str]) -> tuple[list[str], frozenset[int]]:
        # -std=gnu11 is the kernel's since e8c07082a810 ("Kbuild: move to -std=gnu11") (in v5.18).
        options = [f"-D{name}={value}" for name, value in definitions.items()]
        done = subprocess.run(
            [gcc, "-E", "-P", "-w", "-undef", "-nostdinc", "-std=gnu11", *options, "-x", "c", "-"],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            cwd=empty,
            env={"LC_ALL": "C", "PATH": str(Path(gcc).parent)},
        )
        wrong = re.findall(r"^<stdin>:(\d+):\d+: error:", done.stderr, re.MULTILINE)
        return done.stdout.split(), frozenset(map(int, wrong))

    return run

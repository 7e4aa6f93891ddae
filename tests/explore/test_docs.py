# SPDX-License-Identifier: GPL-2.0-or-later
"""What the page says can be run."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "explore.rst"


def test_the_model_of_the_page_loses_an_update(capsys):
    """The example is a model, and shows what the text says that it does."""
    block = re.search(r"\.\. code-block:: python\n\n((?:    .*\n|\n)+)", PAGE.read_text())
    assert block is not None
    exec(textwrap.dedent(block[1]), {})
    states, path = capsys.readouterr().out.splitlines()
    assert states == "13 True"
    assert path == "['first', 'second', 'first', 'second']"

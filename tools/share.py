# SPDX-License-Identifier: GPL-2.0-or-later
"""What belongs below share/ of an installation: the man page, and completions for three shells.

`python -m tools.share FOLDER` writes them, and so does a build of the wheel (hatch_build.py). They
are made and not kept, so that no option is ever missing in them.

The man page is made by docutils and not by Sphinx, as `make docs` has it: docutils is one small
package without a compiler, which is what a build on a distribution's machines can ask for.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
import tomllib
from pathlib import Path

from lazymmu.cli import completion

__all__ = ["COMPLETIONS", "MAN", "write"]

TOP = Path(__file__).parents[1]
MAN = "man/man1/lazymmu.1"
COMPLETIONS = {
    "bash": "bash-completion/completions/lazymmu",
    "zsh": "zsh/site-functions/_lazymmu",
    "fish": "fish/vendor_completions.d/lazymmu.fish",
}
"""Where each shell looks below share/ of a prefix."""


def write(folder: Path) -> list[str]:
    """Write everything below a folder.

    :returns: the paths of the files, relative to the folder.
    """
    texts = {path: completion.script(shell) for shell, path in COMPLETIONS.items()}
    texts[MAN] = _man_page()
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return sorted(texts)


def _man_page() -> str:
    """docs/man.rst with the options of the parser, in roff."""
    publish_string = importlib.import_module("docutils.core").publish_string  # it has no types
    docs = TOP / "docs"
    if str(docs) not in sys.path:
        sys.path.insert(0, str(docs))  # it stands beside Sphinx's configuration
    option_pages = importlib.import_module("option_pages")
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    _title, found, body = (docs / "man.rst").read_text().partition("\nSYNOPSIS\n")
    if not found:
        raise ValueError("docs/man.rst has no SYNOPSIS")
    rule = "-" * len(project["description"])
    head = (
        f"=======\nlazymmu\n=======\n\n{rule}\n{project['description']}\n{rule}\n\n"
        f":Manual section: 1\n:Version: {project['version']}\n\n.. default-role:: code\n\n"
    )
    with tempfile.TemporaryDirectory() as where:
        options = Path(where, "_generated", "options.rst.inc")
        options.parent.mkdir()
        options.write_text("\n".join(option_pages.options()) + "\n")
        page = publish_string(
            head + found + body,
            source_path=str(Path(where, "man.rst")),
            writer="manpage",
            settings_overrides={
                "_disable_config": True,  # of the machine that builds
                "output_encoding": "unicode",
                "halt_level": 2,
            },
        )
    return str(page)


if __name__ == "__main__":
    print(*write(Path(sys.argv[1])), sep="\n")

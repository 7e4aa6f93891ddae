# SPDX-License-Identifier: GPL-2.0-or-later
"""vim and emacs read what `--format gcc` prints: each line is a place that opens, with its kind."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lazymmu.cli import main

ROOT = Path(__file__).parents[2]
KINDS = {"error": "e", "warning": "w", "note": "n", "info": "i"}


@pytest.fixture
def printed(tmp_path, monkeypatch, capsys):
    """What a check of an example prints where one stands beside the tree; (lines, its file)."""
    shutil.copytree(ROOT / "examples" / "linux-old", tmp_path / "a tree")
    monkeypatch.chdir(tmp_path)
    code = main(["check", "a tree", "--no-cache", "-q", "--format", "gcc", "--arch", "x86"])
    assert code == 1
    text = capsys.readouterr().out
    (tmp_path / "out.txt").write_text(text)
    return text.splitlines(), tmp_path / "out.txt"


def places(lines):
    """Each line's file, line, column and kind, read with a pattern of our own."""
    pattern = re.compile(r"(.+?):(\d+):(\d+): (error|warning|info|note): ")
    found = [pattern.match(line) for line in lines]
    assert all(found)
    return [(hit[1], int(hit[2]), int(hit[3]), KINDS[hit[4]]) for hit in found]


def program(name, *probe):
    """The path of an editor that can do what is asked; skips by its name where there is none."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    if probe and subprocess.run([path, *probe], capture_output=True, check=False).returncode:
        pytest.skip(f"this {name} was built without what the test needs")
    return path


def test_every_line_opens_from_where_one_stands(printed):
    """The line is there, and has something on it."""
    for file, line, _, _ in places(printed[0]):
        assert Path(file).read_text().splitlines()[line - 1].strip()


def test_vim_reads_every_line_with_the_compiler_that_ships(printed, tmp_path):
    """As `:compiler lazymmu` and `:cgetfile` do it: file, line, column and kind of each entry."""
    lines, output = printed
    probe = ("-Nes", "-u", "NONE", "-c", "if !has('quickfix') | cq | endif", "-c", "qa!")
    vim = program("vim", *probe)
    script = tmp_path / "read.vim"
    script.write_text(
        f"set runtimepath^={ROOT / 'contrib' / 'vim'}\n"
        "compiler lazymmu\n"
        f"cgetfile {output}\n"
        "let g:rows = map(getqflist(), {_, q -> [bufname(q.bufnr), q.lnum, q.col, q.type]})\n"
        f"call writefile([json_encode(g:rows)], '{tmp_path}/rows.json')\n"
        "qa!\n"
    )
    command = [vim, "-Nes", "-u", "NONE", "-i", "NONE", "-S", str(script)]
    subprocess.run(command, check=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    read = [tuple(row) for row in json.loads((tmp_path / "rows.json").read_text())]
    assert read == places(lines)


def test_emacs_reads_every_line_and_goes_from_finding_to_step(printed, tmp_path):
    """As `M-x lazymmu-check` shows it, and `next-error` walks it."""
    lines, output = printed
    emacs = program("emacs")
    script = tmp_path / "read.el"
    script.write_text(
        f'(load "{ROOT / "contrib" / "emacs" / "lazymmu.el"}")\n'
        f'(find-file "{output}")\n'
        "(lazymmu-mode)\n"
        "(setq compilation-skip-threshold 0)\n"
        "(goto-char (point-min))\n"
        "(let ((rows nil) (going t))\n"
        "  (compilation--ensure-parse (point-max))\n"
        "  (while going\n"
        "    (let* ((msg (get-text-property (point) 'compilation-message))\n"
        "           (loc (and msg (compilation--message->loc msg))))\n"
        "      (when loc\n"
        "        (push (list (caar (compilation--loc->file-struct loc))\n"
        "                    (compilation--loc->line loc)\n"
        "                    (compilation--message->type msg)) rows)))\n"
        "    (setq going (zerop (forward-line 1)))\n"
        "    (when (eobp) (setq going nil)))\n"
        '  (dolist (row (nreverse rows)) (princ (format "%s\\t%s\\t%s\\n" (nth 0 row)\n'
        "          (nth 1 row) (nth 2 row)))))\n"
    )
    done = subprocess.run(
        [emacs, "-Q", "--batch", "-l", str(script)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
    read = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    wanted = {"e": "2", "w": "1", "n": "0", "i": "0"}
    assert [(file, int(line), kind) for file, line, kind in read] == [
        (file, line, wanted[kind]) for file, line, _, kind in places(lines)
    ]


def test_the_emacs_command_compiles_without_a_warning(tmp_path):
    """A package that warns when it is installed is not trusted."""
    emacs = program("emacs")
    copy = tmp_path / "lazymmu.el"
    shutil.copy(ROOT / "contrib" / "emacs" / "lazymmu.el", copy)
    command = [emacs, "-Q", "--batch", "--eval", "(setq byte-compile-error-on-warn t)"]
    command += ["-f", "batch-byte-compile", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr

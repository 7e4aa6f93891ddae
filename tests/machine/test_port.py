# SPDX-License-Identifier: GPL-2.0-or-later
"""Implementations of one's own, from a file."""

from __future__ import annotations

import inspect

import pytest

from lazymmu.machine import ConfigError, EntrySpec
from lazymmu.machine.arch import template
from lazymmu.machine.port import PortError, install, load, uninstall
from lazymmu.machine.releases import find
from lazymmu.machine.workbench import Workbench

from .conftest import happened

HEAD = "from lazymmu.machine.arch.base import Arch\n"


@pytest.fixture
def file(tmp_path):
    """file(text) is a Python file with that text."""

    def write(text):
        path = tmp_path / "mine.py"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def mine(file):
    """The template, copied, loaded and installed."""
    implementation = load(file(inspect.getsource(template)))
    install(implementation)
    yield implementation
    uninstall()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no class that derives from"),
        (HEAD, "has no class that derives from"),
        ("class Mine(:\n    pass", r"mine.py:1: SyntaxError: "),
        ("\nimport nothing_of_the_kind", r"mine.py:2: ModuleNotFoundError: No module"),
        (HEAD + "class Mine(Arch):\n    row = 1 / 0", r"mine.py:3: ZeroDivisionError: division"),
        (HEAD + "class Mine(Arch): pass", "class Mine must name itself: row"),
        (HEAD + "class Mine(Arch): row = 'xen-task'", "implementation named xen-task already"),
        (
            HEAD + "class One(Arch): row = 'one'\nclass Two(Arch): row = 'two'",
            "more than one implementation: One, Two",
        ),
        ("row = '\0'", "null bytes"),
    ],
)
def test_a_file_that_is_no_port_is_refused_in_one_sentence(file, text, sentence):
    """It names the file, the line as far as known, and what is wrong."""
    with pytest.raises(PortError, match=sentence) as problem:
        load(file(text))
    assert "\n" not in str(problem.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    """In the words of the system."""
    with pytest.raises(PortError, match=r"none.py cannot be read: No such file"):
        load(tmp_path / "none.py")


def test_a_base_class_of_ones_own_is_not_what_is_meant(file):
    """Of several classes the one that nothing else derives from."""
    text = HEAD + "class Base(Arch): pass\nclass Mine(Base): row = 'mine'"
    assert load(file(text)).row == "mine"


def test_an_installed_port_is_found_by_release_and_by_row(mine):
    """As any implementation is, until it is taken away again."""
    assert find("port", "7.3.4")[1] is mine
    assert find("port", "mine-batch")[1] is mine
    uninstall()
    with pytest.raises(ConfigError):
        find("port", "7.3.4")


def test_a_port_takes_no_name_that_is_taken_and_no_release_that_is_not():
    """A port with a name that is taken, or of a release that is none, is refused.

    With a sentence for each.
    """
    with pytest.raises(PortError, match=r"no release 1\.0"):
        install(template.Mine, release="1.0")
    with pytest.raises(PortError, match="arm64 is there already"):
        install(template.Mine, arch="arm64")


def test_the_template_batches_invalidations(mine):
    """Stores at once, one invalidation for the section, and none waits after a flush."""
    on = Workbench("port", "7.3.4", "p = A", "q = B", tasks=2)
    on.do("lazy_mmu_mode_enable; ptep_get_and_clear p; ptep_set_wrprotect q; set_pte p C")
    assert (on.stored("p"), on.stored("q")) == ("C", "B:ro")
    assert on.pending == (("p", "invalidate"), ("q", "invalidate"))
    on.do("lazy_mmu_mode_enable; lazy_mmu_mode_disable")
    assert (on.pending, on.costs["invalidation"]) == ((), 1)
    on.interrupt("pte_clear q")
    assert (on.tlb("q"), on.costs["invalidation"], on.mode()) == (frozenset(), 2, "on")
    on.do("lazy_mmu_mode_disable; ptep_get_and_clear p")
    assert (on.tlb("p"), on.costs["invalidation"], on.mode()) == (frozenset(), 3, "off")
    on.switch("T1")


ENTRIES = (EntrySpec("p", value="A"),)
ZAP = (
    "spin_lock L; lazy_mmu_mode_enable; ptep_get_and_clear p; lazy_mmu_mode_disable; tlb_flush p; "
    "spin_unlock L; free_page A"
)


def test_the_template_survives_what_core_mm_does(mine, run):
    """No CPU finds the page after it was freed; without the section's end one may."""
    found = run("port", "7.3.4", ZAP, "access p", entries=ENTRIES, cpus=2)
    assert not happened(found, "Use", what="stale")
    assert not happened(found, "Bug")
    early = ZAP.replace("lazy_mmu_mode_disable; tlb_flush p; spin_unlock L; free_page A", "") + (
        "free_page A; lazy_mmu_mode_disable; spin_unlock L"
    )
    assert happened(
        run("port", "7.3.4", early, "access p", entries=ENTRIES, cpus=2), "Use", what="stale"
    )

# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of releases: complete, in step with the contract's, and asked by several names."""

from __future__ import annotations

import pytest

from lazymmu.contract.deferral import ROWS
from lazymmu.contract.deferral.releases import RELEASES as CONTRACT
from lazymmu.contract.dialects import DIALECTS
from lazymmu.machine import ConfigError, EntrySpec, Machine, MachineConfig, TaskSpec
from lazymmu.machine.releases import IMPLEMENTATIONS, RELEASES, find, releases_of
from lazymmu.machine.workbench import Workbench

from .conftest import program


def test_every_release_has_x86_and_a_dialect():
    """And powerpc and sparc from the oldest release whose implementation of both was read."""
    names = list(RELEASES)
    for release in RELEASES.values():
        old = names.index(release.name) < names.index("5.10")
        wanted = {"x86"} if old else {"x86", "powerpc", "sparc"}
        assert wanted <= set(release.arches)
        assert release.dialect in DIALECTS
        assert release.mode.counted == DIALECTS[release.dialect].generic_api


@pytest.mark.parametrize("name", CONTRACT)
def test_the_contract_s_table_says_the_same(name):
    """Rows and dialects of the releases that both know."""
    release, other = RELEASES[name], CONTRACT[name]
    assert release.dialect == other.dialect.name
    assert {arch: release.arches[arch].row for arch in other.rows} == {
        arch: row.name for arch, row in other.rows.items()
    }


@pytest.mark.parametrize("arch", ROWS)
def test_every_row_of_the_deferral_table_is_a_machine(arch):
    """And is found by its name, in the oldest maintained release that has it, if there is one."""
    for row in ROWS[arch]:
        release, implementation = find(arch, row.name)
        assert implementation.row == row.name
        there = [one for one in releases_of(arch) if one.arches[arch].row == row.name]
        maintained = [one for one in there if not one.historic]
        assert release is (maintained or there)[0]


def test_a_series_stands_for_the_newest_of_it():
    """`6.12` is not the release that began the series."""
    assert find("x86", "6.12")[0].name == "6.12.117"
    assert find("x86", "7.3")[0].name == "7.3.4"
    assert find("arm64", "6.16")[0].name == "6.17.8"
    assert find("x86", "6.6")[0].name == "6.12.8"
    assert find("x86", "6.1")[0].name == "6.1.192"


def test_any_release_is_like_one_that_was_read():
    """Of its series the newest that is not newer, else the first of the series after it."""
    for name, like in {
        "7.0.1": "7.0",
        "7.0.13": "7.0",
        "7.1.8": "7.1.13",
        "7.2.12": "7.2.8",
        "6.6.54": "6.12.8",
        "6.12.107+deb13-amd64": "6.12.38",
        "4.4": "5.10",
        "9.9": "7.3.4",
        "6.6-rc1": "6.6-rc1",
        "6.6.0": "6.12.8",
        "6.16.3": "6.17.8",
        "7.2": "7.2.8",
        "6.12.117": "6.12.117",
    }.items():
        assert find("x86", name)[0].name == like, name
    assert find("x86", "7.0.1")[1].row == "xen-cpu-strict"


@pytest.mark.parametrize(
    ("arch", "name"), [("x86", "2.6"), ("m68k", "7.3.4"), ("arm64", "6.12.8"), ("x86", "6")]
)
def test_what_is_not_known_is_said_with_what_is(arch, name):
    """What is not known of releases is said in one sentence, with a list of what is."""
    if (arch, name) == ("x86", "6"):
        assert find(arch, name)[0].name == "6.19.6"
        return
    with pytest.raises(ConfigError, match="known are"):
        find(arch, name)


def test_preempt_rt_is_selectable_where_kconfig_has_it():
    """x86 and arm64 from v6.12 on; never powerpc or sparc (ARCH_SUPPORTS_RT)."""
    for release in RELEASES.values():
        assert not {"powerpc", "sparc", "powerpc-radix"} & set(release.rt)
        new = tuple(map(int, release.name.split("-")[0].split(".")[:2])) >= (6, 12)
        assert ("x86" in release.rt) == ("arm64" in release.rt) == new


def test_rows_name_releases_that_exist():
    """No implementation is listed for a release that is not."""
    for rows in IMPLEMENTATIONS.values():
        assert set(rows) <= set(RELEASES)


def test_hooks_that_do_nothing_are_those_of_powerpc_and_sparc_to_v6_19():
    """arch_flush_lazy_mmu_mode() was an empty macro there, and is real where flush is told so."""
    for arch, rows in ROWS.items():
        for row in rows:
            assert (find(arch, row.name)[1].flush_how == "now") == row.flush, row.name


@pytest.mark.parametrize(
    ("release", "line", "there"),
    [
        ("3.12", "kfence_unprotect p A", False),
        ("5.10", "kfence_unprotect p A", False),
        ("6.1.176", "kfence_unprotect p A", True),
        ("5.10", "set_pte p A:exclusive", False),
        ("6.1.176", "set_pte p A:exclusive", True),
        ("3.12", "set_pte p A:wp", False),
        ("5.10", "set_pte p A:wp", True),
        ("5.10", "set_pte p marker", False),
        ("3.12", "vmap_pfn A p", False),
    ],
)
def test_an_old_release_has_no_code_and_no_entries_that_came_later(release, line, there):
    """What it lacks is refused by name, so that no verdict is given about it."""
    config = MachineConfig(
        "x86",
        release,
        entries=(EntrySpec("p", space="kernel"),),
        tasks=(TaskSpec("T", program(line), cpu=0),),
    )
    if there:
        Machine(config)
    else:
        with pytest.raises(ConfigError, match="it came with"):
            Machine(config)


@pytest.mark.parametrize(("release", "effective"), [("3.1", None), ("3.12", "A"), ("5.10", "A")])
def test_a_page_is_given_its_mapping_at_once_from_v3_10_on(release, effective):
    """DEBUG_PAGEALLOC in a section on Xen: before, the store waited in the queue."""
    bench = Workbench("x86", release, "p kernel", pages=("A",))
    bench.do("lazy_mmu_mode_enable; debug_pagealloc_map_pages p A")
    assert bench.stored("p") == effective


@pytest.mark.parametrize(
    ("arch", "release", "fault"),
    [
        ("x86", "6.12.8", "arch/x86/mm/fault.c"),
        ("powerpc", "6.12.8", "arch/powerpc/mm/fault.c"),
        ("sparc", "7.3.4", "arch/sparc/mm/fault_64.c"),
        ("arm64", "7.3.4", "arch/arm64/mm/fault.c"),
    ],
)
def test_names_and_citations_are_of_the_release_and_architecture_at_hand(arch, release, fault):
    """Up to v6.19 the generic API is the hook, under the hook's name, and no function twice."""
    bench = Workbench(arch, release, "p")
    new = release.startswith("7.")
    seen, cited = [], set()
    for line in ("lazy_mmu_mode_enable", "access p", "lazy_mmu_mode_disable"):
        bench.begin(line)
        while bench.place():
            step = bench.machine.describe_step(bench.state, 0)
            seen.append(step.stack)
            cited.add(step.source)
            bench.step()
    first = "lazy_mmu_mode_enable" if new else "arch_enter_lazy_mmu_mode"
    assert seen[0] == (first,)
    assert all(len(set(stack)) == len(stack) for stack in seen)
    assert any(name.startswith("lazy_mmu_mode") for stack in seen for name in stack) == new
    assert fault in cited
    assert not any("arch/" in one and f"arch/{arch}/" not in one for one in cited)

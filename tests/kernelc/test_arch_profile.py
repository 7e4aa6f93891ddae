# SPDX-License-Identifier: GPL-2.0-or-later
"""The profiles are data, complete and with reasons."""

from __future__ import annotations

import pytest

from lazymmu.kernelc.arch_profile import PROFILES, load


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_a_profile_is_whole(name: str) -> None:
    """Each has a label, a directory, and for everything that it fixes a value and a reason."""
    profile = PROFILES[name]
    assert profile.name == profile.arch_dir == name
    assert profile.label
    assert all(forced.why for forced in profile.config.values())
    assert all(f.value in "yn" or f.value.isdigit() for f in profile.config.values())
    assert profile.builtins["__KERNEL__"] == "1"
    assert not any(symbol.startswith("CONFIG_") for symbol in profile.config)


def test_profiles_have_an_order() -> None:
    """That in which results name them."""
    assert list(PROFILES) == ["x86", "powerpc", "sparc", "arm64"]


def test_an_unknown_profile_is_an_error() -> None:
    """The name is in the error."""
    with pytest.raises(KeyError, match="mips"):
        load("mips")

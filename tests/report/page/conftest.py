# SPDX-License-Identifier: GPL-2.0-or-later
"""A real browser: Debian's Chromium, driven through its own driver, without a network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report.page.browser import PageBrowser

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def whole_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageBrowser]:
    """One process for all tests of a session; skips where there is no Chromium or no driver."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        lacking = "chromium" if program is None else "chromedriver"
        pytest.skip(f"there is no {lacking} (Debian: install chromium and chromium-driver)")
    home = tmp_path_factory.mktemp("chromium")
    browser = PageBrowser(program, driver, home)
    yield browser
    browser.close()


@pytest.fixture
def browser(whole_browser: PageBrowser, request: pytest.FixtureRequest) -> Iterator[PageBrowser]:
    """The browser; afterwards no page may have complained, or asked for anything.

    With LAZYMMU_SHOTS, a folder, what each test ended with is kept there as a picture.
    """
    whole_browser.forget()
    yield whole_browser
    if folder := os.environ.get("LAZYMMU_SHOTS"):
        name = "".join(c if c.isalnum() else "-" for c in request.node.name)
        whole_browser.shoot(Path(folder) / f"{name}.png")
    said, asked = whole_browser.complaints(), whole_browser.requests()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []

# SPDX-License-Identifier: GPL-2.0-or-later
"""What a test may ask of a browser: pages opened, keys and mouse, what was requested and said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

HERE = Path(__file__).parent

ARGUMENTS = (
    "--headless=new",
    # As root, as in a container, it has no sandbox of its own; the pages are ours.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    # No name resolves: what a page asks for is seen in the log, and goes nowhere.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


class PageBrowser:
    """A browser with one window."""

    def __init__(self, program: str, driver: str, home: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = program
        for argument in (*ARGUMENTS, f"--user-data-dir={home}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(driver))

    def close(self) -> None:
        """End the browser and its driver."""
        self.driver.quit()

    def forget(self) -> None:
        """Begin a test with an empty page, and logs as empty."""
        self.driver.get("about:blank")
        self.look()
        self.complaints()
        self.requests()

    def look(self, scheme: str = "light", media: str = "", width: int = 1280) -> None:
        """How pages are shown: light or dark, on a screen or (``print``) on paper, how wide."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"media": media, "features": features}
        )
        self.driver.set_window_size(width, 900)

    def open(self, file: Path, fragment: str = "") -> None:
        """Open a page as a user does who is handed the file."""
        # A page that is open already would only scroll.
        self.driver.get("about:blank")
        self.driver.get(file.as_uri() + fragment)

    def run(self, script: str, *arguments: object) -> Any:
        """The value of a script's ``return``."""
        return self.driver.execute_script(script, *arguments)

    def all(self, selector: str) -> list[WebElement]:
        """The elements that a CSS selector finds."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        """The first of them."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def press(self, *keys: str) -> None:
        """Type keys, wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def drag(self, element: WebElement, right: int) -> None:
        """Drag with the mouse from an element's middle."""
        ActionChains(self.driver).click_and_hold(element).move_by_offset(
            right, 0
        ).release().perform()

    def wheel(self, element: WebElement, down: int) -> None:
        """Turn the wheel above an element."""
        from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

        origin = ScrollOrigin.from_element(element)
        ActionChains(self.driver).scroll_from_origin(origin, 0, down).perform()

    def shoot(self, file: Path) -> None:
        """Keep what is shown as a picture, all of its height."""
        height = self.run("return document.documentElement.scrollHeight")
        width = self.run("return innerWidth")
        size = {"width": width, "height": min(height, 4000), "deviceScaleFactor": 1}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**size, "mobile": False})
        self.driver.save_screenshot(str(file))
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def requests(self) -> list[str]:
        """The address of every request since this was last asked, of whatever kind."""
        told = (json.loads(entry["message"])["message"] for entry in self._log("performance"))
        return [
            one["params"]["request"]["url"]
            for one in told
            if one["method"] == "Network.requestWillBeSent"
        ]

    def complaints(self) -> list[str]:
        """What the console said since this was last asked."""
        return [entry["message"] for entry in self._log("browser")]

    def _log(self, kind: str) -> list[dict[str, Any]]:
        return self.driver.get_log(kind)

    def pale(self) -> list[str]:
        """Texts that stand out from their ground by less than WCAG's 4.5 to 1, with the ratio."""
        return self.run((HERE / "contrast.js").read_text())

    def unnamed(self) -> list[str]:
        """What a screen reader has no name for: controls, regions, tables, pictures."""
        return self.run((HERE / "names.js").read_text())

"""A headless Chromium for pages that are files. Skips where it is not installed; with NEWSACTS_BROWSER=required, fails.

apt-get install chromium chromium-driver        # Debian's
npm install --prefix build/axe axe-core@4.14.1  # for the accessibility check, or AXE_CORE=/path/to/axe.min.js
"""

import base64
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import pytest

ROOT = Path(__file__).parents[2]
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)
DESKTOP, PHONE = (1280, 900), (360, 740)


@dataclass(frozen=True, slots=True)
class Browser:
    """Chromium with what the tests ask of it."""

    driver: Any

    def open(self, page: Path, *, size: tuple[int, int] = DESKTOP, dark: bool = False) -> None:
        """Open a file as a screen of a size (CSS pixels), in the light or dark mode of the system."""
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [scheme]})
        self.read_logs()
        self.driver.get(page.as_uri())

    def emulate_print(self) -> None:
        """Show the page as it would be printed."""
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})

    def run(self, script: str, *values: object) -> Any:
        """The value that a script returns."""
        return self.driver.execute_script(script, *values)

    def press(self, *keys: str) -> None:
        """Press keys one after another, by their names in the DOM ("n", "ArrowRight")."""
        for key in keys:
            for kind in ("keyDown", "keyUp"):
                event = {"type": kind, "key": key, "code": key, "text": key if len(key) == 1 else ""}
                self.driver.execute_cdp_cmd("Input.dispatchKeyEvent", event)

    def read_logs(self) -> tuple[list[str], list[str]]:
        """Console errors and warnings, and addresses asked for, since the last call."""
        console = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] != "INFO"]
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [message for message in messages if message["method"] == "Network.requestWillBeSent"]
        return console, [message["params"]["request"]["url"] for message in sent]

    def find_barriers(self) -> list[str]:
        """What axe-core calls a serious or critical accessibility problem."""
        self.run(find_axe().read_text(encoding="utf-8"))
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1]; axe.run().then(done, (fault) => done(String(fault)))"
        )
        return [
            f"{problem['id']}: {problem['help']}: {[node['html'][:160] for node in problem['nodes'][:3]]}"
            for problem in found["violations"]
            if problem["impact"] in {"serious", "critical"}
        ]

    def wait_until(self, ready: Callable[[], bool], *, seconds: float = 60) -> None:
        """Wait for something that the browser does in its own time."""
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, seconds).until(lambda _: ready())

    def photograph(self, path: Path) -> None:
        """The whole page as a picture, for people who look."""
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": False})
        path.write_bytes(base64.b64decode(shot["data"]))


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One Chromium for all tests, with a profile of its own."""
    if find_spec("selenium") is None:
        _leave_out("selenium is not installed: pip install '.[dev]'")
    from selenium import webdriver

    program, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or chromedriver is None:
        _leave_out("no chromium and chromedriver on the PATH: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=chromedriver))
    try:
        yield Browser(driver)
    finally:
        driver.quit()


def find_axe() -> Path:
    """axe.min.js, from AXE_CORE or where npm put it; the test is left out where there is none."""
    default = ROOT / "build" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
    path = Path(os.environ.get("AXE_CORE", default))
    if not path.is_file():
        _leave_out(f"{path} is not there: npm install --prefix build/axe axe-core@4.14.1")
    return path


def _leave_out(reason: str) -> NoReturn:
    if os.environ.get("NEWSACTS_BROWSER") == "required":
        pytest.fail(reason)
    pytest.skip(reason)

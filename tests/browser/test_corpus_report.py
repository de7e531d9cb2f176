"""The corpus report in a real browser: switches, downloads, dark mode, narrow screens, no network, no barrier."""

import base64
import csv
import io
from pathlib import Path

import pytest

from newsacts import Classifier
from newsacts.backends.fake import FakeBackend
from newsacts.checkpoint import Checkpoint
from newsacts.report.corpus import CorpusOptions, build_corpus_report
from newsacts.review import apply_sheet, draw_for_rates, write_review, write_sheet
from tests import tiny
from tests.browser.conftest import PHONE, Browser
from tests.integration.test_corpus_report import make_run
from tests.integration.test_review import fill

pytestmark = [pytest.mark.browser, pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])]


@pytest.fixture(scope="module")
def page(tiny_checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with near-duplicates and a filled sheet, so that both switches are there."""
    folder = tmp_path_factory.mktemp("corpus")
    classifier = Classifier(tiny_checkpoint, FakeBackend(4))
    run = make_run(folder, classifier, near_duplicates=True, keep=("section",))
    sheet = folder / "sheet.csv"
    write_sheet(draw_for_rates(run, size=100), sheet)
    gold = dict(tiny.SENTENCES)
    fill(sheet, lambda row: "|".join(gold.get(row["text"], ())) or "none")
    review = apply_sheet(run, sheet).review
    assert review is not None
    write_review(review, folder / "review.json")
    options = CorpusOptions(by=("section",), review=folder / "review.json")
    return build_corpus_report(run, folder / "report.html", options=options).path


def list_shown(browser: Browser, selector: str) -> list[str]:
    script = (
        "return [...new Set([...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility())"
        ".map(e => e.className.split(' ')[1]))]"
    )
    return [str(name) for name in browser.run(script, selector)]


def test_the_switches_show_one_way_of_counting_at_a_time(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert list_shown(browser, ".view") == ["view-all"]
    assert list_shown(browser, ".measure") == ["measure-adjusted"]
    browser.run("document.getElementById('show-once').click()")
    browser.run("document.getElementById('show-counted').click()")
    assert list_shown(browser, ".view") == ["view-once"]
    assert list_shown(browser, ".measure") == ["measure-counted"]


def test_a_table_downloads_as_csv(browser: Browser, page: Path, tmp_path: Path) -> None:
    browser.open(page)
    browser.driver.execute_cdp_cmd(
        "Browser.setDownloadBehavior",
        {"behavior": "allow", "downloadPath": str(tmp_path), "eventsEnabled": False},
    )
    browser.run("document.querySelector('a[download=\"rates-all.csv\"]').click()")
    address = browser.run("return document.querySelector('a[download=\"rates-all.csv\"]').href")
    saved = tmp_path / "rates-all.csv"
    browser.wait_until(saved.is_file)
    content = base64.b64decode(address.partition("base64,")[2])
    assert saved.read_bytes() == content
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert {row["method"] for row in rows} == {"counted", "averaged", "adjusted", "powered"}


def test_the_page_asks_for_nothing_and_complains_of_nothing(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run("document.querySelectorAll('.switches input').forEach((button) => button.click())")
    console, addresses = browser.read_logs()
    assert console == []
    assert {address for address in addresses if not address.startswith("data:")} == {page.as_uri()}


@pytest.mark.parametrize("width", [320, 360, 768])
def test_no_width_needs_scrolling_sideways(browser: Browser, page: Path, width: int) -> None:
    browser.open(page, size=(width, 740))
    browser.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")


def test_dark_mode_follows_the_system(browser: Browser, page: Path) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    browser.open(page)
    light = browser.run(ground)
    browser.open(page, dark=True)
    assert browser.run(ground) != light


@pytest.mark.parametrize(("size", "dark"), [((1280, 900), False), (PHONE, True)])
def test_nothing_shuts_readers_out(browser: Browser, page: Path, *, size: tuple[int, int], dark: bool) -> None:
    browser.open(page, size=size, dark=dark)
    browser.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert browser.find_barriers() == []

"""The evaluation page in a real browser: the explorer by keyboard, filters, narrow screens, no network, no barrier."""

from pathlib import Path

import pytest

from newsacts.report.evaluation_page import render_evaluation
from newsacts.report.page import write_page
from tests.browser.conftest import PHONE, Browser
from tests.unit.test_evaluation_page import make_report

pytestmark = [pytest.mark.browser, pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(tmp_path_factory.mktemp("evaluation") / "evaluation.html", render_evaluation(make_report()))


def read_slider(browser: Browser, number: int) -> list[str]:
    script = "return [...document.querySelectorAll(`.slider[data-label='${arguments[0]}'] dd`)].map(d => d.textContent)"
    return [str(value) for value in browser.run(script, number)]


def test_the_explorer_begins_at_the_stored_threshold_and_follows_the_keys(browser: Browser, page: Path) -> None:
    report = make_report()
    scores, tally = report.scores["labels"]["denial"], report.curves["denial"]["thresholds"]
    browser.open(page)
    precision, recall, f1, count = read_slider(browser, 1)
    assert (precision, recall, f1) == tuple(f"{scores[key]:.3f}" for key in ("precision", "recall", "f1"))
    assert int(count) == tally["positives"][500] + tally["negatives"][500]
    browser.run("document.getElementById('slider-1').focus()")
    browser.press("Home")
    assert int(read_slider(browser, 1)[3]) == 60
    assert read_slider(browser, 1)[1] == "1.000"
    browser.press("End")
    assert int(read_slider(browser, 1)[3]) == tally["positives"][1000] + tally["negatives"][1000]
    assert "threshold 1.000" in browser.run("return document.getElementById('slider-1').getAttribute('aria-valuetext')")
    browser.run("document.querySelector('.slider[data-label=\"1\"] .back').click()")
    assert read_slider(browser, 1)[2] == f1


def test_errors_are_filtered_by_label(browser: Browser, page: Path) -> None:
    browser.open(page)
    count = "return document.querySelectorAll('#error-list > li:not([hidden])').length"
    assert browser.run(count) == 4
    browser.run(
        "const s = document.getElementById('error-label'); s.value = 'regret'; s.dispatchEvent(new Event('change'))"
    )
    assert browser.run(count) == 1


def test_the_page_asks_for_nothing_and_complains_of_nothing(browser: Browser, page: Path) -> None:
    browser.open(page)
    console, addresses = browser.read_logs()
    assert console == []
    assert [address for address in addresses if not address.startswith(("file:", "data:"))] == []
    assert browser.run("return document.querySelectorAll('main img, main script:not([type])').length") == 0


def test_a_narrow_screen_needs_no_sideways_scrolling(browser: Browser, page: Path) -> None:
    browser.open(page, size=PHONE)
    wide = browser.run(
        "return [...document.querySelectorAll('main *')].filter(e => !e.closest('.wide') && "
        "e.getBoundingClientRect().right > window.innerWidth + 1).map(e => e.tagName + '.' + e.className)"
    )
    assert wide == []
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_shuts_readers_out(browser: Browser, page: Path, *, dark: bool) -> None:
    browser.open(page, dark=dark)
    browser.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert browser.find_barriers() == []

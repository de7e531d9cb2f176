"""The article reader in a real browser: keys, filters, themes, narrow screens, no network, no barrier."""

from pathlib import Path

import pytest

from newsacts.explanation import Attribution, Explanation, find_words
from newsacts.records import Article, LabelledSentence, Prediction
from newsacts.report.article import ArticleView, render_articles
from newsacts.report.page import write_page
from newsacts.segmentation import split_sentences
from tests.browser.conftest import PHONE, Browser

pytestmark = [pytest.mark.browser, pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"])]

NAMES = ("accusation", "denial", "regret", "sanction")
THRESHOLDS = dict.fromkeys(NAMES, 0.4)
TEXT = (
    "Mill owner says sorry\n\nThe mayor accused the mill of theft and regretted the delay. Rain fell all day.\r\n"
    'The mill denied it, "<script>document.title = 1</script> & <b>so on</b>". '
    "\u202eRight to left\u202c \U0001f64f.\n\n"
    "The council fined the mill. وزير الميناء اعتذر.\0 The end \u2014 for now.\n"
)
LABELS = (("regret",), ("accusation", "regret"), (), ("denial",), (), ("sanction",), ("regret",), ())


def make_view(text: str = TEXT, *, name: str = "mill.txt", title: str | None = None) -> ArticleView:
    article = Article(name, text, title=title, source='The "Gazette"', date="2026-03-03")
    sentences, explanations = [], {}
    for sentence in split_sentences(text, article_id=name):
        labels = LABELS[sentence.index % len(LABELS)]
        values = dict.fromkeys(NAMES, 0.05) | {label: 0.93 - 0.2 * rank for rank, label in enumerate(labels)}
        sentences.append(LabelledSentence(sentence, Prediction(labels, values)))
        words = tuple(Attribution(start, end, float(end - start)) for start, end in find_words(sentence.text))
        explanations[sentence.index] = Explanation(sentence.text, dict.fromkeys(NAMES, words), "occlusion")
    return ArticleView(article, sentences, THRESHOLDS, explanations)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(tmp_path_factory.mktemp("reader") / "reader.html", render_articles([make_view()]))


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    views = [make_view(), make_view(name="b.txt", title="A title <b>of</b> its own"), make_view(name="c.txt")]
    return write_page(tmp_path_factory.mktemp("reader") / "several.html", render_articles(views))


def find_focus(browser: Browser) -> str:
    return str(browser.run("return document.activeElement.id"))


def test_the_browser_shows_the_text_of_the_article_exactly(browser: Browser, page: Path) -> None:
    browser.open(page)
    shown = browser.run(
        "return document.querySelector('.text > .headline').textContent + document.querySelector('.body').textContent"
    )
    assert shown == TEXT.replace("\0", "\u2400")
    assert browser.run("return document.title") == "mill.txt"
    assert browser.run("return document.querySelectorAll('.story script, .story b').length") == 0


def test_keys_go_from_act_to_act_and_pass_over_other_sentences(browser: Browser, page: Path) -> None:
    browser.open(page)
    acts = browser.run("return [...document.querySelectorAll('.act')].map((act) => act.id)")
    assert len(acts) >= 5
    visited = []
    for key in ["n", "n", "ArrowRight", "n", "p", "ArrowLeft"]:
        browser.press(key)
        visited.append(find_focus(browser))
    assert visited == [acts[0], acts[1], acts[2], acts[3], acts[2], acts[1]]
    assert browser.run("return document.activeElement.matches(':focus-visible')")
    assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert browser.run("return document.getElementById('position').textContent") == f"2 of {len(acts)}"


def test_the_focused_act_tells_every_probability_and_threshold(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert not browser.run("return document.getElementById('note').checkVisibility()")
    browser.press("n", "n")
    note = browser.run("return document.getElementById('note').textContent")
    assert "accusation and regret" in note
    assert all(f" {name}" in note for name in NAMES)
    assert [note.count(sign) for sign in ("≥ 0.40", "< 0.40")] == [2, 2]
    assert "0.93" in note
    assert "0.73" in note
    browser.press("Escape")
    assert not browser.run("return document.getElementById('note').checkVisibility()")


def test_a_tap_shows_the_probabilities_of_a_sentence_without_an_act(browser: Browser, page: Path) -> None:
    browser.open(page, size=PHONE)
    browser.run("document.querySelector('.s:not(.act)').click()")
    assert browser.run("return document.getElementById('note').textContent").startswith("no act")


def test_a_filter_hides_its_label_and_the_keys_pass_over_it(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run("document.querySelector('.filters input[data-for=\"R\"]').click()")
    lines = "return [...document.querySelectorAll('.body .line, .headline .line')]"
    assert browser.run(
        f"{lines}.every((line) => (line.dataset.badge === 'R') === (getComputedStyle(line).backgroundImage === 'none'))"
    )
    shown = browser.run("return [...document.querySelectorAll('.act[tabindex=\"0\"]')].length")
    total = browser.run("return document.querySelectorAll('.act').length")
    assert 0 < shown < total
    browser.press("n")
    assert "accusation" in str(browser.run("return document.activeElement.getAttribute('aria-label')"))
    browser.run("document.querySelector('.filters input[data-for=\"R\"]').click()")
    assert browser.run("return [...document.querySelectorAll('.act[tabindex=\"0\"]')].length") == total


def test_dark_mode_follows_the_system_and_the_button(browser: Browser, page: Path) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    browser.open(page)
    light = browser.run(ground)
    browser.open(page, dark=True)
    dark = browser.run(ground)
    assert light != dark
    browser.run("document.getElementById('theme').click()")
    assert browser.run(ground) == light
    assert browser.run("return document.getElementById('theme').getAttribute('aria-pressed')") == "false"


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_no_width_needs_scrolling_sideways(browser: Browser, several: Path, width: int) -> None:
    browser.open(several, size=(width, 740))
    browser.press("n")
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")


def test_a_page_makes_no_request_and_no_complaint(browser: Browser, several: Path) -> None:
    browser.open(several)
    browser.press("n", "n", "p", "Escape")
    browser.run("document.querySelector('.filters input').click()")
    console, requests = browser.read_logs()
    assert console == []
    assert {request for request in requests if not request.startswith("data:")} == {several.as_uri()}


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [(1280, 900), PHONE])
def test_axe_finds_no_serious_barrier(browser: Browser, several: Path, *, size: tuple[int, int], dark: bool) -> None:
    browser.open(several, size=size, dark=dark)
    browser.press("n")
    assert browser.find_barriers() == []


def test_on_paper_the_probability_stands_in_the_badge(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.emulate_print()
    line = "getComputedStyle(document.querySelector('.body .line'), '::before').content"
    assert browser.run(f"return {line}") == '"A 0.93"'
    assert browser.run("return getComputedStyle(document.querySelector('.strip')).display") == "none"


def test_without_scripts_the_page_reads_and_tells_by_tooltip(browser: Browser, page: Path) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(page)
        document = browser.driver.execute_cdp_cmd("DOM.getDocument", {"depth": -1})
        node = browser.driver.execute_cdp_cmd(
            "DOM.querySelector", {"nodeId": document["root"]["nodeId"], "selector": ".act"}
        )
        html = browser.driver.execute_cdp_cmd("DOM.getOuterHTML", {"nodeId": node["nodeId"]})["outerHTML"]
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert "accusation 0.05 · denial 0.05 · regret 0.93 · sanction 0.05" in html

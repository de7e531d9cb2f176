"""The frame of every page: label looks that can be told apart, escaping, the lock on the network, whole writes."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from newsacts.errors import UsageError
from newsacts.labels import DEFAULT_SCHEME
from newsacts.report.page import LABEL_STYLES, TEMPLATES, escape_exactly, render_page, style_labels, write_page

PAPER, RAISED, DARK_PAPER, DARK_RAISED = "#fcfbf8", "#ffffff", "#161614", "#201f1d"


class PageReader(HTMLParser):
    """Names of the tags and text of a page, as a browser's parser would find them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def measure_contrast(one: str, other: str) -> float:
    """Contrast of two colours by WCAG 2, 1 to 21."""

    def measure_light(color: str) -> float:
        parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted([measure_light(one), measure_light(other)])
    return (light + 0.05) / (dark + 0.05)


def test_inks_can_be_read_on_both_papers() -> None:
    sheet = (TEMPLATES / "page.css").read_text()
    for color in (PAPER, RAISED, DARK_PAPER, DARK_RAISED):
        assert color in sheet
    for style in LABEL_STYLES:
        assert min(measure_contrast(style.ink, paper) for paper in (PAPER, RAISED)) >= 4.5, style
        assert min(measure_contrast(style.dark_ink, paper) for paper in (DARK_PAPER, DARK_RAISED)) >= 4.5, style


def test_the_four_acts_differ_in_line_and_badge_and_not_in_colour_alone() -> None:
    looks = style_labels(DEFAULT_SCHEME.names)
    assert [look.slot for look in looks.values()] == [0, 1, 2, 3]
    assert len({LABEL_STYLES[look.slot].line for look in looks.values()}) == 4
    assert [look.badge for look in looks.values()] == ["A", "D", "R", "S"]


def test_an_act_keeps_its_look_in_a_scheme_with_other_labels() -> None:
    looks = style_labels(("threat", "sanction", "thanks"))
    assert looks["sanction"].slot == 3
    assert [looks["threat"].slot, looks["thanks"].slot] == [0, 1]


@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=40, unique=True))
def test_badges_of_any_scheme_differ_and_slots_exist(names: list[str]) -> None:
    looks = style_labels(names)
    assert list(looks) == names
    assert len({look.badge for look in looks.values()}) == len(names)
    assert all(0 <= look.slot < len(LABEL_STYLES) for look in looks.values())


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_escaped_text_reads_back_as_it_was(text: str) -> None:
    page = PageReader(f"<p>{escape_exactly(text)}</p>")
    assert page.text == text.replace("\0", "\u2400")
    assert page.tags == ["p"]


def test_a_title_cannot_leave_its_place() -> None:
    page = PageReader(render_page("base.html.j2", title="</title><script>alert(1)</script>"))
    assert page.tags.count("script") == render_page("base.html.j2", title="x").count("<script>")


def test_a_page_names_no_address_and_allows_only_its_own_scripts() -> None:
    html = render_page("base.html.j2", title="x")
    policy = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)[0]
    assert "default-src &#39;none&#39;" in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]
    assert policy.count("sha256-") == html.count("<script>")
    assert not re.findall(r"https?://", html)


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="title"):
        render_page("base.html.j2")


def test_a_page_is_written_whole_and_over_an_older_one(tmp_path: Path) -> None:
    target = tmp_path / "new" / "page.html"
    assert write_page(target, "old") == target
    write_page(target, "\u00fc\U0001f64f")
    assert target.read_text(encoding="utf-8") == "\u00fc\U0001f64f"
    assert [path.name for path in target.parent.iterdir()] == ["page.html"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"page\.html: cannot be written"):
        write_page(tmp_path / "file" / "page.html", "x")


def test_half_of_a_surrogate_pair_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="character 1"):
        write_page(tmp_path / "page.html", "a\ud83d")
    assert list(tmp_path.iterdir()) == []

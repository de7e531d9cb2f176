"""The article reader: the text is kept to the character, whatever is in it, and the marks are where they belong."""

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsacts.errors import UsageError
from newsacts.explanation import Attribution, Explanation, find_words
from newsacts.records import Article, LabelledSentence, Prediction, Sentence
from newsacts.report.article import ArticleView, render_article, render_articles, show, show_predictions
from newsacts.report.article_layout import measure_strength
from newsacts.report.explanations import ExplainedText, render_explanations
from newsacts.segmentation import split_sentences

NAMES = ("accusation", "denial", "regret", "sanction")
THRESHOLDS = dict.fromkeys(NAMES, 0.4)
NASTY = [
    "<script>alert(1)</script>",
    '"',
    "'",
    "&amp;",
    "\u202e",
    "\u200f",
    "\U0001f64f",
    "\r\n",
    "\n\n",
    "\0",
    ". ",
    "</p>",
]
PLAIN = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
TEXTS = st.lists(st.one_of(st.sampled_from(NASTY), PLAIN), max_size=12).map("".join)
VOID = {"meta", "link", "input", "br"}


class Element:
    """A tag with its attributes and the text in it."""

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag, self.attributes, self.text = tag, attributes, ""

    def has_class(self, name: str) -> bool:
        return name in self.attributes.get("class", "").split()


class PageReader(HTMLParser):
    """Every element of a page, in order, each with its text content."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def find(self, name: str) -> list[Element]:
        return [element for element in self.elements if element.has_class(name)]


def label_sentences(article: Article) -> list[LabelledSentence]:
    """Labels in turn: none, one, two."""
    labelled = []
    for sentence in split_sentences(article.text, article_id=article.id):
        labels = (("denial",), (), ("accusation", "regret"))[sentence.index % 3]
        values = dict.fromkeys(NAMES, 0.1) | dict.fromkeys(labels, 0.8)
        labelled.append(LabelledSentence(sentence, Prediction(labels, values)))
    return labelled


def explain_all(sentences: list[LabelledSentence]) -> dict[int, Explanation]:
    explanations = {}
    for labelled in sentences:
        text = labelled.sentence.text
        words = tuple(Attribution(start, end, float(end - start)) for start, end in find_words(text))
        explanations[labelled.sentence.index] = Explanation(text, dict.fromkeys(NAMES, words), "occlusion")
    return explanations


@given(TEXTS, TEXTS, st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_text_is_shown_as_it_is_and_brings_no_tag_in(text: str, title: str, explained: bool) -> None:
    article = Article("id <b>", text, title=title or None, source=title, date=title)
    sentences = label_sentences(article)
    explanations = explain_all(sentences) if explained else {}
    page = PageReader(render_article(article, sentences, thresholds=THRESHOLDS, explanations=explanations))
    headline, (body,) = page.find("headline")[0], page.find("body")
    shown = body.text if title or headline.has_class("file") else headline.text + body.text
    assert shown == text.replace("\0", "\u2400")
    if title:
        assert headline.text == title.replace("\0", "\u2400")
    assert [element.text for element in page.find("s")] == [
        one.sentence.text.replace("\0", "\u2400") for one in sentences
    ]
    assert [element.tag for element in page.elements].count("script") == 3
    assert not {"b", "img", "iframe"} & {element.tag for element in page.elements}


def test_a_sentence_with_two_labels_shows_both_and_a_sentence_without_none() -> None:
    article = Article("a", "It denied it. Rain fell. It accused us and was sorry.")
    page = PageReader(render_article(article, label_sentences(article), thresholds=THRESHOLDS))
    acts = page.find("act")
    assert [act.text for act in acts] == ["It denied it.", "It accused us and was sorry."]
    assert acts[1].attributes["aria-label"] == "accusation 0.80, regret 0.80"
    body = [element.attributes["data-badge"] for element in page.find("line") if "data-note" in element.attributes]
    assert body == ["D", "A", "R"]
    assert all(act.attributes["tabindex"] == "0" for act in acts)
    assert page.find("s")[1].attributes["title"].startswith("accusation 0.10 · denial 0.10")


def test_the_words_that_mattered_are_marked_where_they_stand() -> None:
    article = Article("a", "It flatly denied it.")
    explanation = Explanation(
        article.text,
        {
            "denial": (
                Attribution(0, 2, -3.0),
                Attribution(3, 9, 1.5),
                Attribution(10, 16, 5.0),
                Attribution(17, 19, 1.0),
            )
        },
        "occlusion",
    )
    page = PageReader(
        render_article(article, label_sentences(article), thresholds=THRESHOLDS, explanations={0: explanation})
    )
    assert [cue.text for cue in page.find("cue") if "data-for" in cue.attributes] == ["flatly", "denied"]


def test_a_first_line_without_a_full_stop_becomes_the_headline() -> None:
    article = Article("a.txt", "Mill denies theft\n\nThe mill denied it.\n")
    page = PageReader(render_article(article, label_sentences(article), thresholds=THRESHOLDS))
    assert [(element.tag, element.text) for element in page.find("headline")] == [("h1", "Mill denies theft")]
    plain = Article("a.txt", "The mill denied it.\n\nRain fell.\n")
    page = PageReader(render_article(plain, label_sentences(plain), thresholds=THRESHOLDS))
    assert [element.text for element in page.find("headline")] == ["a.txt"]


def test_strength_grows_from_the_threshold_to_certainty() -> None:
    assert measure_strength(0.4, 0.4) == 0
    assert measure_strength(1.0, 0.4) == 1
    assert measure_strength(0.7, 0.4) == pytest.approx(0.5)
    assert measure_strength(0.2, 0.4) == 0
    assert measure_strength(1.0, 1.0) == 1


def test_several_articles_have_contents_and_counts_of_their_own() -> None:
    articles = [Article("a.txt", "It denied it."), Article("b.txt", "It denied it. Rain fell. It accused us.")]
    views = [ArticleView(one, label_sentences(one), THRESHOLDS) for one in articles]
    page = PageReader(render_articles(views))
    assert [element.text for element in page.find("set")] == ["2 articles"]
    links = [element for element in page.elements if element.attributes.get("href", "").startswith("#article-")]
    assert [link.text for link in links] == ["a.txt", "b.txt"]
    anchors = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(anchors) == len(set(anchors))
    assert [element.text for element in page.find("count")] == ["1", "2", "1", "0"]


def test_labels_that_exclude_each_other_need_no_threshold() -> None:
    article = Article("a", "Fine.")
    prediction = Prediction(("good",), {"good": 0.9, "bad": 0.1})
    sentences = [LabelledSentence(Sentence("a", 0, 0, 5, "Fine."), prediction)]
    html = render_article(article, sentences, thresholds={})
    assert '"threshold": null' in html


@pytest.mark.parametrize(
    ("start", "end", "text"), [(0, 2, "No"), (3, 6, "den"), (0, 99, "It denied it.")], ids=["text", "place", "end"]
)
def test_sentences_of_another_text_are_refused(start: int, end: int, text: str) -> None:
    prediction = Prediction((), dict.fromkeys(NAMES, 0.1))
    sentence = LabelledSentence(Sentence("a", 0, start, end, text), prediction)
    overlapping = LabelledSentence(Sentence("a", 1, 0, 5, "It de"), prediction)
    with pytest.raises(UsageError, match="does not fit article 'a'"):
        render_article(Article("a", "It denied it."), [sentence, overlapping], thresholds=THRESHOLDS)


def test_no_article_mixed_models_and_foreign_explanations_are_refused() -> None:
    article = Article("a", "It denied it.")
    sentences = label_sentences(article)
    with pytest.raises(UsageError, match="at least one article"):
        render_articles([])
    other = [LabelledSentence(sentences[0].sentence, Prediction((), {"good": 0.1, "bad": 0.2}))]
    with pytest.raises(UsageError, match="different labels"):
        render_articles([ArticleView(article, sentences, THRESHOLDS), ArticleView(article, other, {})])
    with pytest.raises(UsageError, match="different thresholds"):
        render_articles([ArticleView(article, sentences, one) for one in (THRESHOLDS, THRESHOLDS | {"denial": 0.5})])
    with pytest.raises(UsageError, match="explanation of 'other'"):
        render_article(
            article, sentences, thresholds=THRESHOLDS, explanations={0: Explanation("other", {}, "occlusion")}
        )


def test_a_notebook_gets_the_reader_in_a_frame_of_its_own() -> None:
    article = Article('a"><script>', 'It "denied" it.')
    html = show(article, label_sentences(article), thresholds=THRESHOLDS)._repr_html_()
    frame = PageReader(html).elements
    assert [element.tag for element in frame] == ["iframe"]
    assert frame[0].attributes["sandbox"] == "allow-scripts"
    inside = PageReader(frame[0].attributes["srcdoc"])
    assert [element.text for element in inside.find("act")] == ['It "denied" it.']


def test_predictions_are_shown_a_paragraph_a_text() -> None:
    texts = ["It denied it.", "Rain fell.\nAll day."]
    values = dict.fromkeys(NAMES, 0.1)
    view = show_predictions(texts, [Prediction(("denial",), values), Prediction((), values)], thresholds=THRESHOLDS)
    assert [one.sentence.text for one in view.sentences] == texts
    page = PageReader(render_articles([view]))
    assert [element.text for element in page.find("s")] == texts
    with pytest.raises(UsageError, match="got 1 for 2 texts"):
        show_predictions(texts, [Prediction((), values)], thresholds=THRESHOLDS)


@given(TEXTS)
@settings(max_examples=40, deadline=None)
def test_the_page_of_explanations_shows_any_text_as_it_is(text: str) -> None:
    words = tuple(Attribution(start, end, start - 3.0) for start, end in find_words(text))
    prediction = Prediction((), dict.fromkeys(NAMES, 0.1))
    item = ExplainedText(Explanation(text, {"denial": words}, "occlusion"), prediction, ("denial",))
    page = PageReader(render_explanations([item]))
    assert [element.text for element in page.find("sentence")] == [text.replace("\0", "\u2400")]
    assert [element.text for element in page.find("word")] == [
        text[start:end].replace("\0", "\u2400") for start, end in find_words(text)
    ]

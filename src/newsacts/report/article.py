"""The article reader: articles as a reader sees them, their acts marked, in one HTML file or in a notebook.

    from newsacts.report.article import render_article, show

    sentences = classifier.classify_article(article)
    html = render_article(article, sentences, thresholds=classifier.thresholds)
    show(article, sentences, thresholds=classifier.thresholds)      # at the end of a notebook cell

The text content of the page is the text of the article, character for character.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import escape

from newsacts.classifier import Classifier
from newsacts.errors import UsageError
from newsacts.explanation import Explanation
from newsacts.records import Article, LabelledSentence, Prediction, Sentence
from newsacts.report.article_layout import Block, lay_out
from newsacts.report.page import LabelLook, render_page, style_labels

FRAME_HEIGHT = 560
"""Pixels of the reader in a notebook."""


@dataclass(frozen=True, slots=True)
class ArticleView:
    """An article with what was found in it. Shown by notebooks; `thresholds` is empty for exclusive labels.

    `explanations` are kept by sentence index; sentences without one are shown without marked words.
    """

    article: Article
    sentences: Sequence[LabelledSentence]
    thresholds: Mapping[str, float]
    explanations: Mapping[int, Explanation] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        """The whole reader in a frame of its own, so that neither its style nor its script touches the notebook."""
        page = render_articles([self])
        return (
            f'<iframe srcdoc="{escape(page)}" sandbox="allow-scripts" title="{escape(_name_article(self.article))}" '
            f'style="width: 100%; height: {FRAME_HEIGHT}px; border: 1px solid #8888; border-radius: 6px"></iframe>'
        )


@dataclass(frozen=True, slots=True)
class _ShownArticle:
    article: Article
    blocks: Sequence[Block]
    headline: Block | None
    counts: Mapping[str, int]
    acts: int
    sentences: int


def render_article(
    article: Article,
    sentences: Sequence[LabelledSentence],
    *,
    thresholds: Mapping[str, float],
    explanations: Mapping[int, Explanation] | None = None,
) -> str:
    """One article as a self-contained page; see `ArticleView` for the values. Raises `UsageError`."""
    return render_articles([ArticleView(article, sentences, thresholds, explanations or {})])


def render_articles(views: Sequence[ArticleView]) -> str:
    """Articles of one label scheme as one page, with a list of contents where there are several.

    Raises `UsageError` for no article, for sentences that are not of their article, for mixed schemes or thresholds.
    """
    if not views:
        raise UsageError("expected at least one article to show, got none")
    names = _find_scheme(views)
    looks = style_labels(names)
    shown = [_show_article(view, looks) for view in views]
    thresholds = views[0].thresholds
    return render_page(
        "article.html.j2",
        title=_name_article(views[0].article) if len(views) == 1 else f"{len(views)} articles",
        articles=shown,
        looks=list(looks.values()),
        counts={name: sum(one.counts[name] for one in shown) for name in names},
        acts=sum(one.acts for one in shown),
        sentences=sum(one.sentences for one in shown),
        explained=any(view.explanations for view in views),
        reader_data=[
            {"name": look.name, "slot": look.slot, "badge": look.badge, "threshold": thresholds.get(look.name)}
            for look in looks.values()
        ],
    )


def show(
    article: Article,
    sentences: Sequence[LabelledSentence],
    *,
    thresholds: Mapping[str, float],
    explanations: Mapping[int, Explanation] | None = None,
) -> ArticleView:
    """What `Classifier.classify_article` gave, as a value that a notebook displays as the reader."""
    return ArticleView(article, sentences, thresholds, explanations or {})


def show_predictions(
    texts: Sequence[str], predictions: Sequence[Prediction], *, thresholds: Mapping[str, float]
) -> ArticleView:
    """What `Classifier.predict` gave, as a value that a notebook displays: a paragraph for every text."""
    if len(texts) != len(predictions):
        raise UsageError(f"expected one prediction a text, got {len(predictions)} for {len(texts)} texts")
    sentences = []
    start = 0
    for index, (text, prediction) in enumerate(zip(texts, predictions, strict=True)):
        sentences.append(LabelledSentence(Sentence("texts", index, start, start + len(text), text), prediction))
        start += len(text) + 2
    article = Article(id="texts", text="\n\n".join(texts), title=f"{len(texts)} texts")
    return ArticleView(article, sentences, thresholds)


def explain_acts(classifier: Classifier, sentences: Sequence[LabelledSentence]) -> dict[int, Explanation]:
    """Explanations, by sentence index, of the sentences that carry a label; the others cost nothing."""
    acts = [labelled.sentence for labelled in sentences if labelled.prediction.labels]
    explanations = classifier.explain([sentence.text for sentence in acts])
    return {sentence.index: explanation for sentence, explanation in zip(acts, explanations, strict=True)}


def _find_scheme(views: Sequence[ArticleView]) -> tuple[str, ...]:
    """The labels in scheme order, which every prediction holds; of articles without sentences, the thresholds."""
    schemes = {tuple(labelled.prediction.probabilities): None for view in views for labelled in view.sentences}
    if len(schemes) > 1:
        raise UsageError(f"the sentences come from models with different labels: {' and '.join(map(str, schemes))}")
    if any(view.thresholds != views[0].thresholds for view in views):
        raise UsageError("the articles were labelled by different thresholds; render a page for each")
    return next(iter(schemes), tuple(views[0].thresholds))


def _show_article(view: ArticleView, looks: Mapping[str, LabelLook]) -> _ShownArticle:
    blocks = lay_out(
        view.article, view.sentences, looks=looks, thresholds=view.thresholds, explanations=view.explanations
    )
    counts = Counter(name for labelled in view.sentences for name in labelled.prediction.labels)
    headline = blocks[0] if blocks and blocks[0].headline else None
    return _ShownArticle(
        article=view.article,
        blocks=blocks[1:] if headline else blocks,
        headline=headline,
        counts={name: counts[name] for name in looks},
        acts=sum(bool(labelled.prediction.labels) for labelled in view.sentences),
        sentences=len(view.sentences),
    )


def _name_article(article: Article) -> str:
    return article.title or article.id or "Article"

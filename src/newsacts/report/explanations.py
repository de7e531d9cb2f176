"""The page of `newsacts explain`: sentences with every word tinted by what it adds to a label."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from newsacts.errors import UsageError
from newsacts.explanation import Attribution, Explanation
from newsacts.records import Prediction
from newsacts.report.page import LabelLook, render_page, style_labels

WORDS_LISTED = 8


@dataclass(frozen=True, slots=True)
class ExplainedText:
    """A text, what was predicted of it, and the labels to show the words of."""

    explanation: Explanation
    prediction: Prediction
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    text: str
    weight: float | None
    share: float


@dataclass(frozen=True, slots=True)
class _Panel:
    look: LabelLook
    probability: float
    applies: bool
    parts: tuple[_Part, ...]
    listed: tuple[_Part, ...]


def render_explanations(items: Sequence[ExplainedText]) -> str:
    """One page for texts that one model explained, in order. Raises `UsageError` for no text."""
    if not items:
        raise UsageError("expected at least one explained text, got none")
    looks = style_labels(tuple(items[0].prediction.probabilities))
    return render_page(
        "explanations.html.j2",
        title="Words that carried the label",
        method=items[0].explanation.method,
        texts=[[_make_panel(item, looks[name]) for name in item.labels] for item in items],
    )


def _make_panel(item: ExplainedText, look: LabelLook) -> _Panel:
    words = item.explanation.attributions[look.name]
    largest = max((abs(word.weight) for word in words), default=0.0) or 1.0
    parts = tuple(_cut_parts(item.explanation.text, words, largest))
    weighed = [part for part in parts if part.weight is not None]
    listed = tuple(sorted(weighed, key=lambda part: -part.share)[:WORDS_LISTED])
    applies = look.name in item.prediction.labels
    return _Panel(look, item.prediction.probabilities[look.name], applies, parts, listed)


def _cut_parts(text: str, words: Sequence[Attribution], largest: float) -> Iterator[_Part]:
    reached = 0
    for word in words:
        if word.start > reached:
            yield _Part(text[reached : word.start], None, 0.0)
        yield _Part(text[word.start : word.end], word.weight, abs(word.weight) / largest)
        reached = word.end
    if reached < len(text):
        yield _Part(text[reached:], None, 0.0)

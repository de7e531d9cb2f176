"""An article as pieces that a template can print: blocks of the text, sentences in them, words that mattered.

The pieces put together are the text, character for character. Pure functions on values; no HTML here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from newsacts.errors import UsageError
from newsacts.explanation import Explanation
from newsacts.records import Article, LabelledSentence, Prediction
from newsacts.report.page import LabelLook

CUES_SHOWN = 5
"""Words a label that are shown as having mattered, at most..."""
CUE_SHARE = 0.25
"""...and those that weigh at least this share of the strongest."""
LONGEST_HEADLINE = 160

_PARAGRAPH_BREAK = re.compile(r"(\n\s*\n\s*|\u2029\s*)")


@dataclass(frozen=True, slots=True)
class ShownLabel:
    """A label that applies: `strength` runs from 0 at the threshold to 1 at certainty."""

    look: LabelLook
    probability: float
    strength: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """Text of a sentence; `cue` is the look of the label that it mattered for."""

    text: str
    cue: LabelLook | None = None


@dataclass(frozen=True, slots=True)
class ShownSentence:
    """A sentence with all that the page says of it."""

    number: int
    labels: tuple[ShownLabel, ...]
    probabilities: Mapping[str, float]
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph or the headline: sentences and the text between them. `after` is the white space behind it."""

    pieces: tuple[ShownSentence | str, ...]
    after: str = ""
    headline: bool = False


def lay_out(
    article: Article,
    sentences: Sequence[LabelledSentence],
    *,
    looks: Mapping[str, LabelLook],
    thresholds: Mapping[str, float],
    explanations: Mapping[int, Explanation],
) -> list[Block]:
    """The blocks of an article in order. Raises `UsageError` where sentences do not fit the text."""
    blocks: list[Block] = []
    pieces: list[ShownSentence | str] = []
    for piece in _cut_text(article, sentences):
        if isinstance(piece, LabelledSentence):
            explanation = explanations.get(piece.sentence.index)
            pieces.append(_show_sentence(piece, looks, thresholds, explanation))
            continue
        for number, part in enumerate(_PARAGRAPH_BREAK.split(piece)):
            if number % 2:
                blocks.append(Block(tuple(pieces), after=part))
                pieces = []
            elif part:
                pieces.append(part)
    if pieces:
        blocks.append(Block(tuple(pieces)))
    return _find_headline(blocks) if article.title is None else blocks


def measure_strength(probability: float, threshold: float) -> float:
    """How far a probability is from its threshold to certainty, 0 to 1."""
    return min(1.0, max(0.0, (probability - threshold) / (1 - threshold))) if threshold < 1 else 1.0


def _cut_text(article: Article, sentences: Sequence[LabelledSentence]) -> Iterator[LabelledSentence | str]:
    place = 0
    for labelled in sorted(sentences, key=lambda one: one.sentence.start):
        sentence = labelled.sentence
        if sentence.start < place or article.text[sentence.start : sentence.end] != sentence.text:
            raise UsageError(
                f"sentence {sentence.index} does not fit article {article.id!r}: expected its text at characters "
                f"{sentence.start} to {sentence.end}, behind the sentence before; pass the sentences that "
                "classify_article made of this very article"
            )
        if sentence.start > place:
            yield article.text[place : sentence.start]
        yield labelled
        place = sentence.end
    if place < len(article.text):
        yield article.text[place:]


def _show_sentence(
    labelled: LabelledSentence,
    looks: Mapping[str, LabelLook],
    thresholds: Mapping[str, float],
    explanation: Explanation | None,
) -> ShownSentence:
    prediction = labelled.prediction
    labels = tuple(
        ShownLabel(looks[name], value, measure_strength(value, thresholds.get(name, 0.0)))
        for name, value in ((name, prediction.probabilities[name]) for name in prediction.labels)
    )
    stretches = _mark_cues(labelled.sentence.text, prediction, looks, explanation)
    return ShownSentence(labelled.sentence.index, labels, prediction.probabilities, stretches)


def _mark_cues(
    text: str, prediction: Prediction, looks: Mapping[str, LabelLook], explanation: Explanation | None
) -> tuple[Stretch, ...]:
    if explanation is None:
        return (Stretch(text),)
    if explanation.text != text:
        raise UsageError(f"an explanation of {explanation.text[:60]!r} was given for the sentence {text[:60]!r}")
    strongest: dict[tuple[int, int], tuple[float, str]] = {}
    for name in prediction.labels:
        ranked = explanation.rank_words(name, count=CUES_SHOWN) if name in explanation.attributions else []
        for word in ranked:
            place = (word.start, word.end)
            if word.weight >= CUE_SHARE * ranked[0].weight and word.weight > strongest.get(place, (0.0, ""))[0]:
                strongest[place] = (word.weight, name)
    stretches: list[Stretch] = []
    reached = 0
    for (start, end), (_, name) in sorted(strongest.items()):
        stretches += [Stretch(text[reached:start]), Stretch(text[start:end], looks[name])]
        reached = end
    return tuple(stretch for stretch in [*stretches, Stretch(text[reached:])] if stretch.text)


def _find_headline(blocks: list[Block]) -> list[Block]:
    """Plain text has no title, but often begins with one: a short first block without a full stop, before others."""
    if len(blocks) < 2:  # noqa: PLR2004 - a headline has a text below it
        return blocks
    text = "".join(
        piece if isinstance(piece, str) else "".join(stretch.text for stretch in piece.stretches)
        for piece in blocks[0].pieces
    ).strip()
    if not text or len(text) > LONGEST_HEADLINE or "\n" in text or text.endswith((".", ":", ";", ",")):
        return blocks
    return [Block(blocks[0].pieces, blocks[0].after, headline=True), *blocks[1:]]

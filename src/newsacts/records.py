"""The values that flow through newsacts: articles, sentences, labelled examples and predictions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from newsacts.labels import NO_LABEL


@dataclass(frozen=True, slots=True)
class Article:
    """One document. `extra` carries columns that the library passes through and does not read."""

    id: str
    text: str
    title: str | None = None
    date: str | None = None
    source: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of an article: `article.text[start:end] == text`, offsets in Python characters."""

    article_id: str
    index: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled sentence. `group` names the article it comes from, so that splits never cut one.

    `extra` carries columns that were asked for (an outlet, a stratum); examples with other extras are not equal,
    and the hash leaves them out.
    """

    id: str
    text: str
    labels: tuple[str, ...]
    group: str
    split: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a classifier says of one sentence.

    `labels` stand in order of probability, strongest first; `primary` is the first of them, or "none".
    `probabilities` are calibrated and hold every label of the scheme, in scheme order. With a cascade, `stage` is
    "full", or "first" for a sentence that was discarded: it has no label, and its probabilities are estimates.
    """

    labels: tuple[str, ...]
    probabilities: Mapping[str, float]
    stage: str | None = None

    @property
    def primary(self) -> str:
        """The strongest label, or "none" where no label applies."""
        return self.labels[0] if self.labels else NO_LABEL


@dataclass(frozen=True, slots=True)
class LabelledSentence:
    """A sentence of an article with its prediction."""

    sentence: Sentence
    prediction: Prediction

"""The values of an explanation, and what every method needs of a model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from newsacts.calibration import Calibration, FloatArray
from newsacts.labels import LabelScheme


@dataclass(frozen=True, slots=True)
class Attribution:
    """A word, `text[start:end]` in Python characters, and what it adds to the calibrated log-odds of a label.

    Above zero it speaks for the label, below zero against it; 0.7 about doubles the odds.
    """

    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """The words of one text, weighed for each label that was asked for, in order of the text."""

    text: str
    attributions: Mapping[str, tuple[Attribution, ...]]
    method: str

    def rank_words(self, label: str, *, count: int) -> list[Attribution]:
        """At most `count` words that speak for `label`, strongest first; of equals, the earlier."""
        supporting = [word for word in self.attributions[label] if word.weight > 0]
        return sorted(supporting, key=lambda word: (-word.weight, word.start))[:count]


class Scorer(Protocol):
    """What occlusion needs of a classifier."""

    @property
    def scheme(self) -> LabelScheme:
        """The labels, in column order."""
        ...

    @property
    def calibration(self) -> Calibration:
        """From logits to probabilities."""
        ...

    def predict_logits(self, texts: Iterable[str]) -> FloatArray:
        """Logits before calibration, float32 (n, k)."""
        ...


def choose_labels(labels: Iterable[str] | None, scheme: LabelScheme) -> tuple[str, ...]:
    """The labels to explain: all for None. Raises `UsageError` for an unknown one."""
    chosen = scheme.names if labels is None else tuple(dict.fromkeys(labels))
    for name in chosen:
        scheme.index(name)
    return chosen

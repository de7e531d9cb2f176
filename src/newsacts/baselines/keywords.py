"""The keyword classifier: what a careful list of cue words can do, shipped so that anybody sees what a model adds."""

import re
from collections.abc import Iterable, Mapping

import numpy as np

from newsacts.baselines.keyword_rules import KEYWORD_RULES, KeywordRule
from newsacts.calibration import BoolArray, FloatArray
from newsacts.errors import UsageError
from newsacts.labels import DEFAULT_SCHEME, LabelScheme
from newsacts.records import Prediction

_BLANK = " … "
"""Where a voided stretch stood: no word, so that no pattern reaches across it by accident of adjacency."""


class KeywordClassifier:
    """Labels sentences by cue words. The same calls as `Classifier`; its probabilities are 0 or 1, no estimates.

    `rules` maps every label of `scheme` to its patterns; the default are the four acts of the codebook, English only.
    Raises `UsageError` for a label without a rule, and for a pattern that is no regular expression.
    """

    def __init__(self, rules: Mapping[str, KeywordRule] = KEYWORD_RULES, scheme: LabelScheme = DEFAULT_SCHEME) -> None:
        if missing := [name for name in scheme.names if name not in rules]:
            raise UsageError(f"there are no keyword rules for {', '.join(missing)}; give a KeywordRule for each label")
        self.scheme = scheme
        self._found = [_join(rules[name].found) for name in scheme.names]
        self._voided = [_join(rules[name].voided) for name in scheme.names]

    def predict(self, texts: Iterable[str]) -> list[Prediction]:
        """One prediction a text, in order; labels in the order of the scheme, since no label is stronger."""
        return [
            Prediction(
                labels=tuple(name for name, value in zip(self.scheme.names, row, strict=True) if value),
                probabilities=dict(zip(self.scheme.names, row, strict=True)),
            )
            for row in self.predict_proba(texts).tolist()
        ]

    def predict_proba(self, texts: Iterable[str]) -> FloatArray:
        """1.0 where a label's words were found, else 0.0: float32 (n, k) in scheme order."""
        return self.decide(texts).astype(np.float32)

    def decide(self, texts: Iterable[str]) -> BoolArray:
        """Which labels' words were found, bool (n, k)."""
        if isinstance(texts, str):
            raise UsageError("expected a list of texts, got one str; write predict([text])")
        rows = [self._match(" ".join(text.lower().replace("’", "'").split())) for text in texts]
        return np.asarray(rows, dtype=np.bool_).reshape(len(rows), len(self.scheme))

    def _match(self, text: str) -> list[bool]:
        return [
            found is not None and found.search(text if voided is None else voided.sub(_BLANK, text)) is not None
            for found, voided in zip(self._found, self._voided, strict=True)
        ]


def _join(patterns: Iterable[str]) -> re.Pattern[str] | None:
    parts = [f"(?:{pattern})" for pattern in patterns]
    try:
        return re.compile("|".join(parts)) if parts else None
    except re.error as error:
        raise UsageError(f"a keyword pattern is no regular expression: {error}") from error

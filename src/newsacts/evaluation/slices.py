"""The same scores on parts of the data: by length, by register, and by any column that the rows carry."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from newsacts.evaluation.score import Judged, score_predictions
from newsacts.labels import LabelScheme
from newsacts.records import Example
from newsacts.segmentation.register import detect_register

BUILT_IN = ("length", "register")
"""Slices that need no column. A column of such a name is not looked at."""

MOST_PARTS = 100
LENGTHS = ((10, "1 to 10 words"), (20, "11 to 20 words"), (30, "21 to 30 words"), (45, "31 to 45 words"))
_LONGEST = "46 words or more"
_NOTHING = "(empty)"


def score_slices(
    judged: Judged, examples: Sequence[Example], scheme: LabelScheme, names: Iterable[str]
) -> dict[str, Any]:
    """By name of a slice: {"parts": {value: scores}, "left_out": how many values were too many}.

    A part has "sentences", "articles", "micro_f1" and "macro_f1" with intervals, and by label "support", "predicted",
    "f1", "mean_probability" and "observed". Of more than 100 values the most frequent are kept.
    """
    return {name: _score_slice(judged, examples, scheme, name) for name in dict.fromkeys(names)}


def find_length_band(text: str) -> str:
    """The band of a text by its number of words (stretches without white space)."""
    words = len(text.split())
    return next((name for longest, name in LENGTHS if words <= longest), _LONGEST)


def _score_slice(judged: Judged, examples: Sequence[Example], scheme: LabelScheme, name: str) -> dict[str, Any]:
    values = [_read_value(example, name) for example in examples]
    counted = Counter(values)
    kept = [value for value, _ in counted.most_common(MOST_PARTS)]
    if name == "length":
        order = [band for _, band in LENGTHS] + [_LONGEST]
        kept.sort(key=order.index)
    array = np.asarray(values, dtype=object)
    parts = {value: _score_part(_take(judged, np.flatnonzero(array == value)), scheme) for value in kept}
    return {"parts": parts, "left_out": len(counted) - len(kept)}


def _read_value(example: Example, name: str) -> str:
    if name == "length":
        return find_length_band(example.text)
    if name == "register":
        return detect_register(example.text).name.lower()
    value = example.extra[name]
    return _NOTHING if value is None or value == "" else str(value)


def _take(judged: Judged, rows: Any) -> Judged:
    groups = [judged.groups[row] for row in rows]
    return Judged(judged.truth[rows], judged.probabilities[rows], judged.decided[rows], groups)


def _score_part(judged: Judged, scheme: LabelScheme) -> dict[str, Any]:
    scores = score_predictions(judged, scheme)
    kept = ("sentences", "articles", "micro_f1", "micro_f1_interval", "macro_f1", "macro_f1_interval")
    labels = {
        name: {
            "support": scores["labels"][name]["support"],
            "predicted": int(judged.decided[:, column].sum()),
            "f1": scores["labels"][name]["f1"],
            "mean_probability": float(judged.probabilities[:, column].mean()),
            "observed": float(judged.truth[:, column].mean()),
        }
        for column, name in enumerate(scheme.names)
    }
    return {key: scores[key] for key in kept} | {"labels": labels}

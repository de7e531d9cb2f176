"""Scores of predictions against gold labels: per label, over labels, calibration, and intervals over articles.

Values come from scikit-learn. Labels are the scheme's, never those that happen to stand in the gold data. A
label that is absent from gold and never predicted has no F1: it is reported as null and left out of the
macro mean, and the report says which labels that mean is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from newsacts.calibration import BoolArray, FloatArray
from newsacts.evaluation.bootstrap import Counts, find_interval, resample_sums
from newsacts.evaluation.example_based import bound_example_f1, measure_example_f1
from newsacts.labels import LabelScheme

BINS = 10
_HIT, _FALSE, _MISS = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Judged:
    """Gold labels and what was predicted for n sentences; arrays are (n, k) in scheme order."""

    truth: BoolArray
    probabilities: FloatArray
    decided: BoolArray
    groups: Sequence[str]


def score_predictions(judged: Judged, scheme: LabelScheme) -> dict[str, Any]:
    """All scores as one JSON-ready dictionary; every interval is 95 % over articles."""
    counts = count_by_group(judged)
    sums = resample_sums(counts)
    per_label = {name: _score_label(judged, sums, column) for column, name in enumerate(scheme.names)}
    scored = [name for name in scheme.names if per_label[name]["f1"] is not None]
    columns = [scheme.names.index(name) for name in scored]
    exact: BoolArray = np.all(judged.truth == judged.decided, axis=1)
    return {
        "sentences": len(judged.truth),
        "articles": len(set(judged.groups)),
        "macro_f1": _mean([per_label[name]["f1"] for name in scored]),
        "macro_f1_interval": find_interval(find_macro_f1(sums[:, columns])) if columns else None,
        "macro_f1_over": scored,
        "micro_f1": _number(find_f1(counts.sum(axis=(0, 1)))),
        "micro_f1_interval": find_interval(find_f1(sums.sum(axis=1))),
        "example_f1": measure_example_f1(judged.truth, judged.decided),
        "example_f1_interval": bound_example_f1(judged.truth, judged.decided, judged.groups),
        "exact_match": _mean(exact),
        "no_label_rate": {"gold": _measure_none(judged.truth), "predicted": _measure_none(judged.decided)},
        "labels": per_label,
    }


def count_by_group(judged: Judged) -> Counts:
    """Hits, false alarms and misses of each label in each article, (groups, k, 3)."""
    group_of = number_groups(judged.groups)
    truth, decided = judged.truth, judged.decided
    events = np.stack([truth & decided, ~truth & decided, truth & ~decided], axis=-1)
    counts = np.zeros((int(group_of.max(initial=-1)) + 1, *events.shape[1:]))
    np.add.at(counts, group_of, events)
    return counts


def number_groups(groups: Sequence[str]) -> npt.NDArray[np.int64]:
    """The number of the article of each sentence, counted from 0 in order of the names."""
    return np.asarray(np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1], dtype=np.int64)


def find_f1(sums: Counts) -> Counts:
    """F1 from summed counts (..., 3); not a number where a label is neither there nor given."""
    doubled = 2 * sums[..., _HIT]
    with np.errstate(invalid="ignore"):
        return np.asarray(doubled / (doubled + sums[..., _FALSE] + sums[..., _MISS]))


def find_macro_f1(sums: Counts) -> Counts:
    """Mean F1 over labels, from summed counts (resamples, k, 3)."""
    return np.asarray(find_f1(sums).mean(axis=1))


def measure_calibration_error(probabilities: FloatArray, truth: BoolArray, *, bins: int = BINS) -> float:
    """Expected calibration error of one label with bins of equal mass (Nguyen and O'Connor 2015)."""
    order = np.argsort(probabilities, kind="stable")
    error = 0.0
    for chosen in np.array_split(order, min(bins, len(order))):
        error += len(chosen) / len(order) * abs(float(probabilities[chosen].mean()) - float(truth[chosen].mean()))
    return error


def find_worst_errors(judged: Judged, scheme: LabelScheme, *, limit: int = 100) -> list[dict[str, Any]]:
    """The most confident mistakes, worst first: row, label, whether it was missed or invented, probability."""
    wrong = judged.truth != judged.decided
    surprise = np.where(judged.truth, 1 - judged.probabilities, judged.probabilities)
    rows, columns = np.nonzero(wrong)
    order = np.argsort(-surprise[rows, columns], kind="stable")[:limit]
    return [
        {
            "row": int(rows[place]),
            "label": scheme.names[columns[place]],
            "error": "missed" if judged.truth[rows[place], columns[place]] else "invented",
            "probability": round(float(judged.probabilities[rows[place], columns[place]]), 4),
        }
        for place in order
    ]


def _score_label(judged: Judged, sums: Counts, column: int) -> dict[str, Any]:
    truth, decided = judged.truth[:, column], judged.decided[:, column]
    probabilities = judged.probabilities[:, column]
    if not truth.any() and not decided.any():
        return {"support": 0, "precision": None, "recall": None, "f1": None, "f1_interval": None,
                "precision_interval": None, "recall_interval": None, "average_precision": None,
                "calibration_error": _error(probabilities, truth)}  # fmt: skip
    precision, recall, f1, _ = precision_recall_fscore_support(truth, decided, average="binary", zero_division=0)
    return {
        "support": int(truth.sum()),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "precision_interval": find_interval(_precision(sums[:, column])),
        "recall_interval": find_interval(_recall(sums[:, column])),
        "f1_interval": find_interval(find_f1(sums[:, column])),
        "average_precision": float(average_precision_score(truth, probabilities)) if truth.any() else None,
        "calibration_error": _error(probabilities, truth),
    }


def _precision(sums: Counts) -> Counts:
    with np.errstate(invalid="ignore"):
        return np.asarray(sums[..., _HIT] / (sums[..., _HIT] + sums[..., _FALSE]))


def _recall(sums: Counts) -> Counts:
    with np.errstate(invalid="ignore"):
        return np.asarray(sums[..., _HIT] / (sums[..., _HIT] + sums[..., _MISS]))


def _error(probabilities: FloatArray, truth: BoolArray) -> float | None:
    return measure_calibration_error(probabilities, truth) if len(truth) else None


def _measure_none(labels: BoolArray) -> float | None:
    return _mean(np.sum(labels, axis=1) == 0)


def _mean(values: Sequence[float] | npt.NDArray[np.bool_]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _number(value: Counts) -> float | None:
    return float(value) if np.isfinite(value) else None

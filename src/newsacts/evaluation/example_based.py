"""Example-based F1: the F1 of each sentence's own labels, averaged over sentences.

For gold labels G and predicted labels P of a sentence it is 2 |G and P| / (|G| + |P|) (Godbole and Sarawagi 2004).
Sentences where both are empty are left out of the mean, as the ConfliBERT suite does it (Hu et al. 2022, function
`example_based_f1` of its `example_based.py`); scikit-learn's `f1_score(average="samples")` counts them as 0 or 1, by
its `zero_division`, and agrees on the rest. In an exclusive scheme it is the accuracy.
"""

from collections.abc import Sequence

import numpy as np

from newsacts.calibration import BoolArray
from newsacts.evaluation.bootstrap import Counts, bootstrap_interval


def measure_example_f1(truth: BoolArray, decided: BoolArray) -> float | None:
    """The mean over sentences that have a label in gold or prediction; None where no sentence has."""
    values = _score_rows(truth, decided)
    kept = values[np.isfinite(values)]
    return float(kept.mean()) if len(kept) else None


def bound_example_f1(truth: BoolArray, decided: BoolArray, groups: Sequence[str]) -> tuple[float, float] | None:
    """Its 95 % interval over articles."""
    values = _score_rows(truth, decided)
    counted = np.isfinite(values)
    _, group_of = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    sums = np.zeros((int(group_of.max(initial=-1)) + 1, 2))
    np.add.at(sums, group_of, np.stack([np.where(counted, values, 0.0), counted], axis=1))
    return bootstrap_interval(sums, _divide)


def _score_rows(truth: BoolArray, decided: BoolArray) -> Counts:
    sizes = truth.sum(axis=1) + decided.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(2 * (truth & decided).sum(axis=1) / sizes, dtype=np.float64)


def _divide(sums: Counts) -> Counts:
    with np.errstate(invalid="ignore"):
        return np.asarray(sums[:, 0] / sums[:, 1])

"""Curves of one label: reliability, precision against recall, and what every threshold would do.

Everything is JSON-ready and bounded in size, whatever the number of sentences, so that a page can hold it.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import precision_recall_curve

from newsacts.calibration import BoolArray, FloatArray
from newsacts.evaluation.score import BINS, Judged
from newsacts.labels import LabelScheme

THRESHOLD_STEPS = 1_000
"""`tally_thresholds` counts at 0, 1/1000, ..., 1."""

_CURVE_POINTS = 100
_NORMAL_95 = 1.959964


def describe_curves(judged: Judged, scheme: LabelScheme) -> dict[str, Any]:
    """By label: "reliability", "precision_recall" (null where gold never holds the label) and "thresholds"."""
    described = {}
    for column, name in enumerate(scheme.names):
        probabilities, truth = judged.probabilities[:, column], judged.truth[:, column]
        described[name] = {
            "reliability": measure_reliability(probabilities, truth),
            "precision_recall": measure_precision_recall(probabilities, truth),
            "thresholds": tally_thresholds(probabilities, truth),
        }
    return described


def measure_reliability(probabilities: FloatArray, truth: BoolArray, *, bins: int = BINS) -> list[dict[str, Any]]:
    """Said against true in bins of equal mass, lowest first: the bins of `measure_calibration_error`.

    `interval` is Wilson's (1927) 95 % interval of the observed share. It takes sentences as independent; where many
    come from one article it is somewhat narrow.
    """
    order = np.argsort(probabilities, kind="stable")
    points = []
    for chosen in np.array_split(order, min(bins, len(order))):
        hits, size = int(truth[chosen].sum()), len(chosen)
        points.append(
            {
                "sentences": size,
                "lowest": float(probabilities[chosen[0]]),
                "highest": float(probabilities[chosen[-1]]),
                "predicted": float(probabilities[chosen].mean()),
                "observed": hits / size,
                "interval": find_wilson_interval(hits, size),
            }
        )
    return points


def measure_precision_recall(probabilities: FloatArray, truth: BoolArray) -> list[dict[str, float]] | None:
    """Precision and recall by rising threshold, about a hundred points even in recall; None without a positive."""
    if not truth.any():
        return None
    precision, recall, thresholds = precision_recall_curve(truth, probabilities)
    wanted = np.linspace(recall[0], recall[-2], _CURVE_POINTS)
    # Recall falls along the curve; search wants it rising.
    places = np.unique(len(recall) - 2 - np.searchsorted(recall[:-1][::-1], wanted, side="left"))
    places = np.unique(np.clip(places, 0, len(thresholds) - 1))
    return [
        {
            "threshold": float(thresholds[place]),
            "precision": float(precision[place]),
            "recall": float(recall[place]),
        }
        for place in places
    ]


def tally_thresholds(probabilities: FloatArray, truth: BoolArray) -> dict[str, list[int]]:
    """How many sentences with ("positives") and without the label ("negatives") reach each threshold of the grid."""
    grid = (np.arange(THRESHOLD_STEPS + 1) / THRESHOLD_STEPS).astype(np.float32)
    return {
        "positives": _count_reaching(probabilities[truth], grid),
        "negatives": _count_reaching(probabilities[~truth], grid),
    }


def find_wilson_interval(hits: int, size: int) -> tuple[float, float]:
    """95 % interval of a share of `hits` in `size` draws (Wilson 1927); `size` is at least 1."""
    squared = _NORMAL_95**2
    middle = (hits + squared / 2) / (size + squared)
    reach = _NORMAL_95 * np.sqrt(hits * (size - hits) / size + squared / 4) / (size + squared)
    return max(0.0, float(middle - reach)), min(1.0, float(middle + reach))


def _count_reaching(probabilities: FloatArray, grid: npt.NDArray[np.float32]) -> list[int]:
    ordered = np.sort(probabilities)
    counts: list[int] = (len(ordered) - np.searchsorted(ordered, grid, side="left")).tolist()
    return counts

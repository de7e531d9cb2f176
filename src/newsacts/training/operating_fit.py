"""Measuring operating points: precision and recall by threshold, on dev, out of fold.

`measure_curves` gives what a checkpoint stores. Its probabilities come from calibrations that never saw the article,
so a point of the curve is honest for a threshold that is given; a threshold that is chosen on the curve is a little
lucky, and `crossfitted` says what is left of a wish where fold by fold the threshold is chosen on the other folds.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from newsacts.calibration import BoolArray, FloatArray, compute_probabilities
from newsacts.evaluation.bootstrap import Counts, bootstrap_interval, find_interval, resample_sums
from newsacts.evaluation.score import number_groups
from newsacts.labels import LabelScheme
from newsacts.operating_points import LabelCurve, Measure, OperatingCurves, OperatingPoint, choose_point
from newsacts.training.calibrate_fit import LEAST_DECIDED, DevSet, cross_fit, fit_calibration, split_folds
from newsacts.training.config import CalibrationSection

WISHES: tuple[tuple[Measure, float], ...] = (("precision", 0.9), ("recall", 0.9))
"""The operating points whose cross-fitted precision and recall are stored."""
POINTS = 50

_STEP = 1e-6


def measure_curves(dev: DevSet, scheme: LabelScheme, section: CalibrationSection) -> OperatingCurves | None:
    """Curves of every label; None for an exclusive scheme, which has no thresholds."""
    if scheme.exclusive:
        return None
    fitted = cross_fit(dev, scheme, section)
    groups = number_groups(dev.groups)
    labels = tuple(
        measure_curve(fitted.probabilities[:, column], dev.truth[:, column], groups) for column in range(len(scheme))
    )
    achieved = {
        f"{measure} {target:g}": cross_fit_wish(dev, scheme, section, measure=measure, target=target)
        for measure, target in WISHES
    }
    how = (
        f"probabilities out of fold, {fitted.folds} folds of whole articles; 95 % intervals bootstrapped over articles"
    )
    return OperatingCurves(how, len(dev.truth), len(set(dev.groups)), labels, achieved)


def measure_curve(
    probabilities: FloatArray, truth: BoolArray, groups: npt.NDArray[np.int64], *, intervals: bool = True
) -> LabelCurve | None:
    """Some fifty points of one label, even in recall; None where all sentences carry it or none does.

    `groups` numbers the article of each sentence. Without `intervals` those of the points are (0, 1).
    """
    if truth.all() or not truth.any():
        return None
    thresholds = _choose_thresholds(probabilities, truth)
    decided = probabilities[:, None] >= thresholds.astype(np.float32)
    hits = decided & truth[:, None]
    everywhere = np.broadcast_to(truth[:, None], hits.shape)
    counts = np.stack([hits, decided, everywhere], axis=-1).astype(np.float64)
    total = counts.sum(axis=0)
    whole: list[tuple[float, float] | None] = [(0.0, 1.0)] * len(thresholds)
    precision_ends, recall_ends = whole, whole
    if intervals:
        sums = resample_sums(add_by_group(counts, groups))
        precision_ends = [find_interval(_divide(sums[:, place, 0], sums[:, place, 1])) for place in range(len(total))]
        recall_ends = [find_interval(_divide(sums[:, place, 0], sums[:, place, 2])) for place in range(len(total))]
    points = tuple(
        OperatingPoint(
            threshold=float(threshold),
            decided=int(total[place, 1]),
            precision=round(float(total[place, 0] / total[place, 1]), 4),
            precision_interval=_round(precision_ends[place]),
            recall=round(float(total[place, 0] / total[place, 2]), 4),
            recall_interval=_round(recall_ends[place]),
        )
        for place, threshold in enumerate(thresholds)
    )
    return LabelCurve(float(truth.mean()), points)


def cross_fit_wish(
    dev: DevSet, scheme: LabelScheme, section: CalibrationSection, *, measure: Measure, target: float
) -> dict[str, Any]:
    """Per label the precision and recall of decisions whose threshold was chosen on the other folds.

    A label is None where in some fold no threshold reached the wish, or the label did not vary.
    """
    decided = np.zeros(dev.truth.shape, dtype=np.bool_)
    reached = np.ones(len(scheme), dtype=np.bool_)
    groups = number_groups(dev.groups)
    for rest, held in split_folds(dev.groups, section):
        calibration = fit_calibration(dev.logits[rest], dev.truth[rest], scheme, section)
        seen, fresh = (compute_probabilities(dev.logits[rows], scheme, calibration) for rows in (rest, held))
        for column in range(len(scheme)):
            curve = measure_curve(seen[:, column], dev.truth[rest, column], groups[rest], intervals=False)
            point = None if curve is None else choose_point(curve, measure, target)
            reached[column] &= point is not None
            if point is not None:
                decided[held, column] = fresh[:, column] >= np.float32(point.threshold)
    return {
        name: _score_wish(dev.truth[:, column], decided[:, column], groups) if reached[column] else None
        for column, name in enumerate(scheme.names)
    }


def add_by_group(values: Counts, groups: npt.NDArray[np.int64]) -> Counts:
    """Sums (groups, ...) of values (n, ...) by the article of each row."""
    sums = np.zeros((int(groups.max(initial=-1)) + 1, *values.shape[1:]))
    np.add.at(sums, groups, values)
    return sums


def _choose_thresholds(probabilities: FloatArray, truth: BoolArray) -> npt.NDArray[np.float64]:
    """Thresholds just at positives, even in recall: between two positives, the upper one is always better."""
    order = np.sort(probabilities)
    highest = order[-min(LEAST_DECIDED, len(order))]
    positives = np.sort(probabilities[truth])
    places = np.unique(np.linspace(0, len(positives) - 1, POINTS).astype(np.int64))
    chosen = np.append(np.minimum(positives[places], highest), highest).astype(np.float64)
    # Rounded down, so that the sentence at the threshold still reaches it.
    return np.unique(np.maximum(np.floor(chosen / _STEP - 1) * _STEP, 0.0).round(6))


def _score_wish(truth: BoolArray, decided: BoolArray, groups: npt.NDArray[np.int64]) -> dict[str, Any]:
    counts = add_by_group(np.stack([truth & decided, decided, truth], axis=-1).astype(np.float64), groups)
    hits, given, there = counts.sum(axis=0)
    return {
        "decided": int(given),
        "precision": float(hits / given) if given else None,
        "precision_interval": _list(bootstrap_interval(counts, lambda sums: _divide(sums[:, 0], sums[:, 1]))),
        "recall": float(hits / there),
        "recall_interval": _list(bootstrap_interval(counts, lambda sums: _divide(sums[:, 0], sums[:, 2]))),
    }


def _divide(above: Counts, below: Counts) -> Counts:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(above / below)


def _list(ends: Sequence[float] | None) -> list[float] | None:
    # As JSON gives it back, so that what was stored equals what was measured.
    return None if ends is None else list(ends)


def _round(ends: Sequence[float] | None) -> tuple[float, float]:
    # Every resample without the label: nothing is known, and the widest interval says so.
    return (0.0, 1.0) if ends is None else (round(ends[0], 4), round(ends[1], 4))

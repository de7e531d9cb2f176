"""Fitting a calibration: from dev logits and gold labels to slopes, intercepts and thresholds (scikit-learn).

`fit_calibration` uses all of dev, for the checkpoint. `cross_fit` gives every dev sentence a probability and a
decision from a calibration that never saw its article, so that dev scores stay honest.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve
from sklearn.model_selection import GroupKFold

from newsacts.calibration import (
    BoolArray,
    Calibration,
    FloatArray,
    compute_probabilities,
    decide_labels,
    identity_calibration,
)
from newsacts.errors import UsageError
from newsacts.labels import LabelScheme
from newsacts.training.config import LEAST_GROUPS, CalibrationSection

_logger = logging.getLogger("newsacts")
Rows = npt.NDArray[np.int64]

LEAST_DECIDED = 10
"""A threshold that fewer dev sentences reach is not taken: its precision would be a guess."""

_FIXED = 0.5
_TEMPERATURES = np.geomspace(0.2, 5.0, 97)


@dataclass(frozen=True, slots=True)
class DevSet:
    """Logits and gold labels of n sentences, both (n, k) in scheme order, and the article of each."""

    logits: FloatArray
    truth: BoolArray
    groups: Sequence[str]


@dataclass(frozen=True, slots=True)
class CrossFit:
    """Out-of-fold results for every dev sentence, (n, k) in scheme order."""

    probabilities: FloatArray
    decided: BoolArray
    folds: int


def fit_calibration(
    logits: FloatArray, truth: BoolArray, scheme: LabelScheme, section: CalibrationSection
) -> Calibration:
    """Platt scaling (1999) per label and a threshold by policy; one temperature for exclusive schemes.

    A label that is always or never true in `truth` keeps its raw probability and the threshold 0.5, or the
    fixed one. The share of sentences with each label is noted, for another prior later. Raises `UsageError` where
    shapes differ.
    """
    if logits.shape != truth.shape or logits.shape[1] != len(scheme):
        raise UsageError(f"logits {logits.shape} and gold labels {truth.shape} must both be (n, {len(scheme)})")
    fitted = _fit_temperature if scheme.exclusive else _fit_lines
    shares = tuple(truth.mean(axis=0).tolist()) if len(truth) else None
    return replace(fitted(logits, truth, scheme, section), prevalence=shares)


def cross_fit(
    dev: DevSet, scheme: LabelScheme, section: CalibrationSection, *, applied_to: FloatArray | None = None
) -> CrossFit:
    """Calibrate and decide each sentence by the other folds. Folds are whole articles, and fixed.

    `applied_to` are other logits of the same sentences (of a copy in another register, say), to be judged by
    the calibrations that `dev.logits` give.
    """
    judged = dev.logits if applied_to is None else applied_to
    probabilities = np.zeros(judged.shape, dtype=np.float32)
    decided = np.zeros(judged.shape, dtype=np.bool_)
    folds = 0
    for rest, held in split_folds(dev.groups, section):
        folds += 1
        calibration = fit_calibration(dev.logits[rest], dev.truth[rest], scheme, section)
        probabilities[held] = compute_probabilities(judged[held], scheme, calibration)
        decided[held] = decide_labels(probabilities[held], scheme, calibration)
    return CrossFit(probabilities, decided, folds)


def split_folds(groups: Sequence[str], section: CalibrationSection) -> Iterator[tuple[Rows, Rows]]:
    """Pairs of row numbers: those to fit on and those held out. Folds are whole articles, and fixed."""
    names = np.asarray(groups)
    folds = min(section.folds, len(np.unique(names)))
    if folds < LEAST_GROUPS:
        raise UsageError("cross-fitting needs sentences of at least two articles; give the dev file a group column")
    yield from GroupKFold(n_splits=folds, shuffle=True, random_state=0).split(names, groups=names)


def choose_threshold(
    probabilities: FloatArray, truth: BoolArray, section: CalibrationSection, *, label: str = "the label"
) -> float:
    """The threshold of one label by policy.

    "f1": half of the best F1 that is reached on dev, which is the best threshold of calibrated probabilities
    (Lipton, Elkan and Narayanaswamy 2014) and moves far less than the threshold where F1 peaks on one sample.
    "precision" and "recall": the lowest and the highest threshold that reach the target on dev, among those that
    at least ten sentences reach (all, where there are fewer); the nearest to it where none does, with a warning that
    names `label`.
    """
    if section.policy == "fixed":
        return section.target
    if truth.all() or not truth.any():
        return _FIXED
    if section.policy == "f1":
        return _choose_for_f1(probabilities, truth)
    precision, recall, thresholds = precision_recall_curve(truth, probabilities)
    reached = precision[:-1] if section.policy == "precision" else recall[:-1]
    other = recall[:-1] if section.policy == "precision" else precision[:-1]
    allowed = thresholds <= np.sort(probabilities)[-min(LEAST_DECIDED, len(probabilities))]
    good = allowed & (reached >= section.target)
    if not good.any():
        _logger.warning(
            "%s: no threshold that %d dev sentences reach has %s %g; the nearest is used",
            label, LEAST_DECIDED, section.policy, section.target,
        )  # fmt: skip
    best = np.flatnonzero(good)[other[good].argmax()] if good.any() else np.where(allowed, reached, -1).argmax()
    return float(np.clip(thresholds[best], 1e-4, 1 - 1e-4))


def _fit_lines(logits: FloatArray, truth: BoolArray, scheme: LabelScheme, section: CalibrationSection) -> Calibration:
    lines = [_fit_line(logits[:, column], truth[:, column], section) for column in range(len(scheme))]
    slopes, intercepts = (tuple(float(line[part]) for line in lines) for part in (0, 1))
    unset = Calibration(slopes, intercepts, (_FIXED,) * len(scheme))
    probabilities = compute_probabilities(logits, scheme, unset)
    thresholds = tuple(
        choose_threshold(probabilities[:, column], truth[:, column], section, label=name)
        for column, name in enumerate(scheme.names)
    )
    policy = {"f1": "best F1", "fixed": f"fixed {section.target:g}"}.get(
        section.policy, f"{section.policy} {section.target:g}"
    )
    return Calibration(slopes, intercepts, thresholds, policy)


def _choose_for_f1(probabilities: FloatArray, truth: BoolArray) -> float:
    precision, recall, _ = precision_recall_curve(truth, probabilities)
    best = float((2 * precision * recall / np.maximum(precision + recall, 1e-12)).max())
    return best / 2


def _fit_line(logits: FloatArray, truth: BoolArray, section: CalibrationSection) -> tuple[float, float]:
    if section.method == "none" or truth.all() or not truth.any():
        return 1.0, 0.0
    # Nearly unregularised; the little that is left keeps separable data finite.
    model = LogisticRegression(C=100.0).fit(logits[:, None].astype(np.float64), truth)
    slope = float(model.coef_[0, 0])
    return (slope, float(model.intercept_[0])) if slope > 0 else (1.0, 0.0)


def _fit_temperature(
    logits: FloatArray, truth: BoolArray, scheme: LabelScheme, section: CalibrationSection
) -> Calibration:
    size = len(scheme)
    if section.method == "none":
        return identity_calibration(size)
    losses = []
    for temperature in _TEMPERATURES:
        candidate = Calibration((1 / temperature,) * size, (0.0,) * size, (_FIXED,) * size)
        probabilities = compute_probabilities(logits, scheme, candidate)
        losses.append(-np.log(np.maximum(probabilities[truth], 1e-12)).mean())
    best = float(_TEMPERATURES[int(np.argmin(losses))])
    return Calibration((1 / best,) * size, (0.0,) * size, (_FIXED,) * size, "most probable")

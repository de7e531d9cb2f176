"""From logits to probabilities and labels: the calibration that every checkpoint carries.

Pure functions on numpy arrays. Fitting lives in `training.calibrate_fit`; this file only applies. A
calibration holds one line per label (`slope`, `intercept`, Platt 1999) and one threshold per label, in
scheme order. Exclusive schemes use one common slope (temperature scaling, Guo et al. 2017) and no threshold:
the most probable label wins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from newsacts.errors import UsageError
from newsacts.labels import LabelScheme

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Per label: probability = sigmoid(slope * logit + intercept), and the threshold that decides.

    `policy` tells how the thresholds were chosen ("fixed", "best F1", "precision 0.9", ...). `prevalence` is the share
    of sentences that carry each label where the probabilities hold; None in a checkpoint that did not note it.
    """

    slopes: tuple[float, ...]
    intercepts: tuple[float, ...]
    thresholds: tuple[float, ...]
    policy: str = "fixed"
    prevalence: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.prevalence is not None and len(self.prevalence) != len(self.slopes):
            raise UsageError(f"expected {len(self.slopes)} prevalences, one a label, got {len(self.prevalence)}")
        if not len(self.slopes) == len(self.intercepts) == len(self.thresholds):
            raise UsageError(
                "a calibration needs as many slopes as intercepts and thresholds, got "
                f"{len(self.slopes)}, {len(self.intercepts)} and {len(self.thresholds)}"
            )


def identity_calibration(size: int, *, threshold: float = 0.5) -> Calibration:
    """The calibration that changes nothing and decides at `threshold`."""
    return Calibration((1.0,) * size, (0.0,) * size, (threshold,) * size)


def compute_probabilities(logits: FloatArray, scheme: LabelScheme, calibration: Calibration) -> FloatArray:
    """Calibrated probabilities, float32 (n, k), from logits (n, k) in scheme order."""
    scaled = logits.astype(np.float64) * np.asarray(calibration.slopes) + np.asarray(calibration.intercepts)
    return softmax(scaled) if scheme.exclusive else sigmoid(scaled)


def compute_log_odds(logits: FloatArray, scheme: LabelScheme, calibration: Calibration) -> npt.NDArray[np.float64]:
    """Calibrated log-odds log(p / (1 - p)), float64 (n, k), from logits (n, k); finite where p rounds to 0 or 1."""
    scaled = logits.astype(np.float64) * np.asarray(calibration.slopes) + np.asarray(calibration.intercepts)
    if not scheme.exclusive:
        return np.asarray(scaled)
    others = [np.logaddexp.reduce(np.delete(scaled, column, axis=1), axis=1) for column in range(len(scheme))]
    return np.asarray(scaled - np.stack(others, axis=1))


def decide_labels(probabilities: FloatArray, scheme: LabelScheme, calibration: Calibration) -> BoolArray:
    """Which labels apply, bool (n, k): at or above the threshold, or the most probable of exclusive ones."""
    if scheme.exclusive:
        decided = np.zeros(probabilities.shape, dtype=np.bool_)
        if len(probabilities):
            decided[np.arange(len(probabilities)), probabilities.argmax(axis=1)] = True
        return decided
    return np.asarray(probabilities >= np.asarray(calibration.thresholds, dtype=np.float32))


def set_thresholds(calibration: Calibration, scheme: LabelScheme, thresholds: Mapping[str, float]) -> Calibration:
    """The calibration with other thresholds for the labels that are named. Raises `UsageError`."""
    if scheme.exclusive:
        raise UsageError("exclusive labels have no thresholds: the most probable label wins; expected none")
    changed = list(calibration.thresholds)
    for name, threshold in thresholds.items():
        if not 0 <= threshold <= 1:
            raise UsageError(f"threshold {threshold!r} of {name} cannot be used; expected a number between 0 and 1")
        changed[scheme.index(name)] = float(threshold)
    return replace(calibration, thresholds=tuple(changed), policy="fixed by hand")


def format_calibration(calibration: Calibration) -> dict[str, Any]:
    """As values that JSON can hold; shares that are not known stay out, as in files from before they were noted."""
    prevalence = {} if calibration.prevalence is None else {"prevalence": list(calibration.prevalence)}
    return {
        "slopes": list(calibration.slopes),
        "intercepts": list(calibration.intercepts),
        "thresholds": list(calibration.thresholds),
        "policy": calibration.policy,
        **prevalence,
    }


def parse_calibration(stored: Mapping[str, Any]) -> Calibration:
    """The way back from `format_calibration`. Raises KeyError, TypeError or ValueError for what is malformed.

    That is, too, a number that is not finite, a slope of 0 or less, a threshold or a share outside 0 to 1.
    """
    calibration = Calibration(
        slopes=tuple(map(float, stored["slopes"])),
        intercepts=tuple(map(float, stored["intercepts"])),
        thresholds=tuple(map(float, stored["thresholds"])),
        policy=str(stored["policy"]),
        prevalence=tuple(map(float, stored["prevalence"])) if "prevalence" in stored else None,
    )
    if not all(0 < slope < np.inf for slope in calibration.slopes):
        raise ValueError(f"slopes must be finite and above 0, got {list(calibration.slopes)}")
    if not np.isfinite(calibration.intercepts).all():
        raise ValueError(f"intercepts must be finite, got {list(calibration.intercepts)}")
    shares = [*calibration.thresholds, *(calibration.prevalence or ())]
    if not all(0 <= share <= 1 for share in shares):
        raise ValueError(f"thresholds and prevalences must be between 0 and 1, got {shares}")
    return calibration


def name_labels(probabilities: Sequence[float], decided: Sequence[bool], scheme: LabelScheme) -> tuple[str, ...]:
    """Names of the decided labels of one sentence, most probable first."""
    order = sorted(range(len(scheme)), key=lambda column: -probabilities[column])
    return tuple(scheme.names[column] for column in order if decided[column])


def sigmoid(values: npt.NDArray[np.float64]) -> FloatArray:
    """1 / (1 + exp(-x)) without overflow for any float."""
    magnitude = np.exp(-np.abs(values))
    return np.asarray(np.where(values >= 0, 1 / (1 + magnitude), magnitude / (1 + magnitude)), dtype=np.float32)


def softmax(values: npt.NDArray[np.float64]) -> FloatArray:
    """exp(x) / sum(exp(x)) over the last axis without overflow."""
    if values.shape[0] == 0:
        return values.astype(np.float32)
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float32)

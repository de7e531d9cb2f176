"""From logits to probabilities and labels: the calibration that every checkpoint carries.

Pure functions on numpy arrays. Fitting lives in `training.calibrate_fit`; this file only applies. A
calibration holds one line per label (`slope`, `intercept`, Platt 1999) and one threshold per label, in
scheme order. Exclusive schemes use one common slope (temperature scaling, Guo et al. 2017) and no threshold:
the most probable label wins.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from newsacts.errors import UsageError
from newsacts.labels import LabelScheme

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Per label: probability = sigmoid(slope * logit + intercept), and the threshold that decides.

    `policy` tells how the thresholds were chosen ("fixed", "best F1", "precision 0.9", ...).
    """

    slopes: tuple[float, ...]
    intercepts: tuple[float, ...]
    thresholds: tuple[float, ...]
    policy: str = "fixed"

    def __post_init__(self) -> None:
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


def decide_labels(probabilities: FloatArray, scheme: LabelScheme, calibration: Calibration) -> BoolArray:
    """Which labels apply, bool (n, k): at or above the threshold, or the most probable of exclusive ones."""
    if scheme.exclusive:
        decided = np.zeros(probabilities.shape, dtype=np.bool_)
        if len(probabilities):
            decided[np.arange(len(probabilities)), probabilities.argmax(axis=1)] = True
        return decided
    return np.asarray(probabilities >= np.asarray(calibration.thresholds, dtype=np.float32))


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

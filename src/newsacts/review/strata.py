"""The bands of sentences that a sample for rates is drawn from, and how many are drawn of each.

A sentence belongs to the label whose probability is the largest part of its threshold, and there to "at or above" or
"below"; sentences that come nowhere near a threshold form one band of their own. Exclusive schemes: the most probable
label, sure or unsure. So one sample serves all labels, and each sentence has one known chance to be drawn.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from newsacts.calibration import FloatArray
from newsacts.labels import LabelScheme

IntArray = npt.NDArray[np.int64]
FloatMatrix = npt.NDArray[np.float64]

NEAR = 0.25
"""Share of a threshold from which on a sentence counts as near it."""
SURE = 0.9
MINIMUM = 4
HIDDEN_ERROR = 0.01
"""Variance that is added to what the probabilities say of a band, since they may be wrong."""


def name_strata(scheme: LabelScheme) -> tuple[str, ...]:
    """What the bands are called, in the order of their numbers."""
    upper, lower = ("sure", "unsure") if scheme.exclusive else ("at or above the threshold", "below the threshold")
    named = [f"{label}: {band}" for label in scheme.names for band in (upper, lower)]
    return tuple(named) if scheme.exclusive else (*named, "far below every threshold")


def assign_strata(probabilities: FloatArray, thresholds: Sequence[float], scheme: LabelScheme) -> IntArray:
    """The number of each sentence's band, int64 (n,)."""
    limits = np.ones(len(scheme)) if scheme.exclusive else np.maximum(np.asarray(thresholds), 1e-6)
    relative = probabilities / limits
    leading = relative.argmax(axis=1)
    height = relative.max(axis=1, initial=0.0)
    bands = 2 * leading + (height < (SURE if scheme.exclusive else 1.0))
    if not scheme.exclusive:
        bands = np.where(height < NEAR, 2 * len(scheme), bands)
    return np.asarray(bands, dtype=np.int64)


def allocate(sizes: IntArray, doubts: FloatMatrix, total: int) -> IntArray:
    """How many sentences to draw of each band, int64 (h,).

    `doubts` (h,) is the mean variance of a sentence's labels. Half is shared evenly and half by Neyman's rule (1934),
    in proportion to size times standard deviation, which is best where the probabilities are right. At least 4 of
    each, and never more than there are.
    """
    present = sizes > 0
    spread = sizes * np.sqrt(doubts + HIDDEN_ERROR)
    weights = 0.5 * present / max(int(present.sum()), 1) + 0.5 * spread / max(float(spread.sum()), 1e-12)
    ideal = weights * total
    wanted = np.minimum(np.maximum(np.round(ideal), MINIMUM), sizes).astype(np.int64)
    while wanted.sum() < min(total, int(sizes.sum())):
        wanted[np.argmax(np.where(wanted < sizes, ideal - wanted, -np.inf))] += 1
    while wanted.sum() > total and (wanted > MINIMUM).any():
        wanted[np.argmax(np.where(wanted > MINIMUM, wanted - ideal, -np.inf))] -= 1
    return wanted

"""The adjusted count: what the true rate must be for a classifier of known errors to count what it counted.

    true rate = (counted rate + specificity - 1) / (sensitivity + specificity - 1)

Rogan and Gladen 1978; in text classification "adjusted classify and count" (Forman 2008). It assumes that sensitivity
and specificity are here what they were where they were measured. The uncertainty of both, and of the counted rate, is
carried by draws, and the interval is that of the clipped draws.
"""

from dataclasses import dataclass

import numpy as np

from newsacts.errors import UsageError
from newsacts.prevalence.counted import DRAWS
from newsacts.prevalence.powered import Population, Sample, guess_unseen
from newsacts.prevalence.values import BoolMatrix, Estimate, FloatMatrix, take_interval

SMALLEST_GAP = 0.1
"""Sensitivity + specificity - 1 below which a classifier tells too little for its counts to be corrected."""
MOST_UNKNOWN = 0.05
"""Share of draws without a corrected rate beyond which no interval is given."""


@dataclass(frozen=True, slots=True)
class ErrorDraws:
    """Sensitivity and specificity of one label, and draws (n,) of both that carry their uncertainty."""

    sensitivity: float
    specificity: float
    sensitivity_draws: FloatMatrix
    specificity_draws: FloatMatrix


def draw_binomial_errors(hits: int, positives: int, rejections: int, negatives: int, *, seed: int = 0) -> ErrorDraws:
    """From counts: `hits` of `positives` were labelled, `rejections` of `negatives` were not.

    Draws come from Jeffreys' posterior, as if sentences were independent. Raises `UsageError` for impossible counts
    and where there were no positives or no negatives.
    """
    if not (0 <= hits <= positives and 0 <= rejections <= negatives and positives and negatives):
        raise UsageError(
            f"expected hits among positives and rejections among negatives, got {hits} of {positives} and "
            f"{rejections} of {negatives}"
        )
    generator = np.random.default_rng(seed)
    return ErrorDraws(
        hits / positives,
        rejections / negatives,
        generator.beta(hits + 0.5, positives - hits + 0.5, size=DRAWS),
        generator.beta(rejections + 0.5, negatives - rejections + 0.5, size=DRAWS),
    )


def draw_sampled_errors(
    decided: BoolMatrix, sample: Sample, population: Population, *, seed: int = 0
) -> ErrorDraws | None:
    """From a hand-checked stratified sample: weighted shares, and a bootstrap of the sentences of each stratum.

    `decided` (n,) is what the classifier said. None where the sample has no positive or no negative. Where all checked
    sentences of a stratum agree, a bootstrap of them never differs: draws then let a share of the stratum differ, from
    a beta distribution about what `guess_unseen` expects.
    """
    generator = np.random.default_rng(seed)
    unseen = guess_unseen(sample, population)
    repeats, dissent = np.zeros((2, DRAWS, len(decided)))
    for stratum in np.unique(sample.strata):
        rows = np.flatnonzero(sample.strata == stratum)
        repeats[:, rows] = generator.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=DRAWS)
        if unseen[stratum] > 0:
            worth, share = len(rows) + 1, unseen[stratum]
            dissent[:, rows] = generator.beta(worth * share, worth * (1 - share), size=DRAWS)[:, None]
    sensitivity, specificity = _share_right(decided, sample.truth, sample.weights[None], np.zeros((1, len(decided))))
    if not (np.isfinite(sensitivity[0]) and np.isfinite(specificity[0])):
        return None
    return ErrorDraws(
        float(sensitivity[0]),
        float(specificity[0]),
        *_share_right(decided, sample.truth, repeats * sample.weights, dissent),
    )


def adjust_count(rate: float, draws: FloatMatrix, errors: ErrorDraws) -> Estimate:
    """The corrected rate and its interval, clipped to 0 and 1; no value where the classifier is near chance."""
    gap = errors.sensitivity + errors.specificity - 1
    if gap < SMALLEST_GAP or not np.isfinite(rate):
        return Estimate("adjusted", None, None, None)
    gaps = errors.sensitivity_draws + errors.specificity_draws - 1
    corrected = np.where(gaps >= SMALLEST_GAP / 2, (draws + errors.specificity_draws - 1) / gaps, np.nan)
    value = float(np.clip((rate + errors.specificity - 1) / gap, 0, 1))
    ends = take_interval(np.clip(corrected, 0, 1))
    # Draws near chance tell nothing; where they are many, the rest would tell too much.
    if ends is None or np.isnan(corrected).mean() > MOST_UNKNOWN:
        return Estimate("adjusted", value, None, None)
    return Estimate("adjusted", value, min(ends[0], value), max(ends[1], value))


def _share_right(
    decided: BoolMatrix, truth: BoolMatrix, weights: FloatMatrix, dissent: FloatMatrix
) -> tuple[FloatMatrix, FloatMatrix]:
    """Sensitivity and specificity, (draws,), where a share `dissent` (draws, n) of each weight has the other truth."""
    as_checked, otherwise = weights * (1 - dissent), weights * dissent
    hits = as_checked @ (truth & decided) + otherwise @ (~truth & decided)
    rejections = as_checked @ (~truth & ~decided) + otherwise @ (truth & ~decided)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (
            hits / (as_checked @ truth + otherwise @ ~truth),
            rejections / (as_checked @ ~truth + otherwise @ truth),
        )

"""Prediction-powered inference of a rate: predictions of all sentences, corrected by a few that were checked by hand.

    rate = lambda * mean of predictions over all + weighted mean of (truth - lambda * prediction) over the checked

Angelopoulos, Bates, Fannjiang, Jordan and Zrnic 2023 (Science 382, arXiv:2301.09633); `lambda` is tuned for the
smallest variance (PPI++, Angelopoulos, Duchi and Zrnic 2023, arXiv:2311.01453) and kept between 0 and 1. The checked
sentences are a stratified random sample, so the second mean is weighted by stratum (Fisch et al. 2024,
arXiv:2406.04291), and residuals are summed by article before they are squared. The estimate is right whatever the
classifier does; good predictions make the interval narrow.

One departure: where all checked sentences of a stratum agree, their variance is 0 and means nothing. It is then taken
to be what the probabilities of the stratum say, made smaller or larger as they were too high or too low for the checked
sentences; or, where that is less, what one dissent among two more would give.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from newsacts.errors import UsageError
from newsacts.prevalence.values import LEVEL, BoolMatrix, Estimate, FloatMatrix

IntArray = npt.NDArray[np.int64]

MOST_EXCESS = 5.0
"""So many times too high or too low are probabilities thought to be at the most where nothing was seen."""


@dataclass(frozen=True, slots=True)
class Population:
    """Predictions of one label over all sentences: by stratum (h,) their number, the sum of probabilities and the
    sum of p (1 - p); and the variance of the overall mean probability, over articles."""

    sizes: FloatMatrix
    sums: FloatMatrix
    doubts: FloatMatrix
    mean_variance: float


@dataclass(frozen=True, slots=True)
class Sample:
    """n hand-checked sentences: stratum, article, inverse chance to be drawn, probability and truth, each (n,)."""

    strata: IntArray
    articles: IntArray
    weights: FloatMatrix
    predictions: FloatMatrix
    truth: BoolMatrix


def power_rate(sample: Sample, population: Population) -> Estimate:
    """The rate of a label and its 95 % interval; Student's t with n - strata degrees of freedom, on the logit scale.

    Raises `UsageError` where a stratum that has sentences has none in the sample.
    """
    drawn = np.bincount(sample.strata, minlength=len(population.sizes))
    if missing := np.flatnonzero((drawn == 0) & (population.sizes > 0)).tolist():
        raise UsageError(
            f"strata {missing} have no checked sentence; expected one or more of each: draw a larger sample"
        )
    shares = population.sizes / population.sizes.sum()
    power = _tune(sample, population, shares, drawn)
    residuals = sample.truth - power * sample.predictions
    means = np.bincount(sample.strata, residuals, len(shares)) / np.maximum(drawn, 1)
    value = power * float(population.sums.sum() / population.sizes.sum()) + float(shares @ means)
    variance = _clustered_variance(sample, residuals - means[sample.strata], shares, drawn)
    unseen = guess_unseen(sample, population)
    variance += float((shares**2 * unseen * (1 - unseen) / np.maximum(drawn, 1)).sum())
    freedom = max(len(sample.truth) - int((drawn > 0).sum()), 1)
    return _make_estimate(value, float(np.sqrt(variance + power**2 * population.mean_variance)), freedom)


def guess_unseen(sample: Sample, population: Population) -> FloatMatrix:
    """The share of each stratum (h,) that differs from its checked sentences where these all agree, elsewhere 0.

    Also 0 where all sentences of a stratum were checked.
    """
    drawn = np.bincount(sample.strata, minlength=len(population.sizes))
    carrying = np.bincount(sample.strata, sample.truth, len(drawn))
    agree = ((carrying == 0) | (carrying == drawn)) & (drawn < population.sizes)
    claimed = float(sample.weights @ sample.predictions)
    excess = float(sample.weights @ sample.truth) / claimed if claimed > 0 else 1.0
    # Of few checked positives the excess is but a guess.
    expected = np.clip(excess, 1 / MOST_EXCESS, MOST_EXCESS) * population.doubts / np.maximum(population.sizes, 1)
    return np.asarray(np.where(agree, np.minimum(expected, 1 / (drawn + 2)), 0.0))


def _tune(sample: Sample, population: Population, shares: FloatMatrix, drawn: IntArray) -> float:
    """The share of the predictions to trust that makes the variance smallest."""
    count = np.maximum(drawn, 1)
    truth = sample.truth.astype(np.float64)
    truth_means = np.bincount(sample.strata, truth, len(shares)) / count
    means = np.bincount(sample.strata, sample.predictions, len(shares)) / count
    centred = sample.predictions - means[sample.strata]
    factors = (shares**2 / (count * np.maximum(count - 1, 1)))[sample.strata]
    common = float((factors * centred * (truth - truth_means[sample.strata])).sum())
    own = float((factors * centred**2).sum()) + population.mean_variance
    return float(np.clip(common / own, 0, 1)) if own > 0 else 0.0


def _clustered_variance(sample: Sample, residuals: FloatMatrix, shares: FloatMatrix, drawn: IntArray) -> float:
    count = np.maximum(drawn, 1)
    factors = shares / np.sqrt(count * np.maximum(count - 1, 1))
    by_article: Any = np.bincount(sample.articles, factors[sample.strata] * residuals)
    return float((by_article**2).sum())


def _make_estimate(value: float, error: float, freedom: int) -> Estimate:
    from scipy.special import expit, logit
    from scipy.stats import t

    reach = float(t.ppf((1 + LEVEL) / 2, freedom))
    clipped = min(max(value, 0.0), 1.0)
    if error > 0 and 0 < value < 1 and error < 2 * value * (1 - value):
        scaled = reach * error / (value * (1 - value))
        return Estimate("powered", value, float(expit(logit(value) - scaled)), float(expit(logit(value) + scaled)))
    return Estimate(
        "powered", clipped, max(0.0, min(clipped, value - reach * error)), min(1.0, max(clipped, value + reach * error))
    )

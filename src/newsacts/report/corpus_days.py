"""Days on which a label is much more or much less frequent than the days around it let expect.

A day is compared with the fortnight before and the fortnight after, without itself: of n sentences of the day, n times
the rate of those days are expected. Counts of days vary more than independent sentences would, because articles bring
several at once; how much more is estimated from all days of the label, robustly, from the median of their squared
standardised differences, so that the surprising days themselves do not hide it. The chance of a count as far off is
that of a negative binomial with this mean and variance, two-sided. Over all days and labels, the false discovery rate
is held at 5 % (Benjamini and Hochberg 1995). Weekdays and trends inside four weeks are not modelled.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from newsacts.report.corpus_gather import Articles

REACH = 14
NEIGHBOURS = 7
"""So many days around a day must have articles, or nothing is said of it."""
FALSE_DISCOVERIES = 0.05
SHOWN = 20
MEDIAN_OF_CHI_SQUARED = 0.4549

FloatMatrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SurprisingDay:
    """A label on a day (`date.toordinal`): sentences that carry it, how many were expected, of how many, and the false
    discovery rate at which the day would just be shown."""

    day: int
    label: str
    count: int
    expected: float
    sentences: int
    discovery_rate: float


@dataclass(frozen=True, slots=True)
class DayReport:
    """How many (day, label) pairs were tested, and the surprising ones, the most surprising first."""

    tested: int
    days: tuple[SurprisingDay, ...]


def find_surprising_days(articles: Articles, names: Sequence[str]) -> DayReport:
    """All surprising days of a run; tests none where it has too few days."""
    known = articles.days >= 0
    if not known.any():
        return DayReport(0, ())
    first = int(articles.days[known].min())
    places = articles.days[known] - first
    length = int(places.max()) + 1
    sizes = np.bincount(places, articles.sizes[known], length).astype(np.float64)
    around = _sum_around(sizes)
    tested = (sizes > 0) & (_sum_around((sizes > 0).astype(np.float64)) >= NEIGHBOURS)
    days = np.flatnonzero(tested)
    if not len(days):
        return DayReport(0, ())
    found: list[tuple[float, SurprisingDay]] = []
    for column, name in enumerate(names):
        counts = np.bincount(places, articles.counts[known, column], length).astype(np.float64)
        # Half a sentence more, so that a label that the neighbours lack can be surprising too.
        rates = (_sum_around(counts) + 0.5) / (around + 1)
        expected = sizes[days] * rates[days]
        chances = _compute_chances(counts[days], expected, 1 - rates[days], sizes[days] / around[days])
        for place, chance, mean in zip(days.tolist(), chances.tolist(), expected.tolist(), strict=True):
            found.append((chance, SurprisingDay(first + place, name, int(counts[place]), mean, int(sizes[place]), 1.0)))
    return _control(found)


def _sum_around(values: FloatMatrix) -> FloatMatrix:
    """For each day the sum over the fortnights before and after it."""
    padded = np.concatenate([[0.0], np.cumsum(values)])
    days = np.arange(len(values))
    return np.asarray(padded[np.minimum(days + REACH + 1, len(values))] - padded[np.maximum(days - REACH, 0)] - values)


def _compute_chances(
    counts: FloatMatrix, expected: FloatMatrix, rests: FloatMatrix, shares: FloatMatrix
) -> FloatMatrix:
    """Two-sided chances of counts as far from what is expected; `shares` is the day's size beside its neighbours'."""
    from scipy.stats import nbinom, poisson

    # The expectation is itself estimated: the smaller the neighbours, the wider.
    spread = expected * rests * (1 + shares)
    dispersion = max(1.0, float(np.median((counts - expected) ** 2 / spread)) / MEDIAN_OF_CHI_SQUARED)
    variance = np.maximum(dispersion * spread, expected)
    wide = variance > expected * (1 + 1e-9)
    safe = np.where(wide, variance, 2 * expected)
    size, chance = expected**2 / (safe - expected), expected / safe
    at_most = np.where(wide, nbinom.cdf(counts, size, chance), poisson.cdf(counts, expected))
    at_least = np.where(wide, nbinom.sf(counts - 1, size, chance), poisson.sf(counts - 1, expected))
    return np.asarray(np.minimum(1.0, 2 * np.minimum(at_most, at_least)))


def _control(found: Sequence[tuple[float, SurprisingDay]]) -> DayReport:
    from scipy.stats import false_discovery_control

    rates = false_discovery_control(np.asarray([chance for chance, _ in found]))
    days = [
        SurprisingDay(day.day, day.label, day.count, day.expected, day.sentences, float(rate))
        for (_, day), rate in zip(found, rates, strict=True)
        if rate <= FALSE_DISCOVERIES
    ]
    return DayReport(len(found), tuple(sorted(days, key=lambda day: (day.discovery_rate, day.day, day.label))))

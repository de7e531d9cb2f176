"""Intervals by resampling whole articles, since sentences of one article are not independent.

Percentile bootstrap (Efron 1979) over groups. Counts of true positives, false positives and misses add up
over groups, so a thousand resamples are a few matrix products.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.float64]
Interval = tuple[float, float]

RESAMPLES = 1_000
LEVEL = 0.95
_WEIGHTS_AT_ONCE = 5_000_000


def bootstrap_interval(
    counts: Counts, statistic: Callable[[Counts], Counts], *, level: float = LEVEL, seed: int = 0
) -> Interval | None:
    """Interval of a statistic of summed counts.

    `counts` is (groups, ...): what each group adds. `statistic` maps sums (resamples, ...) to values
    (resamples,); resamples where it is not a number are left out, and None is returned where none is left.
    """
    return find_interval(statistic(resample_sums(counts, seed=seed)), level=level)


def resample_sums(counts: Counts, *, seed: int = 0) -> Counts:
    """Sums (RESAMPLES, ...) of counts (groups, ...) over groups drawn with replacement.

    The same seed draws the same groups, which is what pairs two models. Draws go in chunks, so that memory does not
    grow with the groups. One group alone says nothing of how groups differ: its sums are no numbers, and every interval
    of them is None rather than a point.
    """
    size = len(counts)
    if size < 2:  # noqa: PLR2004 - a group and another
        return np.full((RESAMPLES, *counts.shape[1:]), np.nan)
    generator = np.random.default_rng(seed)
    share = np.full(size, 1 / size)
    step = max(1, min(RESAMPLES, _WEIGHTS_AT_ONCE // size))
    parts = [
        np.tensordot(generator.multinomial(size, share, size=rows).astype(np.float64), counts, axes=1)
        for rows in (min(step, RESAMPLES - start) for start in range(0, RESAMPLES, step))
    ]
    return np.concatenate(parts)


def find_interval(values: Counts, *, level: float = LEVEL) -> Interval | None:
    """The middle `level` of resampled values (resamples,), those that are no number left out; None for none."""
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)

"""Intervals by resampling whole articles, since sentences of one article are not independent.

Percentile bootstrap (Efron 1979) over groups. Counts of true positives, false positives and misses add up
over groups, so a thousand resamples are one matrix product.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.float64]

RESAMPLES = 1_000


def bootstrap_interval(
    counts: Counts, statistic: Callable[[Counts], Counts], *, level: float = 0.95, seed: int = 0
) -> tuple[float, float] | None:
    """Interval of a statistic of summed counts.

    `counts` is (groups, ...): what each group adds. `statistic` maps sums (resamples, ...) to values
    (resamples,); resamples where it is not a number are left out, and None is returned where none is left.
    """
    generator = np.random.default_rng(seed)
    size = len(counts)
    weights = generator.multinomial(size, np.full(size, 1 / size), size=RESAMPLES)
    sums = np.tensordot(weights.astype(np.float64), counts, axes=1)
    values = statistic(sums)
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)

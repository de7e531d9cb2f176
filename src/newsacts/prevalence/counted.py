"""Ratios of sums over articles with a bootstrap over articles: counts to sentences, probabilities to sentences.

Sentences of one article are not independent, so whole articles are drawn again. A draw gives each article a weight
from a Poisson distribution of mean 1 (Hanley and MacGibbon 2006), so that a thousand draws are one matrix product.
Where a cell has very many articles they are first put into 500 groups at random, and groups are drawn: the spread of
their sums is the same, and the cost no longer grows with the corpus. All cells share the weights, since each interval
is read by itself: draws of two cells must not be compared with each other.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from newsacts.prevalence.values import FloatMatrix, take_interval

DRAWS = 1_000
GROUPS = 500
MINIMUM_ARTICLES = 2
FEW = 10
"""Below so many sentences with (or without) a label, counted as if independent, a bootstrap is not to be trusted."""

IntArray = npt.NDArray[np.int64]


def count_rates(
    amounts: FloatMatrix, sizes: FloatMatrix, cells: IntArray, *, cell_count: int, seed: int = 0
) -> tuple[FloatMatrix, FloatMatrix]:
    """Rates of each cell, (cells, m), and draws of them, (draws, cells, m), NaN where a cell is empty.

    `amounts` is (articles, m), what each article adds to each of m numerators; `sizes` (articles,) its sentences;
    `cells` the cell of each article, -1 for none.
    """
    width = amounts.shape[1]
    generator = np.random.default_rng(seed)
    weights = _draw_weights(seed)
    stacked = np.concatenate([amounts, sizes[:, None]], axis=1)
    order = np.argsort(cells, kind="stable")
    bounds = np.searchsorted(cells[order], np.arange(cell_count + 1))
    sums = np.zeros((cell_count, width + 1))
    drawn = np.zeros((DRAWS, cell_count, width + 1))
    for cell in range(cell_count):
        rows = stacked[order[bounds[cell] : bounds[cell + 1]]]
        sums[cell] = rows.sum(axis=0)
        if len(rows) >= MINIMUM_ARTICLES:
            grouped = _group(rows, generator)
            drawn[:, cell] = weights[:, : len(grouped)] @ grouped
        else:
            drawn[:, cell] = np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[:, :width] / sums[:, width:], drawn[..., :width] / drawn[..., width:]


def settle_draws(rate: float, draws: FloatMatrix, size: float, *, effect: float = 1.0) -> FloatMatrix:
    """Draws (n,) of a rate of `size` sentences that hold also where few of them count, all NaN where nothing is known.

    A bootstrap is too sure of itself where few sentences carry the label (or lack it), never differs where none does,
    and says next to nothing where a few articles happen to be alike. Draws then come from Jeffreys' posterior, at the
    edge from its modified form (Brown, Cai and DasGupta 2001), for as many sentences as are worth `size` of them when
    those of an article resemble each other: `size` by the design effect, that of the draws or `effect`, whichever is
    larger. Fewer than two articles tell nothing.
    """
    if not np.isfinite(rate) or size <= 0 or not np.isfinite(draws).any():
        return np.full(len(draws), np.nan)
    own = _compare_variance(rate, draws, size)
    worth = max(size / max(effect, own), 1.0)
    if own >= 1 and min(rate, 1 - rate) * worth >= FEW:
        return draws
    with_label = rate * worth + 0.5 if rate > 0 else 1.0
    without = (1 - rate) * worth + 0.5 if rate < 1 else 1.0
    return np.random.default_rng(0).beta(with_label, without, size=len(draws))


def estimate_ratio(rate: float, draws: FloatMatrix) -> tuple[float, float] | None:
    """The interval of a rate from its settled draws (n,), None where these tell nothing."""
    ends = take_interval(draws)
    if ends is None:
        return None
    # The edge itself is possible, though no draw is exactly there.
    return 0.0 if rate <= 0 else min(ends[0], rate), 1.0 if rate >= 1 else max(ends[1], rate)


def measure_design_effect(rate: float, draws: FloatMatrix, size: float) -> float:
    """How many times the variance of a rate is that of `size` independent sentences; at least 1."""
    return max(1.0, _compare_variance(rate, draws, size))


def _compare_variance(rate: float, draws: FloatMatrix, size: float) -> float:
    """The variance of draws beside that of independent sentences; 0 where neither varies."""
    finite = draws[np.isfinite(draws)]
    return float(finite.var()) / (rate * (1 - rate) / size) if 0 < rate < 1 and len(finite) else 0.0


def _group(rows: FloatMatrix, generator: np.random.Generator) -> FloatMatrix:
    if len(rows) <= GROUPS:
        return rows
    order = generator.permutation(len(rows))
    return np.add.reduceat(rows[order], np.arange(GROUPS) * len(rows) // GROUPS, axis=0)


@lru_cache(maxsize=4)
def _draw_weights(seed: int) -> FloatMatrix:
    return np.random.default_rng(seed).poisson(1.0, size=(DRAWS, GROUPS)).astype(np.float64)

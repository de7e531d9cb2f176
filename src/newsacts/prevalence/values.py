"""The value that every estimator gives, and what the estimators are called in full."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatMatrix = npt.NDArray[np.float64]
BoolMatrix = npt.NDArray[np.bool_]

LEVEL = 0.95
"""Every interval is meant to hold the truth with this probability."""

METHODS = {
    "counted": "share that the classifier labelled, uncorrected; bootstrap over articles (Efron 1979)",
    "averaged": "mean of the calibrated probabilities; bootstrap over articles",
    "adjusted": "adjusted count (Rogan and Gladen 1978; Forman 2008), clipped to 0 and 1; interval by drawing "
    "sensitivity and specificity together with articles (Lang and Reiczigel 2014 discuss its kind)",
    "powered": "prediction-powered inference, power-tuned (Angelopoulos et al. 2023, PPI++), stratified, over articles",
}
"""Each estimator in words, with its source."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A rate with its interval. All three are None together where nothing can be said; the ends may be None alone.

    `method` is a key of `METHODS`.
    """

    method: str
    value: float | None
    low: float | None
    high: float | None


def take_interval(draws: FloatMatrix) -> tuple[float, float] | None:
    """Percentile interval of draws (n,); those that are no number are left out, None where fewer than 2 are left."""
    finite = draws[np.isfinite(draws)]
    if len(finite) < 2:  # noqa: PLR2004 - one draw has no spread
        return None
    low, high = np.quantile(finite, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)

"""How often something occurs, when a classifier counted it: rates with intervals, corrected for its errors.

Four estimators, all of one number, the share of sentences that carry a label:

    counted       the share that the classifier labelled; biased by its errors
    averaged      the mean of its calibrated probabilities; right where the calibration holds for this corpus
    adjusted      counted, solved for its sensitivity and specificity (Rogan and Gladen 1978)
    powered       prediction-powered inference from a hand-checked random sample (Angelopoulos et al. 2023)

`powered` is the default where there is such a sample: it assumes nothing of the classifier. Without one, `adjusted`
is, and assumes that the classifier errs on this corpus as it did on the sentences it was judged on. Pure functions on
numpy arrays; scipy is loaded when an interval is asked for.
"""

from newsacts.prevalence.adjusted import ErrorDraws, adjust_count, draw_binomial_errors, draw_sampled_errors
from newsacts.prevalence.counted import count_rates, estimate_ratio, measure_design_effect, settle_draws
from newsacts.prevalence.powered import Population, Sample, power_rate
from newsacts.prevalence.values import METHODS, Estimate

__all__ = [
    "METHODS",
    "ErrorDraws",
    "Estimate",
    "Population",
    "Sample",
    "adjust_count",
    "count_rates",
    "draw_binomial_errors",
    "draw_sampled_errors",
    "estimate_ratio",
    "measure_design_effect",
    "power_rate",
    "settle_draws",
]

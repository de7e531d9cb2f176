"""What a review says of the run: the rate of each label, and the sensitivity and specificity of the classifier."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from newsacts.calibration import Calibration, decide_labels
from newsacts.errors import DataError
from newsacts.prevalence import (
    ErrorDraws,
    Estimate,
    Population,
    Sample,
    draw_sampled_errors,
    power_rate,
)
from newsacts.review.values import PROTOCOL, Design, Review, parse_design, read_json, write_json

KIND = "newsacts review"


def estimate_rates(review: Review) -> dict[str, Estimate]:
    """The rate of each label in the run, by prediction-powered inference, in scheme order."""
    design = review.design
    return {
        name: power_rate(_make_sample(review, column), _make_population(design, column))
        for column, name in enumerate(design.scheme.names)
    }


def measure_errors(review: Review, thresholds: Sequence[float]) -> dict[str, ErrorDraws | None]:
    """Sensitivity and specificity of each label at these thresholds; None where the sheet cannot tell."""
    scheme = review.design.scheme
    probabilities = np.asarray([row.probabilities for row in review.design.rows], dtype=np.float32)
    size = len(scheme)
    decided = decide_labels(probabilities, scheme, Calibration((1.0,) * size, (0.0,) * size, tuple(thresholds)))
    decided &= ~np.asarray([row.discarded for row in review.design.rows], dtype=np.bool_)[:, None]
    errors = {}
    for column, name in enumerate(scheme.names):
        sample, population = _make_sample(review, column), _make_population(review.design, column)
        errors[name] = draw_sampled_errors(decided[:, column], sample, population)
    return errors


def write_review(review: Review, path: str | Path) -> None:
    """Write a review, with its rates, as JSON without any text. Raises `UsageError`."""
    design = asdict(review.design)
    for row, labels in zip(design["rows"], review.labels, strict=True):
        row |= {"text": "", "labels": list(labels)}
    rates = {name: asdict(one) for name, one in estimate_rates(review).items()}
    write_json({"kind": KIND, "protocol": PROTOCOL, "rates": rates, "design": design}, Path(path))


def read_review(path: str | Path) -> Review:
    """The review that `write_review` wrote. Raises `DataError`."""
    values: Any = read_json(Path(path), KIND)
    try:
        labels = tuple(tuple(row.pop("labels")) for row in values["design"]["rows"])
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"the review is damaged ({error}); apply the sheet again", path=path) from error
    return Review(parse_design(values["design"], Path(path)), labels)


def _make_population(design: Design, column: int) -> Population:
    return Population(
        np.asarray([one.sentences for one in design.strata], dtype=np.float64),
        np.asarray([one.sums[column] for one in design.strata]),
        np.asarray([one.doubts[column] for one in design.strata]),
        design.mean_variances[column],
    )


def _make_sample(review: Review, column: int) -> Sample:
    rows, name = review.design.rows, review.design.scheme.names[column]
    strata = np.asarray([row.stratum for row in rows], dtype=np.int64)
    drawn = np.bincount(strata, minlength=len(review.design.strata))
    sizes = np.asarray([one.sentences for one in review.design.strata], dtype=np.float64)
    _, articles = np.unique(np.asarray([row.article_id for row in rows], dtype=str), return_inverse=True)
    return Sample(
        strata=strata,
        articles=articles,
        weights=(sizes / np.maximum(drawn, 1))[strata],
        predictions=np.asarray([row.probabilities[column] for row in rows], dtype=np.float64),
        truth=np.asarray([name in labels for labels in review.labels], dtype=np.bool_),
    )

"""Rates of every label for the whole run and for cells of it (periods, outlets), counted and corrected.

The errors of the classifier come from a hand-checked sheet, or from the sentences that the checkpoint was scored on.
Those are seldom like the corpus: what they correct is shown beside the counted rate, and not instead of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from newsacts.bulk.finished import FinishedRun
from newsacts.prevalence import (
    ErrorDraws,
    Estimate,
    adjust_count,
    count_rates,
    draw_binomial_errors,
    estimate_ratio,
    measure_design_effect,
    settle_draws,
)
from newsacts.prevalence.values import take_interval
from newsacts.report.corpus_gather import Articles
from newsacts.review.estimates import estimate_rates, measure_errors
from newsacts.review.values import Review

IntArray = npt.NDArray[np.int64]
FloatMatrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ErrorSource:
    """How the classifier errs, by label (None where it is not known), and where that is known from."""

    kind: str
    errors: Mapping[str, ErrorDraws | None]


@dataclass(frozen=True, slots=True)
class LabelRate:
    """One label in one cell: the sentences that carry it, and estimates of its rate by method."""

    count: int
    estimates: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Cell:
    """A part of the run. `rates` has a `LabelRate` for each label."""

    name: str
    articles: int
    sentences: int
    rates: Mapping[str, LabelRate]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two labels that occur together: in how many units, and how many times as often as if they were independent."""

    first: str
    second: str
    count: int
    share_of_first: float | None
    lift: Estimate


def find_errors(run: FinishedRun, thresholds: Sequence[float], review: Review | None) -> ErrorSource | None:
    """What is known of the classifier's errors at these thresholds; None where nothing is, and for a run with a cascade
    that no sheet was filled for."""
    if review is not None:
        return ErrorSource("sheet", measure_errors(review, thresholds))
    dev = run.manifest["model"].get("dev_scores") or {}
    # Scores on dev are those of the full model, which did not read all of a run with a cascade.
    if not dev or run.is_staged:
        return None
    errors = {
        name: _read_dev_errors(dev, name) if thresholds[column] == run.thresholds[column] else None
        for column, name in enumerate(run.scheme.names)
    }
    return ErrorSource("dev", errors) if any(errors.values()) else None


def rate_whole(articles: Articles, names: Sequence[str], errors: ErrorSource | None, review: Review | None) -> Cell:
    """The whole run by every estimator."""
    zeros = np.zeros(len(articles.sizes), dtype=np.int64)
    cell = rate_cells(articles, names, zeros, ["all"], errors=errors)[0]
    averaged, draws = count_rates(articles.sums, articles.sizes.astype(np.float64), zeros, cell_count=1)
    powered = estimate_rates(review) if review is not None else {}
    rates = {}
    for column, name in enumerate(names):
        mean = _estimate("averaged", float(averaged[0, column]), draws[:, 0, column])
        more = {"averaged": mean} | ({"powered": powered[name]} if name in powered else {})
        rates[name] = LabelRate(cell.rates[name].count, {**cell.rates[name].estimates, **more})
    return Cell("all", cell.articles, cell.sentences, rates)


def rate_cells(
    articles: Articles, names: Sequence[str], cells: IntArray, cell_names: Sequence[str], *, errors: ErrorSource | None
) -> list[Cell]:
    """Counted and adjusted rates of each cell; articles of cell -1 are in none."""
    sizes = articles.sizes.astype(np.float64)
    rates, draws = count_rates(articles.counts.astype(np.float64), sizes, cells, cell_count=len(cell_names))
    inside = cells >= 0
    article_counts = np.bincount(cells[inside], minlength=len(cell_names))
    sentence_counts = np.bincount(cells[inside], sizes[inside], len(cell_names)).astype(np.float64)
    label_counts = np.zeros((len(cell_names), len(names)), dtype=np.int64)
    np.add.at(label_counts, cells[inside], articles.counts[inside])
    effects = _measure_effects(rates, draws, sentence_counts)
    found = []
    for place, cell_name in enumerate(cell_names):
        by_label = {}
        for column, name in enumerate(names):
            value, size = float(rates[place, column]), float(sentence_counts[place])
            own = settle_draws(value, draws[:, place, column], size, effect=effects[column])
            estimates = {"counted": _estimate("counted", value, own)}
            if errors is not None and (known := errors.errors[name]) is not None:
                estimates["adjusted"] = adjust_count(value, own, known)
            by_label[name] = LabelRate(int(label_counts[place, column]), estimates)
        found.append(Cell(cell_name, int(article_counts[place]), int(sentence_counts[place]), by_label))
    return found


def pair_labels(articles: Articles, names: Sequence[str], *, unit: str) -> list[Pair]:
    """Labels that occur together in a sentence or in an article, most often first; pairs that never do are left out."""
    counts, both = articles.counts, articles.pairs
    sizes = articles.sizes.astype(np.float64)
    places = [(first, second) for first in range(len(names)) for second in range(first + 1, len(names))]
    if unit == "article":
        counts = (counts > 0).astype(np.int64)
        both = np.stack([counts[:, first] * counts[:, second] for first, second in places], axis=1) if places else both
        sizes = np.ones(len(counts))
    stacked = np.concatenate([counts, both], axis=1).astype(np.float64)
    rates, draws = count_rates(stacked, sizes, np.zeros(len(counts), dtype=np.int64), cell_count=1)
    pairs = []
    for place, (first, second) in enumerate(places):
        together = int(both[:, place].sum())
        if not together:
            continue
        lift = _lift(rates[0], first, second, len(names) + place)
        ends = take_interval(_lift(draws[:, 0], first, second, len(names) + place)) or (None, None)
        share = together / int(counts[:, first].sum())
        pairs.append(Pair(names[first], names[second], together, share, Estimate("counted", float(lift), *ends)))
    return sorted(pairs, key=lambda pair: -pair.count)


def _lift(rates: FloatMatrix, first: int, second: int, both: int) -> Any:
    with np.errstate(invalid="ignore", divide="ignore"):
        return rates[..., both] / (rates[..., first] * rates[..., second])


def _estimate(method: str, value: float, draws: FloatMatrix) -> Estimate:
    return Estimate(method, None if np.isnan(value) else value, *(estimate_ratio(value, draws) or (None, None)))


def _measure_effects(rates: FloatMatrix, draws: FloatMatrix, sizes: FloatMatrix) -> list[float]:
    """The design effect of each label: that of the largest cell, where it is known best."""
    if not sizes.max(initial=0):
        return [1.0] * rates.shape[1]
    largest = int(sizes.argmax())
    return [
        measure_design_effect(float(rates[largest, column]), draws[:, largest, column], float(sizes[largest]))
        for column in range(rates.shape[1])
    ]


def _read_dev_errors(dev: Mapping[str, Any], name: str) -> ErrorDraws | None:
    """Counts of hits and rejections out of precision and recall, which is how a checkpoint stores them."""
    row, sentences = dev["labels"].get(name), dev["sentences"]
    if not row or not row["support"] or not row["precision"] or row["support"] == sentences:
        return None
    hits = round(row["recall"] * row["support"])
    false_alarms = round(hits / row["precision"]) - hits
    negatives = sentences - row["support"]
    return draw_binomial_errors(hits, row["support"], negatives - false_alarms, negatives)

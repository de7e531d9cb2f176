"""Claims about rates and their intervals: they hold the truth as often as they say, and never leave 0 to 1."""

import json
import runpy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsacts.errors import UsageError
from newsacts.labels import LabelScheme
from newsacts.prevalence import (
    METHODS,
    Estimate,
    Population,
    Sample,
    adjust_count,
    count_rates,
    draw_binomial_errors,
    draw_sampled_errors,
    estimate_ratio,
    power_rate,
    settle_draws,
)
from newsacts.review.strata import allocate, assign_strata, name_strata

ROOT = Path(__file__).parents[2]
SIMULATION = runpy.run_path(str(ROOT / "scripts" / "measure_coverage.py"))
SIMULATION["draw_corpus"].__globals__["ARTICLES"] = 400


def holds(estimate: Estimate, truth: float) -> bool:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low <= truth <= estimate.high


def test_the_measured_coverage_is_of_every_world() -> None:
    result = json.loads((ROOT / "benchmarks" / "results" / "coverage.json").read_text(encoding="utf-8"))
    assert [world["world"] for world in result["worlds"]] == [asdict(world) for world in SIMULATION["WORLDS"]]


def test_powered_intervals_hold_the_truth_where_counted_ones_do_not() -> None:
    """The quick form of scripts/measure_coverage.py: probabilities are too high, and 60 corpora are drawn."""
    world = SIMULATION["World"]("too high", -4.0, lift=1.0)
    truth = float(np.mean([SIMULATION["draw_corpus"](world, 900 + seed).truth.mean() for seed in range(20)]))
    powered, counted = 0, 0
    for seed in range(60):
        corpus = SIMULATION["draw_corpus"](world, seed)
        sample, population = SIMULATION["check_by_hand"](corpus, 200, seed)
        powered += holds(power_rate(sample, population), truth)
        share = float((corpus.probabilities >= SIMULATION["THRESHOLD"]).mean())
        counted += abs(share - truth) < 4 * np.sqrt(share / len(corpus.truth))
    assert 54 <= powered <= 60
    assert counted <= 3


def test_a_perfect_classifier_makes_the_powered_interval_narrow() -> None:
    generator = np.random.default_rng(0)
    truth = generator.random(300) < 0.3
    strata, articles = np.zeros(300, dtype=np.int64), np.arange(300)
    population = Population(np.array([30_000.0]), np.array([9_000.0]), np.array([0.0]), 1e-8)

    def estimate(predictions: Any) -> Estimate:
        return power_rate(Sample(strata, articles, np.full(300, 100.0), predictions, truth), population)

    perfect, useless = estimate(truth.astype(float)), estimate(np.full(300, 0.3))
    assert perfect.low is not None
    assert perfect.high is not None
    assert useless.low is not None
    assert useless.high is not None
    assert perfect.high - perfect.low < 0.1 * (useless.high - useless.low)


def test_without_predictions_worth_anything_the_powered_rate_is_that_of_the_sample() -> None:
    truth = np.arange(100) % 4 == 0
    sample = Sample(np.zeros(100, dtype=np.int64), np.arange(100), np.ones(100), np.zeros(100), truth)
    estimate = power_rate(sample, Population(np.array([1_000.0]), np.array([0.0]), np.array([0.0]), 0.0))
    assert estimate.value == pytest.approx(0.25)


def test_a_stratum_that_nobody_checked_is_refused() -> None:
    sample = Sample(
        np.zeros(4, dtype=np.int64), np.arange(4), np.ones(4), np.full(4, 0.5), np.array([True, False, True, False])
    )
    with pytest.raises(UsageError, match=r"strata \[1\] have no checked sentence"):
        power_rate(sample, Population(np.array([10.0, 5.0]), np.array([5.0, 1.0]), np.array([2.5, 0.5]), 0.0))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 60), st.integers(0, 60), st.floats(0, 1))
def test_adjusted_rates_and_their_ends_stay_between_0_and_1(hits: int, rejections: int, rate: float) -> None:
    draws = np.clip(rate + np.linspace(-0.05, 0.05, 1_000), 0, 1)
    estimate = adjust_count(rate, draws, draw_binomial_errors(hits, 60, rejections, 60))
    assert estimate.method in METHODS
    if estimate.value is None:
        assert hits + rejections < 70
    elif estimate.low is not None and estimate.high is not None:
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


def test_the_adjusted_rate_undoes_known_errors() -> None:
    sensitivity, specificity, truth = 0.8, 0.95, 0.1
    counted = truth * sensitivity + (1 - truth) * (1 - specificity)
    errors = draw_binomial_errors(800_000, 1_000_000, 950_000, 1_000_000)
    estimate = adjust_count(counted, np.full(1_000, counted), errors)
    assert estimate.value == pytest.approx(truth)
    assert holds(estimate, truth)


def test_a_classifier_near_chance_corrects_nothing() -> None:
    assert adjust_count(0.5, np.full(1_000, 0.5), draw_binomial_errors(30, 60, 30, 60)).value is None


@pytest.mark.parametrize("counts", [(3, 2, 1, 1), (0, 0, 1, 1), (1, 1, 0, 0), (-1, 2, 1, 1)])
def test_impossible_counts_are_refused(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(UsageError, match="expected hits among positives"):
        draw_binomial_errors(*counts)


def test_weights_of_the_sheet_count_in_sensitivity() -> None:
    """One missed sentence of a stratum that stands for a hundred counts a hundred times."""
    sample = Sample(
        strata=np.array([0, 0, 1, 1]), articles=np.arange(4), weights=np.array([1.0, 1.0, 100.0, 100.0]),
        predictions=np.array([0.9, 0.9, 0.1, 0.1]), truth=np.array([True, True, True, False]),
    )  # fmt: skip
    population = Population(np.array([2.0, 200.0]), np.array([1.8, 20.0]), np.array([0.2, 18.0]), 0.0)
    errors = draw_sampled_errors(np.array([True, True, False, False]), sample, population)
    assert errors is not None
    assert errors.sensitivity == pytest.approx(2 / 102)
    one_kind = Sample(sample.strata, sample.articles, sample.weights, sample.predictions, np.ones(4, dtype=np.bool_))
    assert draw_sampled_errors(np.array([True] * 4), one_kind, population) is None


def test_positives_that_the_sheet_did_not_meet_make_sensitivity_uncertain() -> None:
    """Ten hits of ten, and of 90,000 far sentences none of fifty carries the label: sensitivity need not be 1."""
    sample = Sample(
        strata=np.repeat([0, 1], [10, 50]), articles=np.arange(60), weights=np.repeat([100.0, 1800.0], [10, 50]),
        predictions=np.repeat([0.9, 0.005], [10, 50]), truth=np.repeat([True, False], [10, 50]),
    )  # fmt: skip
    population = Population(np.array([1_000.0, 90_000.0]), np.array([900.0, 450.0]), np.array([90.0, 448.0]), 0.0)
    errors = draw_sampled_errors(sample.predictions > 0.5, sample, population)
    assert errors is not None
    assert errors.sensitivity == 1
    assert np.quantile(errors.sensitivity_draws, 0.025) < 0.5
    assert np.isfinite(errors.sensitivity_draws).all()
    everything = Population(np.array([10.0, 50.0]), population.sums, population.doubts, 0.0)
    complete = draw_sampled_errors(sample.predictions > 0.5, sample, everything)
    assert complete is not None
    assert complete.sensitivity_draws.min() == 1


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 30), st.integers(-1, 3)), max_size=40))
def test_rates_of_cells_are_ratios_with_ordered_ends(rows: list[tuple[int, int, int]]) -> None:
    sizes = np.asarray([size for size, _, _ in rows], dtype=np.float64)
    amounts = np.asarray([[min(count, size)] for size, count, _ in rows], dtype=np.float64).reshape(-1, 1)
    cells = np.asarray([cell for _, _, cell in rows], dtype=np.int64)
    rates, draws = count_rates(amounts, sizes, cells, cell_count=4)
    for cell in range(4):
        mine = cells == cell
        if not mine.any():
            assert np.isnan(rates[cell, 0])
            continue
        rate = float(rates[cell, 0])
        assert rate == pytest.approx(amounts[mine].sum() / sizes[mine].sum())
        ends = estimate_ratio(rate, settle_draws(rate, draws[:, cell, 0], sizes[mine].sum()))
        assert (ends is None) == (mine.sum() < 2)
        if ends is not None:
            assert 0 <= ends[0] <= rate <= ends[1] <= 1
            assert ends[1] > ends[0]


def test_articles_are_drawn_and_not_sentences() -> None:
    """Twenty articles that are all of one kind: as uncertain as twenty sentences, not as four hundred."""
    amounts, sizes = np.where(np.arange(20) % 2 == 0, 20.0, 0.0)[:, None], np.full(20, 20.0)
    rates, draws = count_rates(amounts, sizes, np.zeros(20, dtype=np.int64), cell_count=1)
    ends = estimate_ratio(float(rates[0, 0]), settle_draws(float(rates[0, 0]), draws[:, 0, 0], 400))
    assert ends is not None
    assert ends[1] - ends[0] > 0.3


def test_many_articles_in_groups_are_as_uncertain_as_they_are() -> None:
    generator = np.random.default_rng(1)
    counts = generator.binomial(10, generator.beta(1, 9, 20_000)).astype(np.float64)[:, None]
    sizes = np.full(20_000, 10.0)
    rates, draws = count_rates(counts, sizes, np.zeros(20_000, dtype=np.int64), cell_count=1)
    expected = float((counts[:, 0] - 10 * rates[0, 0]).std() / 10 / np.sqrt(20_000))
    assert draws[:, 0, 0].std() == pytest.approx(expected, rel=0.15)


def test_a_label_that_never_occurs_has_an_upper_end_above_0() -> None:
    draws = settle_draws(0.0, np.zeros(1_000), 400)
    ends = estimate_ratio(0.0, draws)
    assert ends is not None
    assert ends[0] == 0
    assert 0.005 < ends[1] < 0.02
    wider = estimate_ratio(0.0, settle_draws(0.0, np.zeros(1_000), 400, effect=4))
    assert wider is not None
    assert wider[1] > 3 * ends[1]
    corrected = adjust_count(0.0, draws, draw_binomial_errors(60, 100, 1_000, 1_000))
    assert corrected.value == 0
    assert corrected.high is not None
    assert corrected.high > ends[1]


@pytest.mark.parametrize("rate", [0.004, 0.02])
def test_intervals_of_rare_labels_in_few_sentences_hold_the_truth(rate: float) -> None:
    """Parts of forty articles of ten sentences: a bootstrap alone holds the truth in four fifths of them."""
    generator = np.random.default_rng(5)
    counts = generator.binomial(10, rate, (300, 40)).astype(np.float64)
    cells = np.repeat(np.arange(300), 40)
    rates, draws = count_rates(counts.reshape(-1, 1), np.full(12_000, 10.0), cells, cell_count=300)
    held = 0
    for cell in range(300):
        ends = estimate_ratio(rates[cell, 0], settle_draws(rates[cell, 0], draws[:, cell, 0], 400))
        held += ends is not None and ends[0] <= rate <= ends[1]
    assert held >= 0.92 * 300


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(0, 5_000), min_size=3, max_size=9), st.integers(20, 400), st.integers(0, 2**32 - 1)
)  # fmt: skip
def test_a_sample_is_as_large_as_asked_and_leaves_no_band_out(sizes: list[int], total: int, seed: int) -> None:
    counts = np.asarray(sizes)
    wanted = allocate(counts, np.random.default_rng(seed).random(len(sizes)) / 4, total)
    assert (wanted <= counts).all()
    assert (wanted >= np.minimum(counts, 4)).all()
    least = int(np.minimum(counts, 4).sum())
    assert wanted.sum() == max(min(total, counts.sum()), least)


@pytest.mark.parametrize("exclusive", [False, True])
def test_every_sentence_has_one_band(exclusive: bool) -> None:
    scheme = LabelScheme(("praise", "blame", "thanks"), exclusive=exclusive)
    probabilities = np.random.default_rng(0).dirichlet((0.3, 0.3, 0.3), 500).astype(np.float32)
    bands = assign_strata(probabilities, (0.5, 0.4, 0.3), scheme)
    assert set(bands) <= set(range(len(name_strata(scheme))))
    if not exclusive:
        at_or_above = (probabilities >= np.asarray((0.5, 0.4, 0.3), dtype=np.float32)).any(axis=1)
        assert (at_or_above == np.isin(bands, [0, 2, 4])).all()

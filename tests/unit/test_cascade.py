"""Claims about the first stage and its bound, without torch and without a model."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from newsacts.calibration import Calibration, compute_probabilities
from newsacts.cascade import (
    FACTS,
    STAGE,
    Cascade,
    FirstStage,
    digest_facts,
    estimate_log_odds,
    pass_stage,
    read_stage,
    to_logits,
    write_cascade,
)
from newsacts.errors import DataError, IntegrityError, ModelError, UsageError
from newsacts.evaluation.cascade import choose_threshold, choose_thresholds, count_kept, find_lower_bound, tell_labels
from newsacts.labels import LabelScheme

TOKENS, WIDTH, CHANNELS = 50, 4, 6


def draw_stage(seed: int = 0, *, labels: int = 2) -> FirstStage:
    generator = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
        return generator.integers(-127, 128, shape, dtype=np.int8)

    bias = generator.integers(-5_000, 5_000, CHANNELS, dtype=np.int32)
    head = generator.normal(size=(labels + 1, 2 * CHANNELS)) / 10_000
    return FirstStage(draw(TOKENS, WIDTH), draw(3 * WIDTH, CHANNELS), bias, head, generator.normal(size=labels + 1))


WINDOWS = st.lists(st.lists(st.integers(0, TOKENS - 1), max_size=12), max_size=30)


def score_by_hand(stage: FirstStage, window: list[int]) -> list[float]:
    """The definition, token by token, in Python's integers."""
    vectors = [[0] * WIDTH, *stage.vectors[window].tolist(), [0] * WIDTH]
    found = []
    for place in range(len(window)):
        seen = list(itertools.chain(*vectors[place : place + 3]))
        columns = stage.kernel.T.tolist()
        sums = [sum(a * b for a, b in zip(seen, column, strict=True)) for column in columns]
        found.append([max(0, value + int(bias)) for value, bias in zip(sums, stage.bias, strict=True)])
    columns = list(zip(*found, strict=True)) or [(0,)] * CHANNELS
    features = [max(column) for column in columns] + [sum(column) / max(len(window), 1) for column in columns]
    return [float(np.dot(row, features) + bias) for row, bias in zip(stage.head, stage.head_bias, strict=True)]


@given(windows=WINDOWS)
def test_a_score_is_what_the_definition_says(windows: list[list[int]]) -> None:
    stage = draw_stage()
    found = estimate_log_odds(stage, windows)
    assert found.shape == (len(windows), 3)
    for row, window in zip(found, windows, strict=True):
        assert row.tolist() == pytest.approx(score_by_hand(stage, window), rel=1e-9, abs=1e-9)


@given(windows=WINDOWS, seed=st.integers(0, 5))
def test_a_score_is_the_same_to_the_bit_in_any_company_and_order(windows: list[list[int]], seed: int) -> None:
    stage = draw_stage()
    together = estimate_log_odds(stage, windows)
    order = np.random.default_rng(seed).permutation(len(windows))
    shuffled = estimate_log_odds(stage, [windows[number] for number in order])
    assert np.array_equal(shuffled, together[order])
    for row, window in zip(together, windows, strict=True):
        assert np.array_equal(estimate_log_odds(stage, [window])[0], row)


def test_more_windows_than_a_block_keep_their_order() -> None:
    stage = draw_stage()
    windows = [[number % TOKENS] for number in range(1_000)]
    found = estimate_log_odds(stage, windows)
    assert np.array_equal(found[:TOKENS], found[TOKENS : 2 * TOKENS])
    assert np.array_equal(found[700:701], estimate_log_odds(stage, [windows[700]]))


def test_logits_of_the_stage_come_back_as_its_probabilities() -> None:
    calibration = Calibration((0.5, 2.0), (-1.0, 0.3), (0.4, 0.4))
    log_odds = np.array([[-3.0, 0.0, 9.0], [1.0, -4.0, 9.0]])
    probabilities = compute_probabilities(to_logits(log_odds, calibration), LabelScheme(("a", "b")), calibration)
    assert probabilities == pytest.approx(1 / (1 + np.exp(-log_odds[:, :2])), abs=1e-6)


def test_shapes_that_do_not_fit_and_sums_that_would_round_are_refused() -> None:
    stage = draw_stage()
    with pytest.raises(ModelError, match="do not fit"):
        replace(stage, bias=stage.bias[:-1])
    with pytest.raises(ModelError, match="do not fit"):
        replace(stage, kernel=stage.kernel[:-1])
    with pytest.raises(ModelError, match="exactly"):
        replace(stage, bias=np.full(CHANNELS, 2**24, dtype=np.int32))


@given(found=st.integers(1, 400), lost=st.integers(0, 400))
def test_the_bound_is_scipys_exact_one(found: int, lost: int) -> None:
    kept = max(0, found - lost)
    exact = binomtest(kept, found, alternative="greater").proportion_ci(confidence_level=0.95, method="exact").low
    assert find_lower_bound(kept, found) == pytest.approx(exact, abs=1e-9)


def test_the_bound_of_nothing_is_nothing_and_more_than_all_is_refused() -> None:
    assert find_lower_bound(0, 0) == 0.0
    with pytest.raises(UsageError, match="at most 3"):
        find_lower_bound(4, 3)


@given(seed=st.integers(0, 50), size=st.integers(400, 900), target=st.sampled_from([0.9, 0.97, 0.99]))
def test_the_chosen_threshold_reaches_its_target_and_the_next_one_would_not(
    seed: int, size: int, target: float
) -> None:
    generator = np.random.default_rng(seed)
    scores, found = generator.normal(size=2 * size), np.arange(2 * size) < size
    threshold = choose_threshold(scores, found, target=target)
    kept = int((scores[found] >= threshold).sum())
    assert find_lower_bound(kept, size) >= target
    assert find_lower_bound(kept - 1, size) < target


def test_too_few_labelled_sentences_for_a_promise_are_an_error_that_says_how_many_it_takes() -> None:
    with pytest.raises(DataError, match=r"298 held-out.*at least 299"):
        choose_threshold(np.zeros(298), np.ones(298, dtype=np.bool_), target=0.99)
    assert choose_threshold(np.zeros(299), np.ones(299, dtype=np.bool_), target=0.99) == 0.0


def test_the_promise_holds_in_nineteen_of_twenty_draws() -> None:
    """The threshold is chosen on one sample and its loss is known from the distribution it was drawn from."""
    generator = np.random.default_rng(0)
    broken = 0
    for _ in range(400):
        threshold = choose_threshold(generator.random(500), np.ones(500, dtype=np.bool_), target=0.97)
        broken += threshold > 0.03
    assert broken / 400 < 0.08


def test_counts_are_of_sentences_with_a_label_and_of_labels() -> None:
    decided = np.array([[True, True], [False, False], [True, False], [False, False]])
    counts = count_kept(decided, np.array([True, True, False, False]), ("a", "b"))
    assert (counts.sentences, counts.discarded, counts.found, counts.kept) == (4, 2, 2, 1)
    assert (counts.labels, counts.labels_kept, counts.discarded_share) == (3, 2, 0.5)
    assert {name: (row.found, row.kept) for name, row in counts.by_label.items()} == {"a": (2, 1), "b": (1, 1)}
    assert counts.by_label["b"].bound == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("row", "goes_on"), [((0.9, -9, 0.9), False), ((1, -9, -9), True), ((-9, 2, -9), True), ((-9, -9, 3), True)]
)
def test_one_threshold_that_is_reached_lets_a_sentence_through(row: tuple[float, ...], goes_on: bool) -> None:
    assert pass_stage(np.array([row]), (1, 2, 3)).tolist() == [goes_on]


def draw_acts(seed: int, *, frequent: int, rare: int) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds (n, 3) and decisions (n, 2), in which the last column knows little of the rare label."""
    generator = np.random.default_rng(seed)
    decided = np.zeros((2 * (frequent + rare), 2), dtype=np.bool_)
    decided[:frequent, 0] = decided[frequent : frequent + rare, 1] = True
    log_odds = generator.normal(-4, 1, (len(decided), 3))
    log_odds[:, :2] += 5 * decided
    log_odds[:frequent, 2] += 5
    return log_odds, decided


@given(seed=st.integers(0, 30), target=st.sampled_from([0.97, 0.99]), rare=st.integers(1, 500))
def test_every_label_reaches_the_target_by_itself_or_loses_nothing(seed: int, target: float, rare: int) -> None:
    log_odds, decided = draw_acts(seed, frequent=3_000, rare=rare)
    thresholds = choose_thresholds(log_odds, decided, ("often", "rare"), target=target)
    counts = count_kept(decided, pass_stage(log_odds, thresholds), ("often", "rare"))
    assert counts.bound >= target
    assert counts.by_label["often"].bound >= target
    row = counts.by_label["rare"]
    assert row.bound >= target or (row.kept == row.found and find_lower_bound(rare, rare) < target)


def test_one_threshold_for_any_label_would_lose_the_rare_one() -> None:
    log_odds, decided = draw_acts(0, frequent=3_000, rare=10)
    alone = choose_threshold(log_odds[:, -1], np.asarray(decided.any(axis=1)), target=0.99)
    lost = count_kept(decided, log_odds[:, -1] >= alone, ("often", "rare"))
    assert lost.bound >= 0.99
    assert lost.by_label["rare"].kept < 5


def test_a_label_without_a_held_out_sentence_is_refused_by_name() -> None:
    log_odds, decided = draw_acts(0, frequent=400, rare=0)
    with pytest.raises(DataError, match="'rare' to no held-out sentence"):
        choose_thresholds(log_odds, decided, ("often", "rare"), target=0.97)


def test_bounds_in_words_say_where_they_are_too_few() -> None:
    counts = {"a": {"found": 400, "kept": 400, "bound": 0.9925}, "b": {"found": 9, "kept": 9, "bound": 0.7169}}
    said = "a 400 of 400 (at least 99.2%), b 9 of 9 (at least 71.7%; too few to prove 99%)"
    assert tell_labels(counts, target=0.99) == said
    assert "too few" not in tell_labels(counts)


def test_a_stage_comes_back_from_its_file_and_damage_is_noticed(tmp_path: Path) -> None:
    stage = draw_stage()
    write_cascade(tmp_path, stage, {"levels": {}})
    facts = json.loads((tmp_path / FACTS).read_text())
    assert facts["facts_sha256"] == digest_facts(facts)
    again = read_stage(tmp_path / STAGE, sha256=facts["stage_sha256"])
    assert np.array_equal(estimate_log_odds(again, [[1, 2], []]), estimate_log_odds(stage, [[1, 2], []]))
    content = bytearray((tmp_path / STAGE).read_bytes())
    content[-1] ^= 1
    (tmp_path / STAGE).write_bytes(content)
    with pytest.raises(IntegrityError, match="changed or damaged"):
        read_stage(tmp_path / STAGE, sha256=facts["stage_sha256"])


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        ({}, None),
        ({"policy": "by hand"}, None),
        ({"intercepts": (0.1, 0.0)}, "probabilities were changed"),
        ({"thresholds": (0.4, 0.1)}, "lower"),
        ({"thresholds": (0.9, 0.5)}, "not those"),
    ],
)
def test_a_bound_is_doubted_where_the_decisions_are_not_those_it_was_measured_with(
    changes: dict[str, tuple[float, ...]], doubt: str | None
) -> None:
    known = Calibration((1.0, 1.0), (0.0, 0.0), (0.4, 0.5))
    cascade = Cascade(draw_stage(), "safe", (0.0, 0.0, 0.0), known, "0" * 64, {}, {})
    found = cascade.explain_doubt(replace(known, **changes))  # type: ignore[arg-type]
    assert (found is None) if doubt is None else (found is not None and doubt in found)

"""Claims about curves, confusions, slices and the comparison of two models."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from newsacts.errors import UsageError
from newsacts.evaluation.bootstrap import RESAMPLES, resample_sums
from newsacts.evaluation.compare import compare_models, find_flips
from newsacts.evaluation.confusion import count_confusions
from newsacts.evaluation.curves import (
    find_wilson_interval,
    measure_precision_recall,
    measure_reliability,
    tally_thresholds,
)
from newsacts.evaluation.score import Judged, measure_calibration_error
from newsacts.evaluation.slices import find_length_band, score_slices
from newsacts.labels import LabelScheme
from newsacts.records import Example

PAIR = LabelScheme(("a", "b"))
ROWS = st.lists(
    st.tuples(
        st.booleans(), st.booleans(), st.floats(0, 1, width=32), st.floats(0, 1, width=32), st.sampled_from("xyz")
    ),
    min_size=1,
    max_size=25,
)


def judge(rows: list[tuple[bool, bool, float, float, str]]) -> Judged:
    truth = np.array([row[:2] for row in rows], np.bool_)
    values = np.array([row[2:4] for row in rows], np.float32)
    return Judged(truth, values, values >= np.float32(0.5), [row[4] for row in rows])


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_a_model_does_not_differ_from_itself(rows: list[tuple[bool, bool, float, float, str]]) -> None:
    judged = judge(rows)
    comparison = compare_models(judged, judged, PAIR)
    for row in (comparison["micro_f1"], comparison["macro_f1"], *comparison["labels"].values()):
        if row is not None:
            assert row["difference"] == 0
            assert row["interval"] in ((0.0, 0.0), None)
            assert row["second_better"] in (0.5, None)
    assert find_flips(judged, judged, PAIR) == []


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_comparing_the_other_way_round_turns_the_sign(rows: list[tuple[bool, bool, float, float, str]]) -> None:
    first = judge(rows)
    second = Judged(first.truth, first.probabilities, first.probabilities >= np.float32(0.25), first.groups)
    there, back = compare_models(first, second, PAIR)["micro_f1"], compare_models(second, first, PAIR)["micro_f1"]
    if there is not None and there["interval"] is not None:
        assert there["difference"] == -back["difference"]
        assert there["interval"] == pytest.approx((-back["interval"][1], -back["interval"][0]))


def test_pairing_makes_the_interval_narrower_than_either_model_alone() -> None:
    generator = np.random.default_rng(0)
    truth = generator.random((600, 1)) < 0.5
    hard = generator.random((600, 1)) < 0.3
    groups = [str(row) for row in range(600)]
    first = truth ^ hard
    second = first.copy()
    second[:6] = truth[:6]
    one, other = (Judged(truth, decided.astype(np.float32), decided, groups) for decided in (first, second))
    row = compare_models(one, other, LabelScheme(("a",)))["micro_f1"]
    alone = compare_models(one, Judged(truth, truth.astype(np.float32), truth, groups), LabelScheme(("a",)))
    assert row["difference"] > 0
    assert np.ptp(row["interval"]) < np.ptp(alone["micro_f1"]["interval"])


def test_flips_are_mended_or_broken_and_only_the_same_sentences_compare() -> None:
    first = judge([(True, False, 0.4, 0.1, "x"), (False, False, 0.4, 0.2, "y")])
    values = np.array([[0.9, 0.1], [0.6, 0.2]], np.float32)
    second = Judged(first.truth, values, values >= 0.5, first.groups)
    flips = find_flips(first, second, PAIR)
    assert [(flip["row"], flip["label"], flip["change"]) for flip in flips] == [(0, "a", "mended"), (1, "a", "broken")]
    with pytest.raises(UsageError, match="same sentences"):
        compare_models(first, Judged(~first.truth, values, values >= 0.5, first.groups), PAIR)


def test_resampling_in_parts_draws_what_it_draws_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = np.arange(12.0).reshape(6, 2)
    at_once = resample_sums(counts)
    monkeypatch.setattr("newsacts.evaluation.bootstrap._WEIGHTS_AT_ONCE", 600)
    assert np.array_equal(resample_sums(counts), at_once)
    assert at_once.shape == (RESAMPLES, 2)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_reliability_bins_make_up_the_calibration_error(rows: list[tuple[bool, bool, float, float, str]]) -> None:
    judged = judge(rows)
    values, truth = judged.probabilities[:, 0], judged.truth[:, 0]
    bins = measure_reliability(values, truth)
    assert sum(one["sentences"] for one in bins) == len(rows)
    error = sum(one["sentences"] * abs(one["predicted"] - one["observed"]) for one in bins) / len(rows)
    assert error == pytest.approx(measure_calibration_error(values, truth), abs=1e-6)
    assert all(one["interval"][0] <= one["observed"] <= one["interval"][1] for one in bins)


@pytest.mark.parametrize(
    ("hits", "size", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (1, 1, 0.2065, 1)]
)
def test_wilson_intervals_are_the_published_ones(hits: int, size: int, low: float, high: float) -> None:
    assert find_wilson_interval(hits, size) == pytest.approx((low, high), abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_curve_points_and_tallies_are_what_a_threshold_gives(rows: list[tuple[bool, bool, float, float, str]]) -> None:
    judged = judge(rows)
    values, truth = judged.probabilities[:, 0], judged.truth[:, 0]
    tally = tally_thresholds(values, truth)
    for step in (0, 1, 250, 500, 999, 1000):
        decided = values >= np.float32(step / 1000)
        assert tally["positives"][step] == np.sum(decided & truth)
        assert tally["negatives"][step] == np.sum(decided & ~truth)
    points = measure_precision_recall(values, truth)
    assert (points is None) == (not truth.any())
    for point in points or []:
        decided = values >= np.float32(point["threshold"])
        assert point["precision"] == pytest.approx(np.sum(decided & truth) / decided.sum())
        assert point["recall"] == pytest.approx(np.sum(decided & truth) / truth.sum())


def test_a_long_curve_is_thinned_and_keeps_both_ends() -> None:
    generator = np.random.default_rng(0)
    values = generator.random(5_000).astype(np.float32)
    truth = generator.random(5_000) < values
    points = measure_precision_recall(values, truth)
    assert points is not None
    assert 80 <= len(points) <= 101
    assert points[0]["recall"] == 1
    assert points[-1]["recall"] < 0.01


def test_confusions_are_those_counted_by_hand() -> None:
    # gold a given b; gold a given a and b; gold b given nothing; no gold given a
    rows = [
        (True, False, 0.1, 0.9, "x"),
        (True, False, 0.9, 0.9, "x"),
        (False, True, 0.1, 0.1, "x"),
        (False, False, 0.9, 0.1, "x"),
    ]
    assert count_confusions(judge(rows), PAIR) == {
        "a": {"a": 1, "b": 2, "none": 0},
        "b": {"a": 0, "b": 0, "none": 1},
        "none": {"a": 1, "b": 0, "none": 0},
    }


def test_confusions_of_exclusive_labels_are_the_plain_matrix() -> None:
    generator = np.random.default_rng(0)
    gold, given_ = generator.integers(0, 2, 50), generator.integers(0, 2, 50)
    judged = Judged(
        np.eye(2, dtype=bool)[gold], np.eye(2, dtype=np.float32)[given_], np.eye(2, dtype=bool)[given_], ["x"] * 50
    )
    counted = count_confusions(judged, LabelScheme(("a", "b"), exclusive=True))
    assert [[counted[row][column] for column in "ab"] for row in "ab"] == confusion_matrix(gold, given_).tolist()
    assert counted["none"] == {"a": 0, "b": 0, "none": 0}


def test_slices_part_the_sentences() -> None:
    rows = [(True, False, 0.9, 0.1, "x"), (True, False, 0.1, 0.1, "y"), (False, False, 0.1, 0.1, "z")]
    examples = [
        Example("1", "The board accused the mayor of lying.", ("a",), "x", extra={"outlet": "Gazette"}),
        Example("2", "the board , it said , accused nobody .", ("a",), "y", extra={"outlet": None}),
        Example("3", "Rain fell. " * 30, (), "z", extra={"outlet": "Gazette"}),
    ]
    slices = score_slices(judge(rows), examples, PAIR, ["length", "register", "outlet"])
    assert list(slices["length"]["parts"]) == ["1 to 10 words", "46 words or more"]
    assert slices["register"]["parts"]["tokenised"]["sentences"] == 1
    gazette = slices["outlet"]["parts"]["Gazette"]
    assert (gazette["sentences"], gazette["micro_f1"]) == (2, 1.0)
    assert gazette["labels"]["a"] == {
        "support": 1,
        "predicted": 1,
        "f1": 1.0,
        "mean_probability": pytest.approx(0.5),
        "observed": 0.5,
    }
    assert slices["outlet"]["parts"]["(empty)"]["sentences"] == 1
    assert find_length_band("word " * 20) == "11 to 20 words"


def test_examples_with_extras_can_be_hashed_and_differ_by_them() -> None:
    plain = Example("1", "Rain fell.", (), "x")
    carrying = replace(plain, extra={"outlet": ["a", "list"]})
    assert plain != carrying
    assert hash(plain) == hash(carrying)

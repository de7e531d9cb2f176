"""Claims about operating points: what is chosen from a curve, and how curves are measured."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsacts.errors import UsageError
from newsacts.evaluation.score import number_groups
from newsacts.labels import LabelScheme
from newsacts.operating_points import (
    LabelCurve,
    choose_point,
    describe_wish,
    find_best_f1,
    find_points,
    format_curves,
    move_curve,
    parse_curves,
)
from newsacts.training.calibrate_fit import DevSet
from newsacts.training.config import CalibrationSection
from newsacts.training.operating_fit import cross_fit_wish, measure_curve, measure_curves

PAIR = LabelScheme(("a", "b"))
TARGETS = st.floats(0.01, 1)


def draw_dev(size: int = 1_500, *, seed: int = 0) -> DevSet:
    generator = np.random.default_rng(seed)
    logits = generator.normal(-1, 2, size=(size, 2))
    truth = generator.random((size, 2)) < 1 / (1 + np.exp(-1.5 * logits))
    return DevSet(logits.astype(np.float32), truth, [str(row // 3) for row in range(size)])


def draw_curve(seed: int = 0) -> LabelCurve:
    dev = draw_dev(seed=seed)
    probabilities = (1 / (1 + np.exp(-1.5 * dev.logits[:, 0]))).astype(np.float32)
    curve = measure_curve(probabilities, dev.truth[:, 0], number_groups(dev.groups), intervals=False)
    assert curve is not None
    return curve


CURVES = [draw_curve(seed) for seed in range(3)]


@given(st.sampled_from(CURVES), TARGETS, TARGETS)
def test_a_higher_wish_for_precision_never_gets_a_lower_threshold(curve: LabelCurve, one: float, two: float) -> None:
    points = [choose_point(curve, "precision", target) for target in sorted((one, two))]
    if points[0] is None:
        assert points[1] is None
    elif points[1] is not None:
        assert points[0].threshold <= points[1].threshold
        assert points[0].recall >= points[1].recall


@given(st.sampled_from(CURVES), TARGETS, TARGETS)
def test_a_higher_wish_for_recall_never_gets_a_higher_threshold(curve: LabelCurve, one: float, two: float) -> None:
    low, high = (choose_point(curve, "recall", target) for target in sorted((one, two)))
    assert low is not None
    assert high is not None
    assert low.threshold >= high.threshold


@given(st.sampled_from(CURVES), st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_a_curve_moved_there_and_back_is_the_same(curve: LabelCurve, one: float, two: float) -> None:
    assert move_curve(curve, curve.prevalence) == curve
    there = move_curve(move_curve(curve, one), two)
    for moved, direct in zip(there.points, move_curve(curve, two).points, strict=True):
        assert moved.threshold == pytest.approx(direct.threshold, abs=1e-6)
        assert moved.precision == pytest.approx(direct.precision, abs=1e-6)
        assert moved.recall == direct.recall


def test_a_point_says_what_its_threshold_does_on_the_sentences() -> None:
    dev = draw_dev()
    probabilities = (1 / (1 + np.exp(-dev.logits[:, 0]))).astype(np.float32)
    curve = measure_curve(probabilities, dev.truth[:, 0], number_groups(dev.groups))
    assert curve is not None
    assert 40 <= len(curve.points) <= 51
    thresholds = [point.threshold for point in curve.points]
    assert thresholds == sorted(set(thresholds))
    assert curve.points[0].recall == 1
    for point in curve.points:
        decided = probabilities >= np.float32(point.threshold)
        hits = np.sum(decided & dev.truth[:, 0])
        assert point.decided == decided.sum() >= 10
        assert point.precision == pytest.approx(hits / decided.sum(), abs=1e-4)
        assert point.recall == pytest.approx(hits / dev.truth[:, 0].sum(), abs=1e-4)
        assert point.precision_interval[0] <= point.precision <= point.precision_interval[1]
        assert point.recall_interval[0] <= point.recall <= point.recall_interval[1]


def test_probabilities_below_every_step_still_make_a_curve() -> None:
    truth = np.arange(30) % 3 == 0
    curve = measure_curve(np.full(30, 1e-8, np.float32), truth, np.arange(30), intervals=False)
    assert curve is not None
    assert [(point.threshold, point.decided, point.recall) for point in curve.points] == [(0.0, 30, 1.0)]


def test_a_cross_fitted_wish_is_nearly_kept_on_sentences_that_did_not_choose() -> None:
    result = cross_fit_wish(draw_dev(4_000), PAIR, CalibrationSection(), measure="precision", target=0.9)
    for name in PAIR.names:
        assert result[name]["precision"] == pytest.approx(0.9, abs=0.03)
        assert 0.2 < result[name]["recall"] < 0.95


def test_a_moved_curve_tells_the_precision_of_another_prior() -> None:
    """Under label shift: leave out nine of ten positives and measure again."""
    dev = draw_dev(30_000, seed=3)
    probabilities = (1 / (1 + np.exp(-1.5 * dev.logits[:, 0]))).astype(np.float32)
    truth, groups = dev.truth[:, 0], number_groups(dev.groups)
    curve = measure_curve(probabilities, truth, groups, intervals=False)
    kept = ~truth | (np.random.default_rng(0).random(len(truth)) < 0.1)
    assert curve is not None
    moved = move_curve(curve, float(truth[kept].mean()))
    for before, after in zip(curve.points[::10], moved.points[::10], strict=True):
        decided = probabilities[kept] >= np.float32(before.threshold)
        assert after.precision == pytest.approx(truth[kept][decided].mean(), abs=0.06)


def test_curves_survive_json() -> None:
    curves = measure_curves(draw_dev(300), PAIR, CalibrationSection())
    assert curves is not None
    stored = json.loads(json.dumps(format_curves(curves, PAIR.names)))
    assert parse_curves(stored, PAIR.names) == curves
    assert set(curves.crossfitted) == {"precision 0.9", "recall 0.9"}


def test_a_label_that_never_varies_has_no_curve_and_exclusive_labels_have_none() -> None:
    dev = draw_dev(60)
    never = DevSet(dev.logits, dev.truth & np.array([True, False]), dev.groups)
    curves = measure_curves(never, PAIR, CalibrationSection())
    assert curves is not None
    assert curves.labels[1] is None
    assert curves.crossfitted["recall 0.9"]["b"] is None
    assert measure_curves(dev, LabelScheme(("a", "b"), exclusive=True), CalibrationSection()) is None
    with pytest.raises(UsageError, match="b: the development sentences held only one case"):
        find_points({"b": None}, "recall", 0.9)


def test_a_wish_out_of_reach_is_an_error_with_what_is_reached_or_the_nearest() -> None:
    best = max(CURVES[0].points, key=lambda point: point.precision)
    low = LabelCurve(CURVES[0].prevalence, tuple(point for point in CURVES[0].points if point.precision < 0.9))
    nearest = max(low.points, key=lambda point: point.precision)
    with pytest.raises(UsageError, match=f"b reaches precision {nearest.precision:.3f} at most"):
        find_points({"a": CURVES[0], "b": low}, "precision", 0.9)
    points = find_points({"a": CURVES[0], "b": low}, "precision", 0.9, nearest=True)
    assert points["b"] == nearest
    assert best.precision >= points["a"].precision >= 0.9
    assert describe_wish(points, "precision", 0.9) == f"precision 0.9 (b: {nearest.precision:.3f})"


@pytest.mark.parametrize("wish", [("precision", None), ("recall", 1.5), ("f1", 0.5), ("accuracy", 0.9)])
def test_wishes_that_make_no_sense_are_refused(wish: tuple[str, float | None]) -> None:
    with pytest.raises(UsageError):
        find_points({"a": CURVES[0]}, *wish)  # type: ignore[arg-type]


def test_best_f1_is_the_best_of_the_points() -> None:
    assert find_best_f1(CURVES[0]).f1 == max(point.f1 for point in CURVES[0].points)

"""Claims about fitting calibrations and thresholds."""

import logging

import numpy as np
import pytest

from newsacts.calibration import compute_probabilities, decide_labels
from newsacts.errors import UsageError
from newsacts.evaluation.score import measure_calibration_error
from newsacts.labels import LabelScheme
from newsacts.training.calibrate_fit import DevSet, choose_threshold, cross_fit, fit_calibration
from newsacts.training.config import CalibrationSection

ONE = LabelScheme(("a",))


def draw(size: int = 4000, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are too sure by a factor of three, and truths that follow a third of them."""
    generator = np.random.default_rng(seed)
    honest = generator.normal(-1, 2, size=(size, 1))
    truth = generator.random((size, 1)) < 1 / (1 + np.exp(-honest))
    return (3 * honest).astype(np.float32), truth


def test_platt_scaling_mends_logits_that_are_too_sure() -> None:
    logits, truth = draw()
    calibration = fit_calibration(logits, truth, ONE, CalibrationSection())
    assert calibration.slopes[0] == pytest.approx(1 / 3, abs=0.05)
    fresh, fresh_truth = draw(seed=1)
    mended = compute_probabilities(fresh, ONE, calibration)[:, 0]
    assert measure_calibration_error(mended, fresh_truth[:, 0]) < 0.02


def test_the_f1_threshold_is_near_the_best_on_fresh_data() -> None:
    from sklearn.metrics import f1_score

    logits, truth = draw()
    calibration = fit_calibration(logits, truth, ONE, CalibrationSection(policy="f1"))
    fresh, fresh_truth = draw(seed=1)
    probabilities = compute_probabilities(fresh, ONE, calibration)
    ours = f1_score(fresh_truth, decide_labels(probabilities, ONE, calibration))
    best = max(f1_score(fresh_truth, probabilities >= threshold) for threshold in np.linspace(0.05, 0.95, 91))
    assert ours > best - 0.01
    assert calibration.policy == "best F1"


@pytest.mark.parametrize("policy", ["precision", "recall"])
def test_a_wanted_precision_or_recall_is_reached_on_the_fitting_data(policy: str) -> None:
    logits, truth = draw()
    section = CalibrationSection.model_validate({"policy": policy, "target": 0.9})
    calibration = fit_calibration(logits, truth, ONE, section)
    decided = decide_labels(compute_probabilities(logits, ONE, calibration), ONE, calibration)
    hits = float((decided & truth).sum())
    reached = hits / decided.sum() if policy == "precision" else hits / truth.sum()
    assert 0.9 <= reached < 0.93
    assert calibration.policy == f"{policy} 0.9"


@pytest.mark.parametrize("policy", ["precision", "recall"])
def test_a_threshold_that_few_sentences_reach_is_not_taken(policy: str, caplog: pytest.LogCaptureFixture) -> None:
    """The two surest are right, and of the ten surest six: a precision of two sentences is a guess."""
    probabilities = np.linspace(0.99, 0.01, 40, dtype=np.float32)
    truth = np.isin(np.arange(40), [0, 1, 3, 5, 7, 9])
    section = CalibrationSection.model_validate({"policy": policy, "target": 0.9 if policy == "precision" else 0.3})
    with caplog.at_level(logging.WARNING, logger="newsacts"):
        threshold = choose_threshold(probabilities, truth, section, label="regret")
    assert (probabilities >= np.float32(threshold)).sum() == 10
    warned = "regret: no threshold that 10 dev sentences reach has precision 0.9" in caplog.text
    assert warned == (policy == "precision")


def test_a_fixed_threshold_is_taken_as_it_is() -> None:
    section = CalibrationSection(policy="fixed", target=0.37)
    assert choose_threshold(np.zeros(3, np.float32), np.array([True, False, True]), section) == 0.37


@pytest.mark.parametrize("value", [True, False])
def test_a_label_without_both_kinds_of_examples_is_left_alone(value: bool) -> None:
    logits = np.linspace(-1, 1, 10, dtype=np.float32)[:, None]
    calibration = fit_calibration(logits, np.full((10, 1), value), ONE, CalibrationSection())
    assert (calibration.slopes, calibration.intercepts, calibration.thresholds) == ((1.0,), (0.0,), (0.5,))


def test_logits_that_point_the_wrong_way_are_not_turned_around() -> None:
    logits, truth = draw()
    assert fit_calibration(-logits, truth, ONE, CalibrationSection()).slopes == (1.0,)


def test_a_temperature_cools_an_exclusive_scheme_that_is_too_sure() -> None:
    generator = np.random.default_rng(0)
    honest = generator.normal(size=(3000, 3))
    powers = np.exp(honest) / np.exp(honest).sum(axis=1, keepdims=True)
    chosen = np.array([generator.choice(3, p=row) for row in powers])
    scheme = LabelScheme(("a", "b", "c"), exclusive=True)
    calibration = fit_calibration(
        (2 * honest).astype(np.float32), np.eye(3, dtype=bool)[chosen], scheme, CalibrationSection()
    )
    assert calibration.slopes[0] == pytest.approx(0.5, abs=0.06)
    assert len(set(calibration.slopes)) == 1


def test_cross_fitting_never_judges_an_article_by_itself() -> None:
    """One article of odd sentences must not be able to raise its own probabilities."""
    logits, truth = draw(400)
    groups = [str(row // 4) for row in range(400)]
    before = cross_fit(DevSet(logits, truth, groups), ONE, CalibrationSection()).probabilities
    flipped = truth.copy()
    flipped[:4] = ~flipped[:4]
    after = cross_fit(DevSet(logits, flipped, groups), ONE, CalibrationSection()).probabilities
    assert np.array_equal(before[:4], after[:4])
    assert not np.array_equal(before, after)


def test_cross_fitting_one_article_says_what_is_missing() -> None:
    logits, truth = draw(10)
    with pytest.raises(UsageError, match="at least two articles"):
        cross_fit(DevSet(logits, truth, ["x"] * 10), ONE, CalibrationSection())


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(UsageError, match="must both be"):
        fit_calibration(np.zeros((2, 1), np.float32), np.zeros((3, 1), bool), ONE, CalibrationSection())

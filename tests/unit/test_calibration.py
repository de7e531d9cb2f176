"""Claims about turning logits into probabilities and labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from newsacts.calibration import (
    Calibration,
    compute_probabilities,
    decide_labels,
    identity_calibration,
    name_labels,
)
from newsacts.errors import UsageError
from newsacts.labels import LabelScheme

PAIR = LabelScheme(("a", "b"))
CHOICE = LabelScheme(("a", "b", "c"), exclusive=True)
logits_of_three = hnp.arrays(
    np.float32, st.tuples(st.integers(0, 5), st.just(3)), elements=st.floats(-1e4, 1e4, width=32)
)


def test_identity_is_the_logistic_function() -> None:
    probabilities = compute_probabilities(np.array([[0.0, 2.0]], np.float32), PAIR, identity_calibration(2))
    assert probabilities == pytest.approx(np.array([[0.5, 1 / (1 + np.exp(-2))]]), abs=1e-6)


def test_slope_and_intercept_are_applied_per_label() -> None:
    calibration = Calibration((2.0, 1.0), (1.0, -3.0), (0.5, 0.5))
    probabilities = compute_probabilities(np.array([[-0.5, 3.0]], np.float32), PAIR, calibration)
    assert probabilities == pytest.approx(np.array([[0.5, 0.5]]))


@given(logits_of_three)
def test_exclusive_probabilities_sum_to_one_for_any_logits(logits: np.ndarray) -> None:
    probabilities = compute_probabilities(logits, CHOICE, identity_calibration(3))
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(len(logits)), abs=1e-5)


@given(logits_of_three)
def test_exclusive_schemes_give_exactly_one_label(logits: np.ndarray) -> None:
    probabilities = compute_probabilities(logits, CHOICE, identity_calibration(3))
    assert (decide_labels(probabilities, CHOICE, identity_calibration(3)).sum(axis=1) == 1).all()


@given(logits_of_three)
def test_probabilities_are_finite_and_within_zero_and_one(logits: np.ndarray) -> None:
    scheme = LabelScheme(("a", "b", "c"))
    probabilities = compute_probabilities(logits, scheme, identity_calibration(3))
    assert np.isfinite(probabilities).all()
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_a_probability_at_its_threshold_counts() -> None:
    calibration = Calibration((1.0, 1.0), (0.0, 0.0), (0.25, 0.5))
    decided = decide_labels(np.array([[0.25, 0.49]], np.float32), PAIR, calibration)
    assert decided.tolist() == [[True, False]]


def test_labels_are_named_strongest_first() -> None:
    assert name_labels([0.6, 0.9, 0.1], [True, True, False], LabelScheme(("a", "b", "c"))) == ("b", "a")


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(UsageError, match="2, 1 and 2"):
        Calibration((1.0, 1.0), (0.0,), (0.5, 0.5))

"""Claims about the correction for another prior and its estimate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsacts.calibration import Calibration, compute_probabilities, identity_calibration
from newsacts.errors import UsageError
from newsacts.evaluation.score import measure_calibration_error
from newsacts.labels import LabelScheme
from newsacts.priors import correct_probabilities, estimate_prior, fill_shares, shift_prior

ONE = LabelScheme(("a",))
PAIR = LabelScheme(("a", "b"))
THREE = LabelScheme(("a", "b", "c"), exclusive=True)
SHARES = st.floats(0.001, 0.999)
LOGITS = st.floats(-12, 12, width=32)


def draw(prior: float, size: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are log odds at the prior 0.3 (two normal classes two deviations apart), and truths at `prior`."""
    generator = np.random.default_rng(seed)
    truth = generator.random((size, 1)) < prior
    feature = generator.normal(np.where(truth, 1.0, -1.0))
    return (2 * feature + np.log(0.3 / 0.7)).astype(np.float32), truth


def fitted(prevalence: tuple[float, ...]) -> Calibration:
    size = len(prevalence)
    return Calibration((1.0,) * size, (0.0,) * size, (0.5,) * size, prevalence=prevalence)


@given(st.lists(LOGITS, min_size=1, max_size=20), SHARES)
def test_the_same_prior_changes_nothing(logits: list[float], share: float) -> None:
    before = fitted((share,))
    assert shift_prior(before, (share,), exclusive=False) == before
    values = compute_probabilities(np.array(logits, np.float32)[:, None], ONE, before)
    assert correct_probabilities(values, (share,), (share,), exclusive=False) == pytest.approx(values, abs=1e-6)


@given(st.lists(LOGITS, min_size=1, max_size=20), SHARES, SHARES)
def test_moved_lines_and_corrected_probabilities_agree(logits: list[float], old: float, new: float) -> None:
    values = np.array(logits, np.float32)[:, None]
    moved = compute_probabilities(values, ONE, shift_prior(fitted((old,)), (new,), exclusive=False))
    corrected = correct_probabilities(
        compute_probabilities(values, ONE, fitted((old,))), (old,), (new,), exclusive=False
    )
    assert moved == pytest.approx(corrected, abs=1e-3)


@given(SHARES, SHARES, SHARES)
def test_two_shifts_are_the_last_one(start: float, between: float, end: float) -> None:
    twice = shift_prior(shift_prior(fitted((start,)), (between,), exclusive=False), (end,), exclusive=False)
    once = shift_prior(fitted((start,)), (end,), exclusive=False)
    assert twice.intercepts == pytest.approx(once.intercepts, abs=1e-6)
    assert twice.prevalence == once.prevalence


@given(LOGITS, SHARES, SHARES)
def test_a_commoner_label_is_never_less_probable(logit: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    values = np.array([[logit]], np.float32)
    said = [
        compute_probabilities(values, ONE, shift_prior(fitted((0.3,)), (share,), exclusive=False))[0, 0]
        for share in (low, high)
    ]
    assert said[0] <= said[1] + 1e-6


def test_exclusive_probabilities_still_add_up_to_one() -> None:
    logits = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    moved = shift_prior(fitted((0.2, 0.3, 0.5)), (0.6, 0.3, 0.1), exclusive=True)
    after = compute_probabilities(logits, THREE, moved)
    assert after.sum(axis=1) == pytest.approx(1, abs=1e-5)
    before = compute_probabilities(logits, THREE, fitted((0.2, 0.3, 0.5)))
    expected = correct_probabilities(before, (0.2, 0.3, 0.5), (0.6, 0.3, 0.1), exclusive=True)
    assert after == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("prior", [0.02, 0.1, 0.6])
def test_correction_mends_calibration_under_label_shift(prior: float) -> None:
    logits, truth = draw(prior, 20_000)
    errors = [
        measure_calibration_error(compute_probabilities(logits, ONE, calibration)[:, 0], truth[:, 0])
        for calibration in (fitted((0.3,)), shift_prior(fitted((0.3,)), (prior,), exclusive=False))
    ]
    assert errors[1] < 0.01 < errors[0]


@pytest.mark.parametrize("prior", [0.02, 0.1, 0.3, 0.8])
def test_expectation_maximisation_recovers_a_known_prior(prior: float) -> None:
    logits, _ = draw(prior, 20_000, seed=1)
    (estimated,) = estimate_prior(compute_probabilities(logits, ONE, fitted((0.3,))), (0.3,))
    assert estimated == pytest.approx(prior, abs=0.01)


def test_expectation_maximisation_recovers_the_priors_of_exclusive_labels() -> None:
    generator = np.random.default_rng(2)
    truth = generator.choice(3, size=20_000, p=[0.1, 0.2, 0.7])
    centres = np.eye(3) * 3
    features = centres[truth] + generator.normal(size=(20_000, 3))
    logits = (features @ centres.T + np.log([0.4, 0.4, 0.2])).astype(np.float32)
    values = compute_probabilities(logits, THREE, identity_calibration(3))
    assert estimate_prior(values, (0.4, 0.4, 0.2), exclusive=True) == pytest.approx((0.1, 0.2, 0.7), abs=0.01)


def test_a_corpus_without_the_label_gets_a_usable_prior() -> None:
    (share,) = estimate_prior(np.full((500, 1), 0.001, np.float32), (0.3,))
    assert 0 < share < 0.001


@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_a_label_that_never_varied_stays_as_it_is_and_hinders_no_other(edge: float) -> None:
    before = fitted((0.3, edge))
    moved = shift_prior(before, (0.1, edge), exclusive=False)
    alone = shift_prior(fitted((0.3,)), (0.1,), exclusive=False)
    assert moved.intercepts == (alone.intercepts[0], 0.0)
    assert moved.prevalence == (0.1, edge)
    logits, _ = draw(0.1, 5_000)
    values = compute_probabilities(np.hstack([logits, logits]), PAIR, before)
    shares = estimate_prior(values, (0.3, edge))
    assert shares == pytest.approx((estimate_prior(values[:, :1], (0.3,))[0], edge), abs=1e-9)
    assert shares[1] == edge
    corrected = correct_probabilities(values, (0.3, edge), shares, exclusive=False)
    assert np.array_equal(corrected[:, 1], values[:, 1].astype(np.float64))
    with pytest.raises(UsageError, match=r"the share of b cannot be changed: (none|all) of .* fitted_at=\{'b': share"):
        shift_prior(before, (0.3, 0.1), exclusive=False, names=PAIR.names)


def test_an_exclusive_label_that_never_varied_keeps_its_share_and_the_others_fill_the_rest() -> None:
    before = fitted((0.4, 0.6, 0.0))
    assert shift_prior(before, (0.5, 0.5, 0.0), exclusive=True).intercepts[2] == 0.0
    logits = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)
    shares = estimate_prior(compute_probabilities(logits, THREE, before), (0.4, 0.6, 0.0), exclusive=True)
    assert shares[2] == 0.0
    assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize(
    ("prior", "words"),
    [((0.0,), "between 0 and 1"), ((1.0,), "between 0 and 1"), ((float("nan"),), "between 0 and 1")],
)
def test_shares_that_are_no_shares_are_refused(prior: tuple[float, ...], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        shift_prior(fitted((0.3,)), prior, exclusive=False)


def test_what_is_not_known_is_said() -> None:
    with pytest.raises(UsageError, match="fitted_at"):
        shift_prior(identity_calibration(1), (0.5,), exclusive=False)
    with pytest.raises(UsageError, match="missing: b"):
        fill_shares({"a": 0.1}, PAIR, None)
    with pytest.raises(UsageError, match="did you mean 'a'"):
        fill_shares({"A": 0.1}, PAIR, (0.1, 0.2))
    with pytest.raises(UsageError, match="no sentence"):
        estimate_prior(np.zeros((0, 1), np.float32), (0.3,))
    with pytest.raises(UsageError, match="add up to 1"):
        shift_prior(fitted((0.2, 0.3, 0.5)), (0.2, 0.2, 0.2), exclusive=True)
    assert fill_shares({"b": 0.5}, PAIR, (0.1, 0.2)) == (0.1, 0.5)


def test_a_policy_says_once_that_the_prior_was_changed() -> None:
    moved = shift_prior(shift_prior(fitted((0.3,)), (0.1,), exclusive=False), (0.2,), exclusive=False)
    assert moved.policy == "fixed, kept under another prior"

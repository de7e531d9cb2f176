"""Claims about example-based F1."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from newsacts.evaluation.example_based import bound_example_f1, measure_example_f1

ROWS = st.lists(
    st.tuples(*[st.booleans()] * 6).filter(any),
    min_size=1,
    max_size=12,
)


def test_sentences_without_gold_and_prediction_are_left_out_of_the_mean() -> None:
    truth = np.array([[1, 1], [0, 0], [0, 0], [1, 0]], dtype=np.bool_)
    decided = np.array([[1, 0], [0, 0], [0, 1], [1, 0]], dtype=np.bool_)
    assert measure_example_f1(truth, decided) == pytest.approx((2 / 3 + 0 + 1) / 3)


def test_where_nothing_is_labelled_there_is_no_figure() -> None:
    nothing = np.zeros((3, 2), dtype=np.bool_)
    assert measure_example_f1(nothing, nothing) is None
    assert bound_example_f1(nothing, nothing, ["a", "b", "c"]) is None


@given(ROWS)
def test_it_is_the_samples_average_of_scikit_learn_where_that_is_defined(rows: list[tuple[bool, ...]]) -> None:
    both = np.array(rows, dtype=np.bool_)
    truth, decided = both[:, :3], both[:, 3:]
    theirs = f1_score(truth, decided, average="samples", zero_division=0)
    assert measure_example_f1(truth, decided) == pytest.approx(theirs)


def test_the_interval_holds_the_figure_and_resamples_whole_articles() -> None:
    generator = np.random.default_rng(0)
    truth, decided = generator.random((2, 200, 3)) < 0.4
    value = measure_example_f1(truth, decided)
    many, few = ([f"{row // size}" for row in range(200)] for size in (1, 50))
    low, high = bound_example_f1(truth, decided, many) or (1.0, 0.0)
    assert value is not None
    assert low < value < high
    assert bound_example_f1(truth, decided, many) != bound_example_f1(truth, decided, few)

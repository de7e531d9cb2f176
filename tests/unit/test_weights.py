"""Claims about storing weights small."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from newsacts.errors import ModelError, UsageError
from newsacts.weights import ENCODERS, Array, decode_weights, encode_weights

Floats = npt.NDArray[np.float32]

numbers = st.floats(-3, 3, width=32)
matrices = hnp.arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=numbers)


def make_pair(matrix: Floats, shift: Floats) -> tuple[dict[str, Array], dict[str, Array]]:
    base = {"frozen": matrix, "matrix": matrix, "bias": matrix[0]}
    state = {"frozen": matrix, "matrix": matrix + shift, "bias": matrix[0] + 1, "head": shift}
    return state, base


@given(matrices, st.integers(0, 2**32 - 1))
def test_full_weights_come_back_exactly_and_need_no_base(matrix: Floats, seed: int) -> None:
    shift = np.random.default_rng(seed).normal(size=matrix.shape).astype(np.float32)
    state, base = make_pair(matrix, shift)
    back = decode_weights(encode_weights(state, base, "full"), {})
    assert back.keys() == state.keys()
    assert all(np.array_equal(back[name], state[name]) for name in state)


@given(matrices, st.integers(0, 2**32 - 1))
def test_an_int8_delta_is_off_by_at_most_half_a_step(matrix: Floats, seed: int) -> None:
    shift = np.random.default_rng(seed).normal(size=matrix.shape).astype(np.float32)
    state, base = make_pair(matrix, shift)
    back = decode_weights(encode_weights(state, base, "delta-int8"), base)
    step = np.abs(shift).max(axis=1, keepdims=True) / 127
    assert (
        np.abs(np.asarray(back["matrix"], np.float32) - np.asarray(state["matrix"], np.float32)) <= step / 2 + 1e-5
    ).all()
    assert all(np.array_equal(back[name], state[name]) for name in ("frozen", "bias", "head"))


def test_a_low_rank_delta_of_the_full_rank_is_exact() -> None:
    generator = np.random.default_rng(0)
    base = {"matrix": generator.normal(size=(9, 7)).astype(np.float32)}
    delta = generator.normal(size=(9, 2)) @ generator.normal(size=(2, 7))
    state = {"matrix": (base["matrix"] + delta).astype(np.float32)}
    stored = encode_weights(state, base, "delta-low-rank", rank=2)
    assert sum(tensor.size for tensor in stored.values()) == 2 * (9 + 7)
    assert decode_weights(stored, base)["matrix"] == pytest.approx(state["matrix"], abs=1e-5)


def test_an_unchanged_tensor_costs_nothing_in_a_delta() -> None:
    matrix = np.ones((300, 300), np.float32)
    stored = encode_weights({"frozen": matrix}, {"frozen": matrix}, "delta-int8")
    assert sum(tensor.nbytes for tensor in stored.values()) == 0
    assert np.array_equal(decode_weights(stored, {"frozen": matrix})["frozen"], matrix)


def test_tensors_of_the_base_that_the_model_lacks_stay_out() -> None:
    matrix = np.ones((2, 2), np.float32)
    stored = encode_weights({"kept": matrix}, {"kept": matrix, "left_behind": matrix}, "delta-int8")
    assert decode_weights(stored, {"kept": matrix, "left_behind": matrix}).keys() == {"kept"}


@pytest.mark.parametrize("weight_format", [name for name in ENCODERS if name != "full"])
def test_a_delta_without_its_base_is_an_error(weight_format: str) -> None:
    base = {"matrix": np.zeros((3, 3), np.float32)}
    stored = encode_weights({"matrix": np.eye(3, dtype=np.float32)}, base, weight_format)
    with pytest.raises(ModelError, match="matrix"):
        decode_weights(stored, {})


def test_an_unknown_format_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="full, delta-int8, delta-low-rank"):
        encode_weights({}, {}, "float4")

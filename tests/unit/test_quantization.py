"""Claims about the arithmetic of int8, and about which CPUs it is right on."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from newsacts.backends.onnx_session import choose_int8, choose_threads, count_cores
from newsacts.backends.quantization import (
    FULL_STEPS,
    REDUCED_STEPS,
    Spread,
    choose_grid,
    measure_spread,
    quantize_rows,
    smooth_channels,
)
from newsacts.calibration import FloatArray

MATRICES = arrays.arrays(np.float32, (3, 5), elements=st.floats(-100, 100, width=32))


@given(MATRICES, st.sampled_from([FULL_STEPS, REDUCED_STEPS]))
def test_a_quantised_weight_is_off_by_half_a_step_at_most(weight: FloatArray, steps: int) -> None:
    quantized, scales = quantize_rows(weight, steps)
    assert np.abs(quantized.astype(int)).max() <= steps
    assert (np.abs(quantized * scales[:, None] - weight) <= 0.501 * scales[:, None]).all()


@given(MATRICES)
def test_the_grid_holds_every_measured_value_and_zero(values: FloatArray) -> None:
    spread, ones = measure_spread(values), np.ones(5, dtype=np.float32)
    scale, zero = choose_grid(spread, ones)
    assert 0 <= zero <= 255
    steps = np.clip(np.rint(values / scale) + zero, 0, 255)
    assert np.abs((steps - zero) * scale - values).max() <= 1.01 * scale


@given(MATRICES, MATRICES)
def test_smoothing_changes_no_product(values: FloatArray, weight: FloatArray) -> None:
    factors = smooth_channels(measure_spread(values), weight)
    plain = values.astype(np.float64) @ weight.T
    moved = (values / factors.astype(np.float64)) @ (weight * factors).T
    assert np.abs(moved - plain).max() <= 1e-5 * np.abs(plain).max() + 1e-2


def test_smoothing_brings_a_far_reaching_channel_nearer_to_the_rest() -> None:
    spread = Spread(np.array([-1, -1, -30], np.float32), np.array([1, 1, 30], np.float32))
    reach = spread.high / smooth_channels(spread, np.ones((2, 3), np.float32))
    assert reach.max() / reach.min() < 3


def test_reduced_weights_never_overflow_sixteen_bits() -> None:
    assert 2 * 255 * REDUCED_STEPS < 2**15 < 2 * 255 * FULL_STEPS


@pytest.mark.parametrize(
    ("machine", "facts", "steps", "reason"),
    [
        ("x86_64", "flags : sse4 avx2 avx512_vnni", FULL_STEPS, "avx512_vnni"),
        ("AMD64", "flags : avx2 avx_vnni", FULL_STEPS, "avx_vnni"),
        ("aarch64", "", FULL_STEPS, "ARM"),
        ("x86_64", "flags : sse4 avx2", REDUCED_STEPS, "no VNNI"),
        ("x86_64", "", REDUCED_STEPS, "does not tell"),
    ],
)
def test_full_weights_only_where_the_cpu_multiplies_them_exactly(
    machine: str, facts: str, steps: int, reason: str
) -> None:
    found, choice = choose_int8(machine, facts)
    assert found == steps
    assert reason in choice.reason


@pytest.mark.parametrize(("quota", "cores"), [("max 100000\n", 4), ("250000 100000\n", 3), ("50000 100000", 1)])
def test_a_container_gets_no_more_threads_than_it_may_keep_busy(
    quota: str, cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    monkeypatch.setattr("newsacts.backends.onnx_session._QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr("newsacts.backends.onnx_session._TOPOLOGY", tmp_path)
    monkeypatch.setattr("newsacts.backends.onnx_session.os.sched_getaffinity", lambda _: range(4), raising=False)
    assert count_cores() == cores


def test_threads_are_the_cores_unless_fewer_are_asked_for() -> None:
    cores = count_cores()
    assert choose_threads({}).value == str(cores)
    assert choose_threads({"OMP_NUM_THREADS": "1"}).value == "1"
    assert choose_threads({"OMP_NUM_THREADS": str(cores + 1)}).value == str(cores)
    assert choose_threads({"OMP_NUM_THREADS": "many"}).value == str(cores)

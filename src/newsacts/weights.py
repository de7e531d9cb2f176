"""Ways to write a model's weights small, and to read them back: full, int8 delta, low-rank delta.

A fine-tuned encoder differs little from its base, so the default checkpoint stores the difference: frozen
tensors as an empty mark, matrices as one int8 step per row ("delta-int8"), or as two thin factors
("delta-low-rank", exact for a LoRA of that rank), everything else in full. "full" needs no base. Each
encoder is a pure function between dictionaries of numpy arrays; the layout on disk is the key's suffix.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from newsacts.errors import ModelError, UsageError

Array = npt.NDArray[np.generic]
Tensors = Mapping[str, Array]
Shape = tuple[int, ...]

_STEPS, _SCALE = ":int8", ":scale"
_LEFT, _RIGHT = ":left", ":right"
_FROM_BASE = ":base"
_INT8_LIMIT = 127
_SHOWN = 3


def encode_full(state: Tensors, base: Tensors, rank: int) -> dict[str, Array]:
    """Every tensor as float32; needs no base to be read."""
    return {name: _as_float(tensor) for name, tensor in state.items()}


def encode_int8_delta(state: Tensors, base: Tensors, rank: int) -> dict[str, Array]:
    """Matrices as base + scale[row] * int8; half the error of a row is at most scale / 2."""
    return _encode_delta(state, base, _quantize_rows)


def encode_low_rank_delta(state: Tensors, base: Tensors, rank: int) -> dict[str, Array]:
    """Matrices as base + left @ right, the best approximation of this rank (Eckart and Young 1936)."""
    return _encode_delta(state, base, lambda name, delta: _factorize(name, delta, rank))


ENCODERS: Mapping[str, Callable[[Tensors, Tensors, int], dict[str, Array]]] = {
    "full": encode_full,
    "delta-int8": encode_int8_delta,
    "delta-low-rank": encode_low_rank_delta,
}
"""Weight formats by the name that a config and newsacts.json use."""


def encode_weights(state: Tensors, base: Tensors, weight_format: str, *, rank: int = 32) -> dict[str, Array]:
    """Tensors to store for a model `state` whose base model has the tensors `base` (same names)."""
    if weight_format not in ENCODERS:
        raise UsageError(f"unknown weight format {weight_format!r}, expected one of {', '.join(ENCODERS)}")
    return ENCODERS[weight_format](state, base, rank)


def decode_weights(stored: Tensors, base: Tensors) -> dict[str, Array]:
    """The full float32 state from stored tensors and the base's; the inverse of every encoder.

    Raises `ModelError` where a stored difference has no base tensor of its shape.
    """
    state: dict[str, Array] = {}
    for key, tensor in stored.items():
        name, mark, kind = key.partition(":")
        if not mark:
            state[name] = _as_float(tensor)
        elif f":{kind}" == _FROM_BASE:
            if name not in base:
                raise ModelError(f"tensor {name!r} should come from the base model, which has none of that name")
            state[name] = _as_float(base[name])
        elif f":{kind}" == _STEPS:
            delta = tensor.astype(np.float32) * _partner(stored, name + _SCALE)
            state[name] = _add_to_base(base, name, delta)
        elif f":{kind}" == _LEFT:
            state[name] = _add_to_base(base, name, _as_float(tensor) @ _partner(stored, name + _RIGHT))
        elif f":{kind}" not in {_SCALE, _RIGHT}:
            raise ModelError(f"stored tensor {key!r} has an unknown layout; a newer newsacts may have written it")
    return state


def check_shapes(state: Tensors, expected: Mapping[str, Shape]) -> None:
    """Raises `ModelError` where a tensor of `expected` is missing, left over, or of another shape."""
    faults = [f"{name!r} is missing" for name in expected if name not in state]
    faults += [f"{name!r} has no place" for name in state if name not in expected]
    faults += [
        f"{name!r} has the shape {state[name].shape} instead of {shape}"
        for name, shape in expected.items()
        if name in state and state[name].shape != shape
    ]
    if faults:
        more = f" and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise ModelError(
            f"weights do not fit the network of config.json: {'; '.join(faults[:_SHOWN])}{more}; restore the checkpoint"
        )


def _encode_delta(
    state: Tensors, base: Tensors, encode_matrix: Callable[[str, npt.NDArray[np.float32]], dict[str, Array]]
) -> dict[str, Array]:
    stored: dict[str, Array] = {}
    for name, tensor in state.items():
        value = _as_float(tensor)
        origin = _as_float(base[name]) if name in base and base[name].shape == tensor.shape else None
        if origin is None or (value.ndim != 2 and not np.array_equal(value, origin)):  # noqa: PLR2004 - matrices
            stored[name] = value
        elif np.array_equal(value, origin):
            stored[name + _FROM_BASE] = np.zeros(0, dtype=np.int8)
        else:
            stored |= encode_matrix(name, value - origin)
    return stored


def _quantize_rows(name: str, delta: npt.NDArray[np.float32]) -> dict[str, Array]:
    largest = np.abs(delta).max(axis=1, keepdims=True)
    scale = np.where(largest > 0, largest / _INT8_LIMIT, 1).astype(np.float32)
    return {name + _STEPS: np.rint(delta / scale).astype(np.int8), name + _SCALE: scale}


def _factorize(name: str, delta: npt.NDArray[np.float32], rank: int) -> dict[str, Array]:
    left, sizes, right = np.linalg.svd(delta, full_matrices=False)
    root = np.sqrt(sizes[:rank])
    return {name + _LEFT: left[:, :rank] * root, name + _RIGHT: root[:, None] * right[:rank]}


def _partner(stored: Tensors, key: str) -> npt.NDArray[np.float32]:
    if key not in stored:
        raise ModelError(f"stored tensor {key!r} is missing from the weights file; the checkpoint is incomplete")
    return _as_float(stored[key])


def _add_to_base(base: Tensors, name: str, delta: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    if name not in base or base[name].shape != delta.shape:
        raise ModelError(f"stored difference {name!r} {delta.shape} has no tensor of that shape in the base model")
    return _as_float(base[name]) + delta


def _as_float(tensor: Array) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(tensor, dtype=np.float32)

"""The ONNX backend: CPU only, int8 or float32, by onnxruntime. Loads neither torch nor transformers.

In int8 all grids are fixed when the graph is built, so a row does not depend on its batch but for the last bits of
float32 sums, which can push single activations over to the next step of their grid.
"""

from typing import Literal, get_args

import numpy as np

from newsacts.backends.base import Choice
from newsacts.backends.onnx_graphs import load_graph
from newsacts.backends.onnx_session import choose_int8, choose_threads, open_session, run_session
from newsacts.backends.quantization import FULL_STEPS
from newsacts.batching import TokenBatch
from newsacts.calibration import FloatArray
from newsacts.checkpoint import Checkpoint
from newsacts.errors import UsageError

OnnxDtype = Literal["auto", "int8", "float32"]


class OnnxBackend:
    """A checkpoint in onnxruntime. Raises `BackendError` for a graph that cannot be run, `UsageError` for a dtype."""

    def __init__(self, checkpoint: Checkpoint, *, dtype: str = "auto", reason: str = "asked for") -> None:
        steps, self._dtype = choose_onnx_dtype(dtype)
        self._threads = choose_threads()
        graph, origin = load_graph(checkpoint, steps=steps)
        self._graph = Choice("bert", origin)
        self._backend = Choice("onnx", reason)
        self._session = open_session(graph, threads=int(self._threads.value))

    @property
    def choices(self) -> dict[str, Choice]:
        """Backend, device, dtype, graph and threads, each with its reason."""
        return {
            "backend": self._backend,
            "device": Choice("cpu", "the onnx backend computes on the CPU"),
            "dtype": self._dtype,
            "graph": self._graph,
            "threads": self._threads,
        }

    def logits(self, batch: TokenBatch) -> FloatArray:
        """Logits in scheme order, float32 (n, k)."""
        (logits,) = run_session(self._session, ["logits"], batch)
        return np.asarray(logits, dtype=np.float32)


def choose_onnx_dtype(wanted: str) -> tuple[int | None, Choice]:
    """Largest int8 weight (None for float32) and the precision with its reason."""
    if wanted not in get_args(OnnxDtype):
        raise UsageError(
            f"dtype {wanted!r} is not one of the onnx backend; expected one of {', '.join(get_args(OnnxDtype))}, "
            "or use backend='pytorch'"
        )
    if wanted == "float32":
        return None, Choice("float32", "asked for")
    steps, choice = choose_int8()
    if wanted == "int8":
        return steps, Choice(choice.value, f"asked for; {choice.reason}")
    if steps < FULL_STEPS:
        return None, Choice("float32", f"auto: {choice.reason}, and would change too many labels (docs/adr/0004)")
    return steps, Choice(choice.value, f"auto: {choice.reason}")

"""What every backend promises, and how a choice is told.

Contract, tested for all backends alike: `logits(batch)` returns float32 (n, k), row i for row i of the batch;
padding and the other rows of a batch do not change a row beyond the rounding of float32 sums (in int8 such a
rounding can move a single activation by one step); the same batch gives the same logits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from newsacts.batching import TokenBatch
from newsacts.calibration import FloatArray


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that "auto" decided, or that the user asked for, with the reason."""

    value: str
    reason: str


def tell_choices(choices: Mapping[str, Choice]) -> str:
    """What computes, in what precision and where, in words: "onnx in int8 on cpu"."""
    return f"{choices['backend'].value} in {choices['dtype'].value} on {choices['device'].value}"


class Backend(Protocol):
    """A loaded model."""

    @property
    def choices(self) -> dict[str, Choice]:
        """What was chosen and why: at least "backend", "device" and "dtype"."""
        ...

    def logits(self, batch: TokenBatch) -> FloatArray:
        """Logits in scheme order, float32 (n, k)."""
        ...

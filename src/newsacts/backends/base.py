"""What every backend promises, and how a choice is told.

Contract, tested for all backends alike: `logits(batch)` returns float32 (n, k), row i for row i of the batch;
padding does not change a row; the same batch gives the same logits.
"""

from dataclasses import dataclass
from typing import Protocol

from newsacts.batching import TokenBatch
from newsacts.calibration import FloatArray


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that "auto" decided, or that the user asked for, with the reason."""

    value: str
    reason: str


class Backend(Protocol):
    """A loaded model."""

    @property
    def choices(self) -> dict[str, Choice]:
        """What was chosen (backend, device, dtype) and why."""
        ...

    def logits(self, batch: TokenBatch) -> FloatArray:
        """Logits in scheme order, float32 (n, k)."""
        ...

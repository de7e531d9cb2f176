"""A backend without a model, for tests and for trying the plumbing of an application.

Each token adds a fixed pseudo-random vector, so logits depend on the text alone, not on batch or padding.
"""

import numpy as np

from newsacts.backends.base import Choice
from newsacts.batching import TokenBatch
from newsacts.calibration import FloatArray


class FakeBackend:
    """Deterministic logits for `size` labels; `batches` counts the calls."""

    def __init__(self, size: int, *, seed: int = 0) -> None:
        self._table = np.random.default_rng(seed).normal(size=(4096, size))
        self.batches = 0

    @property
    def choices(self) -> dict[str, Choice]:
        """Always the fake, because it was asked for."""
        return {
            "backend": Choice("fake", "asked for"),
            "device": Choice("cpu", "the fake has no other"),
            "dtype": Choice("float32", "the fake has no other"),
        }

    def logits(self, batch: TokenBatch) -> FloatArray:
        """Mean of the vectors of the unmasked tokens, scaled to look like real logits."""
        self.batches += 1
        vectors = self._table[batch.ids % len(self._table)] * batch.mask[:, :, None]
        return np.asarray(4 * vectors.sum(axis=1) / batch.mask.sum(axis=1, keepdims=True), dtype=np.float32)

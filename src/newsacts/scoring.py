"""Texts to numbers: checked, tokenised in chunks, sorted into batches, read by the model, merged back in order.

With a cascade its first stage runs before, and the model reads only what the stage lets through. Turns logits into
labels too, by a calibration that the caller gives: nothing here knows a checkpoint.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from newsacts.backends.base import Backend
from newsacts.batching import (
    DEFAULT_TOKEN_BUDGET,
    TokenWindows,
    WindowTokenizer,
    form_batches,
    merge_windows,
    select_texts,
)
from newsacts.calibration import (
    BoolArray,
    Calibration,
    FloatArray,
    compute_probabilities,
    decide_labels,
    name_labels,
)
from newsacts.cascade import Cascade, run_first_stage
from newsacts.errors import UsageError
from newsacts.labels import LabelScheme
from newsacts.records import Prediction

CHUNK_SIZE = 4_096
"""Texts tokenised and sorted at once: enough to fill batches of one length, little memory."""

FIRST, FULL = "first", "full"
"""How the stages of a cascade are called in rows."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What was computed for n texts. `reached` tells which the full model read: all of them without a cascade.

    `probabilities` float32 (n, k) are calibrated, of discarded texts the first stage's estimates; `decided` bool (n, k)
    never gives a label to a discarded text.
    """

    probabilities: FloatArray
    decided: BoolArray
    reached: BoolArray


@dataclass(frozen=True, slots=True)
class TextScorer:
    """A runtime with its tokenizer, for `width` labels, and the first stage before it if there is one."""

    tokenizer: WindowTokenizer
    backend: Backend
    width: int
    cascade: Cascade | None = None

    def compute_logits(
        self, texts: Sequence[str], *, token_budget: int = DEFAULT_TOKEN_BUDGET
    ) -> tuple[FloatArray, BoolArray]:
        """Logits float32 (n, k), and bool (n,): which texts the model read. The others have the stage's estimates."""
        parts = [self._read_chunk(chunk, token_budget) for chunk in _cut(texts)]
        parts.append((np.zeros((0, self.width), dtype=np.float32), np.zeros(0, dtype=np.bool_)))
        logits, reached = zip(*parts, strict=True)
        return np.concatenate(logits), np.concatenate(reached)

    def find_reached(self, texts: Sequence[str]) -> BoolArray:
        """Which texts the model would read, bool (n,): runs the first stage alone; all without a cascade."""
        if self.cascade is None:
            return np.ones(len(texts), dtype=np.bool_)
        parts = [np.zeros(0, dtype=np.bool_)]
        parts += [run_first_stage(self.cascade, self.tokenizer.tokenize(chunk), len(chunk))[1] for chunk in _cut(texts)]
        return np.concatenate(parts)

    def _read_chunk(self, texts: Sequence[str], token_budget: int) -> tuple[FloatArray, BoolArray]:
        windows = self.tokenizer.tokenize(texts)
        if self.cascade is None:
            return self._run_model(windows, len(texts), token_budget), np.ones(len(texts), dtype=np.bool_)
        logits, reached = run_first_stage(self.cascade, windows, len(texts))
        kept, places = select_texts(windows, reached)
        logits[places] = self._run_model(kept, len(places), token_budget)
        return logits, reached

    def _run_model(self, windows: TokenWindows, size: int, token_budget: int) -> FloatArray:
        logits = np.zeros((len(windows.ids), self.width), dtype=np.float32)
        for batch in form_batches(windows, token_budget=token_budget, padding_id=self.tokenizer.padding_id):
            logits[batch.positions] = self.backend.logits(batch)
        return merge_windows(logits, windows, size)


def check_texts(texts: Iterable[str]) -> list[str]:
    """The texts as a list. Raises `UsageError` for one str, for what is no str, and for half a surrogate pair."""
    if isinstance(texts, str):
        raise UsageError("expected a list of texts, got one str; write predict([text])")
    checked = list(texts)
    for row, text in enumerate(checked):
        if not isinstance(text, str):
            raise UsageError(f"texts[{row}] is {type(text).__name__}, expected str")
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            raise UsageError(f"texts[{row}] holds half of a surrogate pair; decode it as UTF-8 with errors='replace'")
    return checked


def apply_calibration(logits: FloatArray, reached: BoolArray, scheme: LabelScheme, calibration: Calibration) -> Scored:
    """Probabilities and decisions of logits (n, k); a text that the model did not read gets no label."""
    probabilities = compute_probabilities(logits, scheme, calibration)
    decided = decide_labels(probabilities, scheme, calibration)
    return Scored(probabilities, decided & reached[:, None], reached)


def list_predictions(scored: Scored, scheme: LabelScheme, *, staged: bool) -> list[Prediction]:
    """One prediction a text, in order; `staged` ones say which stage read them."""
    return [
        Prediction(
            labels=name_labels(row, flags, scheme),
            probabilities=dict(zip(scheme.names, row, strict=True)),
            stage=None if not staged else FULL if reached else FIRST,
        )
        for row, flags, reached in zip(
            scored.probabilities.tolist(), scored.decided.tolist(), scored.reached.tolist(), strict=True
        )
    ]


def _cut(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), CHUNK_SIZE):
        yield texts[start : start + CHUNK_SIZE]

"""Texts to token batches and back: nothing is cut in silence, nothing is padded beyond its batch.

Texts are tokenised as a whole by the Rust tokenizer, sorted by token count and packed into batches under a
token budget, so that a batch holds sentences of about one length. A text longer than the model reads
becomes several overlapping windows; `merge_windows` gives it the highest logit of its windows, per label.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from newsacts.calibration import BoolArray, FloatArray
from newsacts.errors import ModelError, UsageError

IntArray = npt.NDArray[np.int64]

DEFAULT_TOKEN_BUDGET = 2_048
"""Tokens a batch, padding counted: enough to keep a few cores busy, little memory."""


SHORTEST_WINDOW = 8
"""Fewer tokens than this cannot hold a sentence beside the special tokens."""


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """One rectangular batch. `ids` and `mask` are int64 (n, t); `positions` (n,) are window numbers."""

    ids: IntArray
    mask: IntArray
    positions: IntArray


@dataclass(frozen=True, slots=True)
class TokenWindows:
    """Token ids of every window of every text; `owners[w]` is the row of the text that window w is of."""

    ids: list[list[int]]
    owners: IntArray


class WindowTokenizer:
    """A `tokenizers` tokenizer with the window rule of a model that reads `max_tokens` tokens.

    Windows overlap by a quarter, so that an act that one window cuts stands whole in the next.
    """

    def __init__(self, path: Path, *, max_tokens: int) -> None:
        if max_tokens < SHORTEST_WINDOW:
            raise UsageError(f"max_tokens must be at least {SHORTEST_WINDOW}, got {max_tokens}")
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # tokenizers raises bare Exception for every fault
            raise ModelError(f"{path}: not a readable tokenizer.json ({error})") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.max_tokens = max_tokens
        specials = self._tokenizer.num_special_tokens_to_add(is_pair=False)
        frame = self._tokenizer.encode("").ids
        self._prefix, self._suffix = frame[: (specials + 1) // 2], frame[(specials + 1) // 2 :]
        paddings = (self._tokenizer.token_to_id(name) for name in ("[PAD]", "<pad>"))
        self.padding_id: int = next((number for number in paddings if number is not None), 0)

    def tokenize(self, texts: Sequence[str]) -> TokenWindows:
        """Windows of all texts, in order. An empty text gives one window of special tokens."""
        ids: list[list[int]] = []
        owners: list[int] = []
        for row, encoding in enumerate(self._tokenizer.encode_batch_fast(list(texts))):
            windows = self._cut(encoding.ids)
            ids.extend(windows)
            owners.extend([row] * len(windows))
        return TokenWindows(ids, np.asarray(owners, dtype=np.int64))

    def _cut(self, ids: list[int]) -> list[list[int]]:
        if len(ids) <= self.max_tokens:
            return [ids]
        content = ids[len(self._prefix) : len(ids) - len(self._suffix)]
        room = self.max_tokens - len(self._prefix) - len(self._suffix)
        step = room - room // 4
        last = max(len(content) - room, 0)
        starts = [*range(0, last, step), last]
        return [[*self._prefix, *content[start : start + room], *self._suffix] for start in starts]


def form_batches(
    windows: TokenWindows, *, token_budget: int = DEFAULT_TOKEN_BUDGET, padding_id: int = 0
) -> Iterator[TokenBatch]:
    """Batches of windows sorted by length, longest first, each within `token_budget` or of one window."""
    if token_budget < 1:
        raise UsageError(f"token_budget must be positive, got {token_budget}")
    lengths = np.fromiter((len(ids) for ids in windows.ids), dtype=np.int64, count=len(windows.ids))
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        width = int(lengths[order[start]])
        stop = start + max(1, token_budget // max(width, 1))
        chosen = order[start:stop]
        ids = np.full((len(chosen), width), padding_id, dtype=np.int64)
        mask = np.zeros((len(chosen), width), dtype=np.int64)
        for row, position in enumerate(chosen):
            tokens = windows.ids[position]
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        yield TokenBatch(ids, mask, chosen)
        start = stop


def select_texts(windows: TokenWindows, chosen: BoolArray) -> tuple[TokenWindows, IntArray]:
    """The windows of the chosen texts, owned by their new rows, and the rows they had (bool (n,) over texts)."""
    places = np.flatnonzero(chosen)
    new_rows = np.cumsum(chosen) - 1
    kept = np.flatnonzero(chosen[windows.owners])
    return TokenWindows([windows.ids[number] for number in kept], new_rows[windows.owners[kept]]), places


def merge_windows(logits: FloatArray, windows: TokenWindows, size: int) -> FloatArray:
    """Logits per text, float32 (size, k): for each label the maximum over the windows of the text."""
    merged = np.full((size, logits.shape[1]), -np.inf, dtype=np.float32)
    np.maximum.at(merged, windows.owners, logits)
    return merged

"""The classifier: texts in, predictions out, same length, same order.

Opens a checkpoint, picks a runtime and says why. Holds no state but the loaded model, so one instance can
be used for any number of calls.
"""

import logging
import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from newsacts.backends.base import Backend, Choice
from newsacts.base_models import HUB_PREFIX, fetch_from_hub
from newsacts.batching import DEFAULT_TOKEN_BUDGET, WindowTokenizer, form_batches, merge_windows
from newsacts.calibration import FloatArray, compute_probabilities, decide_labels, name_labels
from newsacts.checkpoint import MANIFEST, Checkpoint, open_checkpoint
from newsacts.errors import ModelError, UsageError
from newsacts.labels import LabelScheme
from newsacts.records import Article, LabelledSentence, Prediction
from newsacts.segmentation import split_sentences

DEFAULT_CHECKPOINT = Path(__file__).parent / "checkpoints" / "default"
"""The checkpoint that ships inside the package."""

BACKENDS = ("auto", "pytorch")
CHUNK_SIZE = 4_096
"""Texts tokenised and sorted at once: enough to fill batches of one length, little memory."""

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_logger = logging.getLogger("newsacts")


class Classifier:
    """Labels sentences by a trained checkpoint. Make one with `Classifier.from_pretrained`."""

    def __init__(self, checkpoint: Checkpoint, backend: Backend) -> None:
        self.checkpoint = checkpoint
        self._backend = backend
        facts = checkpoint.facts
        self._tokenizer = WindowTokenizer(checkpoint.tokenizer_file, max_tokens=facts.max_tokens)

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path | None = None,
        *,
        backend: str = "auto",
        device: str = "auto",
        dtype: str = "auto",
    ) -> "Classifier":
        """Open the shipped default (None), a checkpoint folder, or a Hugging Face hub id ("owner/name").

        "auto" picks what is best here and gives its reason in `choices`; anything else is used or refused.
        Only a hub id touches the network. Raises `ModelError` (or its kinds) and `UsageError`.
        """
        if backend not in BACKENDS:
            raise UsageError(f"backend {backend!r} is unknown; expected one of {', '.join(BACKENDS)}")
        checkpoint = open_checkpoint(find_checkpoint_folder(source))
        from newsacts.backends.pytorch import PytorchBackend  # heavy: loads torch

        classifier = cls(checkpoint, PytorchBackend(checkpoint, device=device, dtype=dtype))
        for name, choice in classifier.choices.items():
            _logger.info("%s: %s (%s)", name, choice.value, choice.reason)
        return classifier

    @property
    def scheme(self) -> LabelScheme:
        """The labels, in column order."""
        return self.checkpoint.facts.scheme

    @property
    def choices(self) -> dict[str, Choice]:
        """What was chosen to run the model, and why."""
        return self._backend.choices

    def predict(self, texts: Iterable[str]) -> list[Prediction]:
        """One prediction a text, in the order of `texts`; `[]` for `[]`. Each text is judged as one unit."""
        probabilities = self.predict_proba(texts)
        decided = decide_labels(probabilities, self.scheme, self.checkpoint.facts.calibration)
        return [
            Prediction(
                labels=name_labels(row, flags, self.scheme),
                probabilities=dict(zip(self.scheme.names, row, strict=True)),
            )
            for row, flags in zip(probabilities.tolist(), decided.tolist(), strict=True)
        ]

    def predict_proba(self, texts: Iterable[str]) -> FloatArray:
        """Calibrated probabilities, float32 (n, k), columns in scheme order."""
        return compute_probabilities(self.predict_logits(texts), self.scheme, self.checkpoint.facts.calibration)

    def predict_logits(self, texts: Iterable[str], *, token_budget: int = DEFAULT_TOKEN_BUDGET) -> FloatArray:
        """Logits before calibration, float32 (n, k). A text longer than the model reads is read in
        overlapping windows, and each label gets the highest of its windows."""
        checked = _check_texts(texts)
        parts = [
            self._score_chunk(checked[start : start + CHUNK_SIZE], token_budget)
            for start in range(0, len(checked), CHUNK_SIZE)
        ]
        empty = np.zeros((0, len(self.scheme)), dtype=np.float32)
        return np.concatenate([empty, *parts])

    def count_windows(self, text: str) -> int:
        """How many overlapping windows the model needs to read a text; 1 for all but very long sentences."""
        return len(self._tokenizer.tokenize([text]).ids)

    def classify_article(self, article: Article) -> list[LabelledSentence]:
        """Split an article into sentences and label each. An article without text gives `[]`."""
        sentences = split_sentences(article.text, article_id=article.id)
        predictions = self.predict([sentence.text for sentence in sentences])
        return [LabelledSentence(*pair) for pair in zip(sentences, predictions, strict=True)]

    def save_pretrained(self, folder: str | Path) -> Path:
        """Copy the checkpoint to a new or empty folder, byte for byte, and verify it there."""
        target = Path(folder)
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise UsageError(f"{target}: expected a new or empty folder to save to, found something there")
        target.mkdir(parents=True, exist_ok=True)
        for name in (MANIFEST, *self.checkpoint.files):
            shutil.copyfile(self.checkpoint.folder / name, target / name)
        return open_checkpoint(target).folder

    def push_to_hub(self, name: str, *, private: bool = True, token: str | None = None) -> str:
        """Upload the checkpoint to the Hugging Face hub as "owner/name"; returns the address of the commit."""
        from huggingface_hub import HfApi

        api = HfApi(token=token)
        api.create_repo(name, private=private, exist_ok=True)
        files = [MANIFEST, *self.checkpoint.files]
        commit = api.upload_folder(repo_id=name, folder_path=self.checkpoint.folder, allow_patterns=files)
        return str(commit.commit_url)

    def _score_chunk(self, texts: Sequence[str], token_budget: int) -> FloatArray:
        windows = self._tokenizer.tokenize(texts)
        logits = np.zeros((len(windows.ids), len(self.scheme)), dtype=np.float32)
        for batch in form_batches(windows, token_budget=token_budget, padding_id=self._tokenizer.padding_id):
            logits[batch.positions] = self._backend.logits(batch)
        return merge_windows(logits, windows, len(texts))


def _check_texts(texts: Iterable[str]) -> list[str]:
    if isinstance(texts, str):
        raise UsageError("expected a list of texts, got one str; write predict([text])")
    checked = list(texts)
    for row, text in enumerate(checked):
        if not isinstance(text, str):
            raise UsageError(f"texts[{row}] is {type(text).__name__}, expected str")
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            raise UsageError(f"texts[{row}] holds half of a surrogate pair; decode it as UTF-8 with errors='replace'")
    return checked


def find_checkpoint_folder(source: str | Path | None) -> Path:
    """The folder of a checkpoint: None is the shipped default; a hub id is downloaded. Raises `ModelError`."""
    if source is None:
        return DEFAULT_CHECKPOINT
    folder = Path(source).expanduser()
    if folder.exists():
        return folder
    name = str(source).removeprefix(HUB_PREFIX)
    # "models/mine" with a folder "models" here is a mistyped path, and no reason to use the network.
    if isinstance(source, str) and _HUB_ID.fullmatch(name) and not folder.parent.is_dir():
        return fetch_from_hub(name)[0]
    raise ModelError(f"{source}: no such checkpoint folder; expected a folder or a hub id like 'owner/name'")

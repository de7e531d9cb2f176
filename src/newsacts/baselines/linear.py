"""Logistic regression, one per label, on TF-IDF vectors or on the mean token vectors of a frozen encoder.

What a classifier costs that needs no fine-tuning. Both give probabilities that may be calibrated like those of a
network: `logits` is what `training.calibrate_fit` takes. Left out: exclusive schemes, and storing to disk.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from newsacts.base_models import DEFAULT_BASE, find_base_model
from newsacts.batching import WindowTokenizer, form_batches
from newsacts.calibration import FloatArray, sigmoid
from newsacts.errors import DataError, UsageError
from newsacts.labels import LabelScheme
from newsacts.records import Example

Features = Callable[[Sequence[str]], Any]
"""Texts to a matrix of n rows, sparse or dense."""


@dataclass(frozen=True, slots=True)
class LinearBaseline:
    """A fitted model of every label on common features."""

    scheme: LabelScheme
    features: Features
    models: tuple[Any, ...]

    def logits(self, texts: Iterable[str]) -> FloatArray:
        """Log-odds before calibration, float32 (n, k) in scheme order."""
        if isinstance(texts, str):
            raise UsageError("expected a list of texts, got one str; write logits([text])")
        matrix = self.features(list(texts))
        return np.stack([model.decision_function(matrix) for model in self.models], axis=1).astype(np.float32)

    def predict_proba(self, texts: Iterable[str]) -> FloatArray:
        """Probabilities before calibration, float32 (n, k) in scheme order."""
        return sigmoid(self.logits(texts).astype(np.float64))


def fit_tfidf(examples: Sequence[Example], scheme: LabelScheme, *, penalty: float = 0.1) -> LinearBaseline:
    """TF-IDF of words and word pairs, sublinear term counts. `penalty` is the inverse of scikit-learn's C."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    vectorizer.fit([example.text for example in examples])
    return fit_on_features(examples, scheme, vectorizer.transform, penalty=penalty)


def fit_frozen(
    examples: Sequence[Example], scheme: LabelScheme, *, base: str = DEFAULT_BASE, penalty: float = 0.1
) -> LinearBaseline:
    """The mean of the token vectors that a pretrained encoder gives, as it stands. `base` as in a training config."""
    return fit_on_features(examples, scheme, make_embedder(base), penalty=penalty)


def fit_on_features(
    examples: Sequence[Example], scheme: LabelScheme, features: Features, *, penalty: float = 0.1
) -> LinearBaseline:
    """On features of one's own. Raises `DataError` for a label that all or none of the examples carry."""
    from sklearn.linear_model import LogisticRegression

    if scheme.exclusive:
        raise UsageError("linear baselines are for schemes that are not exclusive")
    matrix = features([example.text for example in examples])
    models = []
    for name in scheme.names:
        target = [name in example.labels for example in examples]
        if len(set(target)) == 1:
            raise DataError(f"label {name!r} is on all or none of {len(target)} examples; expected some of both")
        models.append(LogisticRegression(C=1 / penalty, max_iter=1_000).fit(matrix, target))
    return LinearBaseline(scheme, features, tuple(models))


def make_embedder(base: str = DEFAULT_BASE, *, max_tokens: int = 256) -> Features:
    """A function of texts that returns unit vectors, float32 (n, h): masked mean of the last layer (torch, on the CPU).

    A text longer than `max_tokens` is read up to there.
    """
    import torch
    from transformers import AutoConfig, AutoModel

    from newsacts.backends.network import hush_transformers, without_pooler

    found = find_base_model(base)
    tokenizer = WindowTokenizer(found.tokenizer_file, max_tokens=max_tokens)
    kind = AutoConfig.from_pretrained(found.folder, trust_remote_code=False).model_type
    with hush_transformers():
        encoder = AutoModel.from_pretrained(
            found.folder, trust_remote_code=False, use_safetensors=True, local_files_only=True, **without_pooler(kind)
        ).eval()

    def embed(texts: Sequence[str]) -> FloatArray:
        windows = tokenizer.tokenize(texts)
        vectors = np.zeros((len(windows.ids), int(encoder.config.hidden_size)), dtype=np.float32)
        with torch.inference_mode():
            for batch in form_batches(windows, padding_id=tokenizer.padding_id):
                ids, mask = torch.from_numpy(batch.ids), torch.from_numpy(batch.mask)
                tokens = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
                mean = (tokens * mask.unsqueeze(-1)).sum(dim=1) / mask.sum(dim=1, keepdim=True)
                vectors[batch.positions] = torch.nn.functional.normalize(mean).numpy()
        firsts = np.searchsorted(windows.owners, np.arange(len(texts)))
        return np.asarray(vectors[firsts], dtype=np.float32)

    return embed

"""Which sentences are most worth labelling next: those that the classifier is unsure of, and that differ.

Diverse mini-batch active learning (Zhdanov 2019, arXiv:1901.05954): the most uncertain sentences are clustered into
as many clusters as are wanted, and each cluster gives its most uncertain one, so that a batch is not the same sentence
fifty times. The labels take turns in naming the sentence that they are least sure of, so that rare labels are asked
about as often as common ones. Knows nothing of runs or sheets. Loads scikit-learn when it is called.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from newsacts.calibration import FloatArray

FloatMatrix = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

CANDIDATES = 3
"""The clusters are made of so many times the wanted number, the most uncertain of all."""
DIMENSIONS = 64
NEAR = 0.9
"""Two sentences whose TF-IDF vectors meet at a cosine above this are near-duplicates: the second is left out."""


def measure_uncertainty(probabilities: FloatArray, thresholds: Sequence[float], *, exclusive: bool) -> FloatMatrix:
    """How unsure a classifier is of each label of each sentence, float64 (n, k), from 0 to 1.

    1 where a probability is at the threshold of its label, 0 where it is 0 or 1. Of an exclusive scheme one column,
    (n, 1): 1 less the lead of the most probable label.
    """
    values = probabilities.astype(np.float64)
    if exclusive:
        ordered = np.sort(values, axis=1)
        return np.asarray(1 - (ordered[:, -1:] - ordered[:, -2:-1]))
    limits = np.clip(np.asarray(thresholds, dtype=np.float64), 1e-6, 1 - 1e-6)
    return np.asarray(np.where(values >= limits, (1 - values) / (1 - limits), values / limits))


def choose_informative(texts: Sequence[str], uncertainty: FloatMatrix, size: int, *, seed: int = 0) -> IntArray:
    """Places of `size` sentences that are uncertain and differ, the most urgent first; all where there are fewer.

    `uncertainty` is (n, k). A sentence is as urgent as its place in the list of the label that is least sure of it.
    """
    places = np.argsort(np.argsort(-uncertainty, axis=0, kind="stable"), axis=0)
    order = np.argsort(places.min(axis=1), kind="stable")[: size * CANDIDATES]
    kept = order[_find_distinct([texts[place] for place in order])] if len(order) else order
    if len(kept) <= size:
        return np.asarray(kept, dtype=np.int64)
    from sklearn.cluster import KMeans

    vectors = embed_texts([texts[place] for place in kept], seed=seed)
    clusters = KMeans(size, n_init=1, random_state=seed, max_iter=30).fit_predict(vectors)
    # `kept` is in order of urgency, so the first place of a cluster is its most urgent one.
    _, firsts = np.unique(clusters, return_index=True)
    chosen = np.sort(firsts)
    rest = np.setdiff1d(np.arange(len(kept)), chosen)[: size - len(chosen)]
    return np.asarray(kept[np.sort(np.concatenate([chosen, rest]))], dtype=np.int64)


def embed_texts(texts: Sequence[str], *, seed: int = 0) -> FloatMatrix:
    """Texts as unit vectors of at most 64 numbers: TF-IDF of words and pairs, reduced by a truncated SVD."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    counted = _weigh_words(texts)
    size = min(DIMENSIONS, counted.shape[1] - 1, counted.shape[0] - 1)
    if size < 1:
        return np.ones((len(texts), 1))
    reduced = TruncatedSVD(size, random_state=seed, n_iter=2).fit_transform(counted)
    return np.asarray(normalize(reduced), dtype=np.float64)


def _weigh_words(texts: Sequence[str]) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = r"\S+"
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=words).fit_transform(texts)


def _find_distinct(texts: Sequence[str]) -> IntArray:
    """Places of the texts that are near no earlier one."""
    vectors = _weigh_words(texts)
    similar = (vectors @ vectors.T).tocoo()
    close = (similar.data > NEAR) & (similar.row > similar.col)
    dropped = np.zeros(len(texts), dtype=np.bool_)
    for later, earlier in sorted(zip(similar.row[close].tolist(), similar.col[close].tolist(), strict=True)):
        dropped[later] |= not dropped[earlier]
    return np.asarray(np.flatnonzero(~dropped), dtype=np.int64)

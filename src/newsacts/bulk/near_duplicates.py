"""Wire copy: sentences that repeat, and articles that are nearly the same.

Sentences are compared exactly, spacing and case aside. Articles are compared by MinHash over their word triples: each
shard leaves a few numbers for each of its articles, and articles that share one of them are joined to a cluster when
the run ends. Two articles whose triples overlap by a Jaccard similarity of 0.8 meet with a probability of 0.95, by 0.5
with 0.06, by 0.2 practically never; clusters are chains of such meetings. Nothing is left out: an analyst counts an
agency story once, by cluster, or as often as it was printed. Needs datasketch: pip install 'newsacts[audit]'.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from newsacts.errors import UsageError

IntArray = npt.NDArray[np.int64]
UnsignedArray = npt.NDArray[np.uint64]

BANDS, ROWS = 16, 8
WORDS = 3
SEED = 1


def group_sentences(texts: Sequence[str]) -> tuple[list[str], IntArray]:
    """The first of each set of equal texts, and for every text the place of its like, int64 (n,)."""
    places: dict[str, int] = {}
    firsts: list[str] = []
    groups = np.empty(len(texts), dtype=np.int64)
    for number, text in enumerate(texts):
        place = places.setdefault(" ".join(text.split()).casefold(), len(firsts))
        if place == len(firsts):
            firsts.append(text)
        groups[number] = place
    return firsts, groups


def sketch_articles(texts: Iterable[str]) -> UnsignedArray:
    """Numbers to compare articles by, uint64 (n, 16). Articles that share a number in one column are near."""
    datasketch = import_datasketch()
    sketches = datasketch.MinHash.generator((_cut_grams(text) for text in texts), num_perm=BANDS * ROWS, seed=SEED)
    rows = [
        [_hash_band(sketch.hashvalues[start : start + ROWS]) for start in range(0, BANDS * ROWS, ROWS)]
        for sketch in sketches
    ]
    return np.asarray(rows, dtype=np.uint64).reshape(-1, BANDS)


def cluster_articles(columns: Iterable[UnsignedArray], size: int) -> IntArray:
    """For each of `size` articles the place of the first article of its cluster, int64 (size,).

    `columns` are the numbers of all articles, one column after the other, so that only one is worked on: about 50
    bytes an article at the most.
    """
    parents: IntArray = np.arange(size, dtype=np.int64)
    for column in columns:
        order = np.argsort(column, kind="stable")
        same = np.flatnonzero(column[order[1:]] == column[order[:-1]])
        for place in same:
            _join(parents, int(order[place]), int(order[place + 1]))
    return np.fromiter((_find_root(parents, place) for place in range(size)), dtype=np.int64, count=size)


def import_datasketch() -> Any:
    """The package that computes MinHash. Raises `UsageError` where it is missing."""
    try:
        import datasketch
    except ImportError as error:
        advice = "pip install 'newsacts[audit]', or leave out --near-duplicates"
        raise UsageError(f"finding near-duplicate articles needs the package datasketch: {advice}") from error
    return datasketch


def _cut_grams(text: str) -> list[bytes]:
    words = _fold_words(text)
    # A text of fewer words is one gram, so that short texts are near only where they are equal.
    grams = {" ".join(words[start : start + WORDS]) for start in range(max(1, len(words) - WORDS + 1))}
    return [gram.encode() for gram in sorted(grams)]


def _fold_words(text: str) -> list[str]:
    return [word for part in text.casefold().split() if (word := "".join(filter(str.isalnum, part)))]


def _hash_band(values: UnsignedArray) -> int:
    return int.from_bytes(hashlib.blake2b(values.tobytes(), digest_size=8).digest(), "little")


def _join(parents: IntArray, first: int, second: int) -> None:
    roots = sorted((_find_root(parents, first), _find_root(parents, second)))
    parents[roots[1]] = roots[0]


def _find_root(parents: IntArray, place: int) -> int:
    while (parent := int(parents[place])) != place:
        parents[place] = parents[parent]
        place = parent
    return place

"""Texts that are nearly the same: candidates by MinHash and locality-sensitive hashing, each verified exactly.

Two texts are near when the sets of their word n-grams overlap by at least the asked Jaccard similarity. Hashing only
proposes pairs (it may miss a few close to the threshold, and so asks for a lower one), the sets themselves decide.
Texts that are equal as compared are one text here. Needs datasketch: pip install 'newsacts[audit]'.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from newsacts.errors import UsageError

PERMUTATIONS = 128
CANDIDATE_SHARE = 0.75
"""The threshold for candidates as a share of the one asked for: lower finds more of the pairs and takes longer."""
SEED = 1


@dataclass(frozen=True, slots=True)
class NearPair:
    """Two keys in the order they came, and the exact Jaccard similarity of their word n-grams."""

    first: str
    second: str
    similarity: float


def find_near_duplicates(keys: Iterable[str], *, threshold: float = 0.7, words: int = 3) -> list[NearPair]:
    """Pairs of differing keys (texts as compared, words parted by spaces) that are near, the nearest first.

    Keys of fewer than `words` + 2 words are left out, since so few n-grams say little. Raises `UsageError` for a
    threshold outside ]0, 1], for `words` below 1, and where datasketch is missing.
    """
    if not 0 < threshold <= 1:
        raise UsageError(f"the similarity of near-duplicates must be above 0 and at most 1, got {threshold}")
    if words < 1:
        raise UsageError(f"n-grams need at least 1 word, got {words}")
    grams = {key: found for key in keys if (found := _cut_grams(key, words))}
    ordered = list(grams)
    pairs = []
    for first, second in _propose_pairs([grams[key] for key in ordered], threshold * CANDIDATE_SHARE):
        similarity = _jaccard(grams[ordered[first]], grams[ordered[second]])
        if similarity >= threshold:
            pairs.append(NearPair(ordered[first], ordered[second], similarity))
    return sorted(pairs, key=lambda pair: (-pair.similarity, pair.first, pair.second))


def _cut_grams(key: str, words: int) -> frozenset[str]:
    parts = key.split()
    if len(parts) < words + 2:
        return frozenset()
    return frozenset(" ".join(parts[start : start + words]) for start in range(len(parts) - words + 1))


def _propose_pairs(grams: Sequence[frozenset[str]], threshold: float) -> Iterable[tuple[int, int]]:
    datasketch = _import_datasketch()
    index = datasketch.MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
    encoded = ([gram.encode("utf-8", "surrogatepass") for gram in one] for one in grams)
    for number, sketch in enumerate(datasketch.MinHash.generator(encoded, num_perm=PERMUTATIONS, seed=SEED)):
        for earlier in sorted(index.query(sketch)):
            yield earlier, number
        index.insert(number, sketch)


def _jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared)


def _import_datasketch() -> Any:
    try:
        import datasketch
    except ImportError as error:
        advice = "install it with: pip install 'newsacts[audit]', or leave the search out (--no-near)"
        raise UsageError(f"finding near-duplicates needs the package datasketch; {advice}") from error
    return datasketch

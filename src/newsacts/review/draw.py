"""Drawing sentences from a run for people to check, in one pass and with little memory.

For rates: every sentence gets a random number, and each stratum keeps those with the smallest, which is a simple
random sample however the run is cut into parts. For training: the most uncertain sentences are kept, and of those the
ones that differ are chosen (`informative`). Sheets are in random order, so that one can stop in the middle of a
training sheet, and nobody learns from the order what the classifier thinks.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from newsacts.bulk.finished import FinishedRun, SentencePart, open_run, read_parts
from newsacts.errors import DataError, UsageError
from newsacts.review.informative import CANDIDATES, choose_informative, measure_uncertainty
from newsacts.review.strata import allocate, assign_strata, name_strata
from newsacts.review.values import Design, DrawnSentence, Stratum

COLUMNS = ("article_id", "sentence_index", "start", "end", "text", "date", "source")
SMALLEST = 20

FloatMatrix = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class _Keeper:
    """Keeps the sentences with the smallest keys, at most `size` of them."""

    def __init__(self, size: int) -> None:
        self._size, self._limit = size, np.inf
        self._found: list[tuple[float, DrawnSentence]] = []

    def offer(self, keys: FloatMatrix, places: IntArray, part: SentencePart, stratum: int) -> None:
        """Look at some sentences of a part; those that can be among the smallest are copied out of it."""
        small = keys < self._limit
        for key, place in zip(keys[small].tolist(), places[small].tolist(), strict=True):
            self._found.append((key, _copy_sentence(part, place, stratum)))
        if len(self._found) > 2 * self._size:
            self._found = sorted(self._found, key=_get_key)[: self._size]
            self._limit = self._found[-1][0]

    def take(self, count: int) -> list[tuple[float, DrawnSentence]]:
        """The sentences with the `count` smallest keys, in order of their keys."""
        return sorted(self._found, key=_get_key)[:count]


def draw_for_rates(run_folder: str | Path, *, size: int = 200, seed: int = 0) -> Design:
    """A stratified random sample of the sentences of a run, with all that is needed to weigh it.

    Raises `UsageError` for fewer than 20, and `DataError` for a run without sentences.
    """
    run = _open(run_folder, size)
    generator = np.random.default_rng(seed)
    names = name_strata(run.scheme)
    keepers = [_Keeper(size) for _ in names]
    counts = np.zeros(len(names), dtype=np.int64)
    sums, doubts = np.zeros((2, len(names), len(run.scheme)))
    moments = np.zeros((3, len(run.scheme)))
    for part in read_parts(run, COLUMNS):
        probabilities = part.probabilities.astype(np.float64)
        bands = assign_strata(part.probabilities, run.thresholds, run.scheme)
        keys = generator.random(len(bands))
        counts += np.bincount(bands, minlength=len(names))
        np.add.at(sums, bands, probabilities)
        np.add.at(doubts, bands, probabilities * (1 - probabilities))
        moments += _sum_moments(probabilities, part.owners)
        for band in np.unique(bands).tolist():
            places = np.flatnonzero(bands == band)
            keepers[band].offer(keys[places], places, part, band)
    if not counts.sum():
        raise DataError("the run has no sentence to draw", path=run.folder)
    wanted = allocate(counts, doubts.sum(axis=1) / np.maximum(counts, 1), size)
    drawn = [one for keeper, count in zip(keepers, wanted.tolist(), strict=True) for _, one in keeper.take(count)]
    strata = [
        Stratum(name, int(count), tuple(sums[place].tolist()), tuple(doubts[place].tolist()))
        for place, (name, count) in enumerate(zip(names, counts, strict=True))
    ]
    variances = _measure_mean_variances(sums.sum(axis=0), float(counts.sum()), moments)
    return Design("rates", run.digest, run.scheme, run.thresholds, seed, tuple(strata), variances, _mix(drawn, seed))


def draw_for_training(run_folder: str | Path, *, size: int = 200, seed: int = 0) -> Design:
    """The sentences of a run that are most worth labelling next: uncertain, and no near-duplicates of each other.

    Raises `UsageError` for fewer than 20, and `DataError` for a run without sentences.
    """
    run = _open(run_folder, size)
    # A label may be unsure of the same wire copy many times over: twice the candidates, so that enough differ.
    keepers: list[_Keeper] = []
    for part in read_parts(run, COLUMNS):
        unsure = measure_uncertainty(part.probabilities, run.thresholds, exclusive=run.scheme.exclusive)
        keepers = keepers or [_Keeper(2 * CANDIDATES * size) for _ in unsure.T]
        for keeper, column in zip(keepers, unsure.T, strict=True):
            keeper.offer(-column, np.arange(len(column)), part, 0)
    found = [one for keeper in keepers for _, one in keeper.take(2 * CANDIDATES * size)]
    kept = list({" ".join(one.text.split()).casefold(): one for one in reversed(found)}.values())
    if not kept:
        raise DataError("the run has no sentence to draw", path=run.folder)
    values = np.asarray([one.probabilities for one in kept], dtype=np.float32)
    unsure = measure_uncertainty(values, run.thresholds, exclusive=run.scheme.exclusive)
    chosen = choose_informative([one.text for one in kept], unsure, size, seed=seed)
    rows = _mix([kept[place] for place in chosen], seed)
    return Design("training", run.digest, run.scheme, run.thresholds, seed, (), (), rows)


def _open(folder: str | Path, size: int) -> FinishedRun:
    if size < SMALLEST:
        raise UsageError(f"a sheet needs at least {SMALLEST} sentences to say anything, got a size of {size}")
    return open_run(folder)


def _copy_sentence(part: SentencePart, place: int, stratum: int) -> DrawnSentence:
    values: dict[str, Any] = {name: part.columns[name][place] for name in COLUMNS}
    numbers = tuple(part.probabilities[place].tolist())
    return DrawnSentence(row=0, stratum=stratum, probabilities=numbers, discarded=bool(part.discarded[place]), **values)


def _mix(drawn: Sequence[DrawnSentence], seed: int) -> tuple[DrawnSentence, ...]:
    order = np.random.default_rng(seed + 1).permutation(len(drawn)).tolist()
    return tuple(replace(drawn[place], row=number) for number, place in enumerate(order, start=1))


def _get_key(found: tuple[float, DrawnSentence]) -> tuple[float, str, int]:
    return found[0], found[1].article_id, found[1].sentence_index


def _sum_moments(probabilities: FloatMatrix, owners: IntArray) -> FloatMatrix:
    """Over articles, for each label: the sums of s * s, of s * n and of n * n, where s sums p over n sentences."""
    sizes = np.bincount(owners).astype(np.float64)
    sums = np.stack([np.bincount(owners, column) for column in probabilities.T], axis=1)
    squared = np.full(sums.shape[1], (sizes**2).sum())
    return np.stack([(sums**2).sum(axis=0), sizes @ sums, squared])


def _measure_mean_variances(sums: FloatMatrix, size: float, moments: FloatMatrix) -> tuple[float, ...]:
    """Of a ratio of sums over articles, by linearisation (Cochran 1977, 6.4)."""
    means = sums / size
    squares = moments[0] - 2 * means * moments[1] + means**2 * moments[2]
    return tuple((np.maximum(squares, 0) / size**2).tolist())

"""One pass over a finished run: what each article adds to every count, and the strongest sentences of each label.

Memory grows with the number of articles, not with their sentences: by some fifty bytes, sixteen a label, eight a pair
of labels and eight a column to group by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from newsacts.bulk.finished import FinishedRun, SentencePart, read_parts
from newsacts.calibration import BoolArray
from newsacts.dates import DateOrder
from newsacts.errors import UsageError
from newsacts.report.corpus_dates import find_date

STRONGEST = 10
SOURCE = "source"

IntArray = npt.NDArray[np.int64]
FloatMatrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StrongSentence:
    """A sentence that a label is sure of, with its place: characters `start` to `end` of the article."""

    probability: float
    text: str
    article_id: str
    start: int
    end: int
    date: str | None
    source: str | None


@dataclass(frozen=True, slots=True)
class Articles:
    """What m articles add, in reading order: sentences (m,), labelled sentences and probability sums (m, k), sentences
    without a label (m,), those `discarded` by the first stage of a cascade (m,), and by pair of labels the sentences
    that carry both (m, k (k - 1) / 2).

    `first` (m,) is False for near-duplicates of an earlier article. `days` and `months` are -1 where unknown; `groups`
    holds for each column the number of each article's value in `group_names`, -1 where it is missing.
    """

    sizes: IntArray
    counts: IntArray
    sums: FloatMatrix
    unlabelled: IntArray
    discarded: IntArray
    pairs: IntArray
    first: BoolArray
    days: IntArray
    months: IntArray
    groups: Mapping[str, IntArray]
    group_names: Mapping[str, tuple[str, ...]]

    def select(self, rows: BoolArray) -> "Articles":
        """Some of the articles."""
        return Articles(
            self.sizes[rows], self.counts[rows], self.sums[rows], self.unlabelled[rows], self.discarded[rows],
            self.pairs[rows], self.first[rows], self.days[rows], self.months[rows],
            {name: codes[rows] for name, codes in self.groups.items()}, self.group_names,
        )  # fmt: skip


@dataclass(slots=True)
class _Strongest:
    """The best sentences of one label so far, by text, so that wire copy is shown once. What is offered
    with a probability of 0 or less is none of them."""

    found: dict[str, StrongSentence] = field(default_factory=dict)
    limit: float = 0.0

    def offer(self, part: SentencePart, values: npt.NDArray[np.float32]) -> None:
        places = np.flatnonzero(values > self.limit)
        for place in places[np.argsort(-values[places], kind="stable")]:
            probability = float(values[place])
            if probability <= self.limit:
                break
            columns = {name: part.columns[name][place] for name in _SHOWN}
            self.found.setdefault(" ".join(columns["text"].split()).casefold(), StrongSentence(probability, **columns))
            if len(self.found) >= 2 * STRONGEST:
                self._cut()

    def best(self) -> list[StrongSentence]:
        return sorted(self.found.values(), key=lambda one: (-one.probability, one.article_id, one.start))[:STRONGEST]

    def _cut(self) -> None:
        kept = sorted(self.found.items(), key=lambda item: -item[1].probability)[:STRONGEST]
        self.found, self.limit = dict(kept), kept[-1][1].probability


_SHOWN = ("text", "article_id", "start", "end", "date", "source")


def gather(
    run: FinishedRun, thresholds: Sequence[float], *, by: Sequence[str] = (), order: DateOrder | None = None
) -> tuple[Articles, dict[str, list[StrongSentence]]]:
    """Articles of a run, labelled at these thresholds, and the strongest sentences that carry each label.

    `order` is that of dates which could be two days (`newsacts.dates`); without it they count as unknown.
    Raises `UsageError` for a column in `by` that the run did not keep.
    """
    if unknown := [name for name in by if name not in (SOURCE, *run.kept)]:
        raise UsageError(
            f"cannot show rates by {unknown[0]!r}: the run has {', '.join((SOURCE, *run.kept))}; newsacts bulk --keep "
            "keeps other columns"
        )
    group_columns = list(dict.fromkeys((SOURCE, *by)))
    codes: dict[str, dict[str, int]] = {name: {} for name in group_columns}
    strongest = {name: _Strongest() for name in run.scheme.names}
    pairs = list(combinations(range(len(run.scheme)), 2))
    parts: list[dict[str, Any]] = []
    for part in read_parts(run, tuple(dict.fromkeys((*_SHOWN, *group_columns)))):
        if not len(part.starts):
            continue
        decided = run.decide(part, thresholds)
        parts.append(_sum_part(part, decided, pairs) | _date(part, order) | {
            name: _number(part, name, codes[name]) for name in group_columns
        })  # fmt: skip
        for column, name in enumerate(run.scheme.names):
            strongest[name].offer(part, np.where(decided[:, column], part.probabilities[:, column], -1))
    return _join(parts, codes, len(run.scheme)), {name: one.best() for name, one in strongest.items()}


def _sum_part(part: SentencePart, decided: BoolArray, pairs: Sequence[tuple[int, int]]) -> dict[str, Any]:
    def add(values: Any) -> Any:
        return np.add.reduceat(values, part.starts, axis=0)

    both = np.zeros((len(part.starts), len(pairs)), dtype=np.int64)
    for place, (first, second) in enumerate(pairs):
        both[:, place] = add((decided[:, first] & decided[:, second]).astype(np.int64))
    return {
        "sizes": np.diff([*part.starts.tolist(), len(part.owners)]),
        "counts": add(decided.astype(np.int64)),
        "sums": add(part.probabilities.astype(np.float64)),
        "unlabelled": add((~decided.any(axis=1)).astype(np.int64)),
        "discarded": add(part.discarded.astype(np.int64)),
        "pairs": both,
        "first": part.first_of_cluster,
    }


def _date(part: SentencePart, order: DateOrder | None) -> dict[str, IntArray]:
    dates = [find_date(part.columns["date"][start], order) for start in part.starts]
    found = np.asarray(dates, dtype=np.int64).reshape(-1, 2)
    return {"days": found[:, 0], "months": found[:, 1]}


def _number(part: SentencePart, column: str, codes: dict[str, int]) -> IntArray:
    values = (part.columns[column][start] for start in part.starts)
    return np.asarray([codes.setdefault(value, len(codes)) if value else -1 for value in values], dtype=np.int64)


def _join(parts: Sequence[Mapping[str, Any]], codes: Mapping[str, Mapping[str, int]], size: int) -> Articles:
    shapes: dict[str, tuple[int, ...]] = {"counts": (0, size), "sums": (0, size), "pairs": (0, size * (size - 1) // 2)}
    kinds: dict[str, Any] = {"sums": np.float64, "first": np.bool_}

    def join(name: str) -> Any:
        empty = np.zeros(shapes.get(name, (0,)), dtype=kinds.get(name, np.int64))
        return np.concatenate([empty, *(part[name] for part in parts)])

    names = ("sizes", "counts", "sums", "unlabelled", "discarded", "pairs", "first", "days", "months")
    columns: dict[str, Any] = {name: join(name) for name in names}
    groups = {name: join(name) for name in codes}
    return Articles(**columns, groups=groups, group_names={name: tuple(known) for name, known in codes.items()})

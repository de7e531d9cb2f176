"""How often each label occurs, by source and month: counts that add up. Pure, and small whatever the corpus.

A tally of a corpus is the sum of the tallies of its parts, so parts can be counted anywhere and in any order. Dates
are read for their month only; what names no month for certain (also "03/04/2017") counts under `UNDATED`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from newsacts.dates import read_date
from newsacts.errors import UsageError

UNDATED = "undated"
NO_SOURCE = "no source"
OTHER_SOURCES = "other sources"
MAX_CELLS = 100_000
"""Cells of source and month; beyond it, sources not met before count under `OTHER_SOURCES`."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Articles, their sentences, sentences without a label, and sentences by label in scheme order."""

    articles: int
    sentences: int
    unlabelled: int
    labels: tuple[int, ...]

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.articles + other.articles,
            self.sentences + other.sentences,
            self.unlabelled + other.unlabelled,
            tuple(mine + theirs for mine, theirs in zip(self.labels, other.labels, strict=True)),
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts by (source, month). `names` are the labels in scheme order."""

    names: tuple[str, ...]
    cells: Mapping[tuple[str, str], Counts] = field(default_factory=dict)

    @property
    def total(self) -> Counts:
        """The counts of everything."""
        return sum(self.cells.values(), self.empty)

    @property
    def empty(self) -> Counts:
        """Counts of nothing, for these labels."""
        return Counts(0, 0, 0, (0,) * len(self.names))

    def by_source(self) -> dict[str, Counts]:
        """Counts of each source, by name."""
        return self._fold(0)

    def by_month(self) -> dict[str, Counts]:
        """Counts of each month ("2017-12"), in order; `UNDATED` comes last."""
        return self._fold(1)

    def _fold(self, place: int) -> dict[str, Counts]:
        folded: dict[str, Counts] = {}
        for key, counts in self.cells.items():
            folded[key[place]] = folded.get(key[place], self.empty) + counts
        return dict(sorted(folded.items()))


def add_tallies(names: tuple[str, ...], tallies: Iterable[Tally]) -> Tally:
    """The sum of tallies over the same labels. Raises `UsageError` where labels differ."""
    cells: dict[tuple[str, str], Counts] = {}
    for tally in tallies:
        if tally.names != names:
            raise UsageError(f"tallies of different labels do not add up: {list(names)} and {list(tally.names)}")
        for (source, month), counts in tally.cells.items():
            known = (source, month) in cells or len(cells) < MAX_CELLS
            key = (source if known else OTHER_SOURCES, month)
            cells[key] = cells[key] + counts if key in cells else counts
    return Tally(names, dict(sorted(cells.items())))


def find_month(date: str | None) -> str:
    """The month of a date as "YYYY-MM", or `UNDATED` where it cannot be told for certain."""
    found = read_date(date)
    return UNDATED if found is None else f"{found[0]}-{found[1]:02}"


def tally_to_json(tally: Tally) -> dict[str, Any]:
    """A tally as values that JSON can hold."""
    return {
        "labels": list(tally.names),
        "cells": [
            {
                "source": source,
                "month": month,
                "articles": counts.articles,
                "sentences": counts.sentences,
                "unlabelled": counts.unlabelled,
                "by_label": list(counts.labels),
            }
            for (source, month), counts in tally.cells.items()
        ],
    }


def tally_from_json(values: Mapping[str, Any]) -> Tally:
    """The tally that `tally_to_json` wrote."""
    cells = {
        (cell["source"], cell["month"]): Counts(
            cell["articles"], cell["sentences"], cell["unlabelled"], tuple(cell["by_label"])
        )
        for cell in values["cells"]
    }
    return Tally(tuple(values["labels"]), cells)

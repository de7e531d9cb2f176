"""What labelled data is made of: sentences, labels and lengths of each split."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from newsacts.data.audit_rows import AuditRow

TINY_WORDS = 3
"""A row of this many words or fewer is tiny: a headline, a byline, or what a splitter left over."""


@dataclass(frozen=True, slots=True)
class PartStatistics:
    """Counts of one split (or file). `labels` has every label asked for, in order; a row may count for several.

    `unlabelled` are rows that say that no label applies; rows of tables without labels are in neither.
    """

    part: str
    rows: int
    groups: int
    labels: dict[str, int]
    unlabelled: int
    several: int
    tiny: int
    median_words: int


def count_parts(rows: Iterable[AuditRow], names: Sequence[str]) -> list[PartStatistics]:
    """Statistics of each split, in the order in which they first come."""
    parts: defaultdict[str, list[AuditRow]] = defaultdict(list)
    for row in rows:
        parts[row.part].append(row)
    return [_count_part(part, members, names) for part, members in parts.items()]


def _count_part(part: str, rows: Sequence[AuditRow], names: Sequence[str]) -> PartStatistics:
    words = sorted(len(row.text.split()) for row in rows)
    labels = [row.labels for row in rows if row.labels is not None]
    return PartStatistics(
        part=part,
        rows=len(rows),
        groups=len({row.group or row.id or row.place for row in rows}),
        labels={name: sum(name in one for one in labels) for name in names},
        unlabelled=sum(not one for one in labels),
        several=sum(len(one) > 1 for one in labels),
        tiny=sum(count <= TINY_WORDS for count in words),
        median_words=words[len(words) // 2],
    )

"""Looks through labelled data for what spoils training or makes scores too good: `audit`.

Found are rows that training would refuse, unknown labels, texts that stand twice (exactly or nearly, within a split
or across), equal texts with different labels, groups cut by a split, texts shared with benchmark test sets, and tiny
rows; on request also labels that a cross-validated model doubts. Nothing is changed or dropped: that is for `splits`
and for the reader. Texts are equal when `splits.normalise_text` makes them so.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from newsacts.data.audit_rows import (
    BAD_ROW,
    UNKNOWN_LABEL,
    AuditRow,
    Fault,
    read_audit_rows,
    read_compared_texts,
)
from newsacts.data.loaders import ColumnMap
from newsacts.data.model_check import find_doubtful_labels
from newsacts.data.near_duplicates import find_near_duplicates
from newsacts.data.statistics import TINY_WORDS, PartStatistics, count_parts
from newsacts.errors import UsageError
from newsacts.labels import LabelScheme

CONFLICT = "equal texts, different labels"
ACROSS, WITHIN = "text in two splits", "text repeated in a split"
CUT_GROUP = "group in two splits"
NEAR_ACROSS, NEAR_WITHIN = "nearly equal in two splits", "nearly equal in a split"
SHARED, NEAR_SHARED = "text in a benchmark", "nearly a text of a benchmark"
TINY = "tiny row"
DOUBTFUL = "model disagrees"

FAULT_KINDS = frozenset({BAD_ROW, UNKNOWN_LABEL, CONFLICT, ACROSS, CUT_GROUP, SHARED})
"""What must be mended before training or scoring; the other kinds are worth a look."""

KINDS = (
    *(BAD_ROW, UNKNOWN_LABEL, CONFLICT, ACROSS, CUT_GROUP, SHARED),
    *(NEAR_ACROSS, NEAR_SHARED, WITHIN, NEAR_WITHIN, TINY, DOUBTFUL),
)


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """How to look. `near` is the similarity from which texts are nearly equal, None for not searching them.

    `benchmark_column` names the text column of the benchmarks; without it, text or sentence is taken.
    """

    columns: ColumnMap = field(default_factory=ColumnMap)
    benchmark_column: str | None = None
    near: float | None = 0.7
    near_words: int = 3
    model_check: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: its kind, the audited rows it is about, in words, and what there is to know."""

    kind: str
    places: tuple[str, ...]
    detail: str

    @property
    def is_fault(self) -> bool:
        """Whether it must be mended."""
        return self.kind in FAULT_KINDS


@dataclass(frozen=True, slots=True)
class SharedTexts:
    """How many texts a benchmark shares with the audited data: distinct texts, and rows on both sides.

    `unread` rows of the benchmark have no text and were not compared.
    """

    benchmark: str
    texts: int
    rows_here: int
    rows_there: int
    unread: int


@dataclass(frozen=True, slots=True)
class AuditReport:
    """All findings in the order of `KINDS`, the texts shared with each benchmark, and the counts of each split."""

    rows: int
    findings: list[Finding]
    shared: list[SharedTexts]
    parts: list[PartStatistics]

    @property
    def faults(self) -> list[Finding]:
        """The findings that must be mended."""
        return [finding for finding in self.findings if finding.is_fault]

    def count(self) -> dict[str, int]:
        """How many findings there are of each kind, for the kinds that were found."""
        kinds = [finding.kind for finding in self.findings]
        return {kind: kinds.count(kind) for kind in KINDS if kind in kinds}


def audit(
    paths: Sequence[str | Path],
    scheme: LabelScheme | None,
    *,
    benchmarks: Sequence[str | Path] = (),
    options: AuditOptions | None = None,
) -> AuditReport:
    """Audit labelled files together. Without a scheme any label is good, and rows need none.

    A row belongs to the split that it names, or else to its file. Raises `DataError` for what spoils a whole source
    and `UsageError` where an optional package is missing.
    """
    chosen = options or AuditOptions()
    if not paths:
        raise UsageError("expected at least one file to audit, got none")
    rows: list[AuditRow] = []
    faults: list[Fault] = []
    for path in paths:
        more_rows, more_faults = read_audit_rows(path, scheme, chosen.columns)
        rows += more_rows
        faults += more_faults
    compared = {str(path): read_compared_texts(path, chosen.benchmark_column) for path in benchmarks}
    others = [(path, texts) for path, (texts, _) in compared.items()]
    findings = [Finding(fault.kind, (f"{Path(fault.path).name} row {fault.row}",), fault.reason) for fault in faults]
    findings += [*_compare_equal(rows), *_find_cut_groups(rows), *_find_shared(rows, others), *_find_tiny(rows)]
    if chosen.near is not None:
        findings += _find_near(rows, others, chosen.near, chosen.near_words)
    names = scheme.names if scheme else tuple(sorted({name for row in rows for name in row.labels or ()}))
    if chosen.model_check:
        findings += _find_doubtful(rows, names)
    findings.sort(key=lambda finding: KINDS.index(finding.kind))
    shared = [_count_shared(rows, path, texts, unread) for path, (texts, unread) in compared.items()]
    return AuditReport(len(rows) + len(faults), findings, shared, count_parts(rows, names))


def _compare_equal(rows: Iterable[AuditRow]) -> list[Finding]:
    findings = []
    for same in _group_by_key(rows).values():
        if len(same) == 1:
            continue
        places = tuple(row.place for row in same)
        parts = sorted({row.part for row in same})
        detail = f"{', '.join(Path(part).name for part in parts)}: {_shorten(same[0].text)}"
        findings.append(Finding(ACROSS if len(parts) > 1 else WITHIN, places, detail))
        labels = dict.fromkeys(_show_labels(row) for row in same if row.labels is not None)
        if len(labels) > 1:
            findings.append(Finding(CONFLICT, places, f"{' / '.join(labels)}: {_shorten(same[0].text)}"))
    return findings


def _find_cut_groups(rows: Iterable[AuditRow]) -> list[Finding]:
    by_group: defaultdict[str, dict[str, AuditRow]] = defaultdict(dict)
    for row in rows:
        if row.group is not None:
            by_group[row.group].setdefault(row.part, row)
    return [
        Finding(CUT_GROUP, tuple(row.place for row in first.values()), f"group {group} in {', '.join(sorted(first))}")
        for group, first in by_group.items()
        if len(first) > 1
    ]


def _find_shared(rows: Iterable[AuditRow], others: Iterable[tuple[str, list[AuditRow]]]) -> list[Finding]:
    here = _group_by_key(rows)
    findings = []
    for path, texts in others:
        there = _group_by_key(texts)
        for key, same in here.items():
            if key in there:
                lines = ", ".join(str(row.row) for row in there[key])
                detail = f"{Path(path).name} row {lines}: {_shorten(same[0].text)}"
                findings.append(Finding(SHARED, tuple(row.place for row in same), detail))
    return findings


def _find_tiny(rows: Iterable[AuditRow]) -> list[Finding]:
    return [
        Finding(TINY, (row.place,), f"{_shorten(row.text)} ({_show_labels(row)})")
        for row in rows
        if len(row.text.split()) <= TINY_WORDS
    ]


def _find_near(
    rows: Sequence[AuditRow], others: Sequence[tuple[str, list[AuditRow]]], threshold: float, words: int
) -> list[Finding]:
    here = _group_by_key(rows)
    there = _group_by_key(row for _, texts in others for row in texts)
    findings = []
    for pair in find_near_duplicates({**here, **there}, threshold=threshold, words=words):
        for one, other in ((pair.first, pair.second), (pair.second, pair.first)):
            if one in here and other in there and one not in there:
                detail = f"{pair.similarity:.2f} {there[other][0].place}: {_shorten(here[one][0].text)}"
                findings.append(Finding(NEAR_SHARED, tuple(row.place for row in here[one]), detail))
        if pair.first in here and pair.second in here:
            findings.append(_describe_near(here[pair.first], here[pair.second], pair.similarity))
    return findings


def _describe_near(first: list[AuditRow], second: list[AuditRow], similarity: float) -> Finding:
    same = [*first, *second]
    # A pair may leak although each of its texts keeps to one split.
    leaks = len({row.part for row in same}) > 1
    labels = dict.fromkeys(_show_labels(row) for row in same if row.labels is not None)
    conflict = f" labels differ ({' / '.join(labels)}):" if len(labels) > 1 else ""
    detail = f"{similarity:.2f}{conflict} {_shorten(first[0].text)}"
    return Finding(NEAR_ACROSS if leaks else NEAR_WITHIN, tuple(row.place for row in same), detail)


def _find_doubtful(rows: Sequence[AuditRow], names: Sequence[str]) -> list[Finding]:
    return [
        Finding(
            DOUBTFUL,
            (doubt.row.place,),
            f"{'has' if doubt.carried else 'lacks'} {doubt.name}, to which the model gives "
            f"{doubt.confidence:.2f}: {_shorten(doubt.row.text)}",
        )
        for doubt in find_doubtful_labels(rows, names)
    ]


def _count_shared(rows: Iterable[AuditRow], path: str, texts: Iterable[AuditRow], unread: int) -> SharedTexts:
    here, there = _group_by_key(rows), _group_by_key(texts)
    both = here.keys() & there.keys()
    rows_here, rows_there = (sum(len(side[key]) for key in both) for side in (here, there))
    return SharedTexts(path, len(both), rows_here, rows_there, unread)


def _group_by_key(rows: Iterable[AuditRow]) -> dict[str, list[AuditRow]]:
    groups: defaultdict[str, list[AuditRow]] = defaultdict(list)
    for row in rows:
        groups[row.key].append(row)
    return dict(groups)


def _show_labels(row: AuditRow) -> str:
    return "|".join(sorted(row.labels or ())) or "none"


def _shorten(text: str, limit: int = 80) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= limit else folded[: limit - 3] + "..."

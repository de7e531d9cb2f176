"""Rows of any table as the audit compares them, each with file and row, so that a person can go and look.

Unlike `load_examples` this also reads foreign tables: without a header (their columns are numbered from 1), with
labels of no known scheme, with texts that repeat. It is for looking at data, not for training on it.
"""

import csv
import io
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsacts.data.files import PARQUET, read_text, recognise_format
from newsacts.data.loaders import GROUP_COLUMNS, ColumnMap, load_examples
from newsacts.data.splits import normalise_text
from newsacts.data.standoff import hash_text
from newsacts.data.tables import RawRow, Reject, Table, open_tables
from newsacts.errors import DataError, UsageError
from newsacts.labels import LabelScheme

TEXT_COLUMNS = ("text", "sentence")
"""Where the text of a row to compare with is looked for, in this order, unless one column is named."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A row with a text. `key` is the text as compared; `labels` is None where the table has no labels.

    `part` is the split of the row, or else its file: what one trains on apart from what one measures on.
    """

    path: str
    row: int
    id: str | None
    text: str
    key: str
    labels: frozenset[str] | None
    group: str | None
    split: str | None

    @property
    def part(self) -> str:
        """The split, or the file where a row names none."""
        return self.split or self.path

    @property
    def place(self) -> str:
        """Where the row stands, in words."""
        return f"{Path(self.path).name} row {self.row}"


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that training would refuse. `kind` is "bad row" or "unknown label"."""

    path: str
    row: int
    kind: str
    reason: str


BAD_ROW, UNKNOWN_LABEL = "bad row", "unknown label"


def read_audit_rows(
    path: str | Path, scheme: LabelScheme | None, columns: ColumnMap
) -> tuple[list[AuditRow], list[Fault]]:
    """The rows of a labelled table that have a text, and the faults for which `load_examples` would refuse rows.

    Texts that repeat are no fault here. Without a scheme any label is good and none is needed. Where the name of
    the text column is a number, the table has no header. Raises `DataError` for what spoils the whole source.
    """
    rows: list[AuditRow] = []
    faults: list[Fault] = []
    for table in _open(path, columns.text, columns.readable()):
        for raw in table.rows:
            found = _read_row(raw, table.path, columns, scheme)
            if isinstance(found, AuditRow):
                rows.append(found)
            else:
                faults.append(found)
    if not rows and not faults:
        raise DataError("there are no rows, expected at least one", path=path)
    if scheme is None:
        return rows, faults
    strangers = _find_unknown_labels(rows, scheme)
    if columns.text.isdecimal():
        return rows, faults + strangers
    return rows, _ask_loader(path, scheme, columns, rows)


def read_compared_texts(path: str | Path, column: str | None = None) -> tuple[list[AuditRow], int]:
    """The texts of a table to compare with, and how many of its rows have none.

    Without a column, text or sentence is taken. A numbered column means that the table has no header.
    """
    rows, faults = read_audit_rows(path, None, ColumnMap(text=column or _find_text_column(path)))
    return rows, len(faults)


def _find_text_column(path: str | Path) -> str:
    table = open_tables(path, TEXT_COLUMNS)[0]
    columns = table.columns
    if columns is None:
        columns = next((tuple(row.values) for row in table.rows if isinstance(row, RawRow)), ())
    for name in TEXT_COLUMNS:
        if name in columns:
            return name
    got = ", ".join(map(repr, columns)) or "none"
    raise DataError(f"no column {' or '.join(TEXT_COLUMNS)}, got {got}; name the text column", path=path)


def _open(path: str | Path, text_column: str, wanted: Collection[str]) -> list[Table]:
    tables = [_open_headless(Path(path))] if text_column.isdecimal() else open_tables(path, wanted)
    for table in tables:
        if table.columns is not None and text_column not in table.columns:
            listed = ", ".join(map(repr, table.columns))
            hint = "; if the table has no header, give the number of the column, from 1"
            raise DataError(f"no column {text_column!r}, got {listed}{hint}", path=path)
    return tables


def _open_headless(path: Path) -> Table:
    kind, compression = recognise_format(path)
    if kind not in {".csv", ".tsv"}:
        raise UsageError(f"{path}: columns are numbered only in .csv and .tsv files, not in {kind or PARQUET}")
    content = read_text(path, compression)
    # Lenient about quotes, since tables without a header are other people's.
    reader = csv.reader(io.StringIO(content, newline=""), delimiter="," if kind == ".csv" else "\t")
    csv.field_size_limit(max(csv.field_size_limit(), len(content)))
    records: list[tuple[int, list[str]]] = []
    line = 0
    for record in reader:
        if record:
            records.append((line + 1, record))
        line = reader.line_num
    width = max(len(record) for _, record in records)
    columns = tuple(str(number) for number in range(1, width + 1))
    rows = [RawRow(row, dict(zip(columns, record, strict=False)), "\t".join(record)) for row, record in records]
    return Table(str(path), columns, rows)


def _read_row(raw: RawRow | Reject, path: str, columns: ColumnMap, scheme: LabelScheme | None) -> AuditRow | Fault:
    if isinstance(raw, Reject):
        return Fault(path, raw.row, BAD_ROW, raw.reason)
    values = raw.values
    text = values.get(columns.text)
    if not isinstance(text, str) or not text.strip():
        return Fault(path, raw.row, BAD_ROW, f"{columns.text} is {text!r}, expected a text")
    labels = _read_labels(values.get(columns.labels))
    if labels is None and scheme is not None:
        return Fault(path, raw.row, BAD_ROW, f"{columns.labels} is missing or no list of names")
    names = GROUP_COLUMNS if columns.group is None else (columns.group,)
    group = next((values[name] for name in names if values.get(name)), None)
    return AuditRow(
        path,
        raw.row,
        _name(values.get(columns.id or "id")),
        text,
        normalise_text(text),
        labels,
        _name(group),
        _name(values.get(columns.split or "split")),
    )


def _read_labels(value: Any) -> frozenset[str] | None:
    if isinstance(value, str):
        return frozenset(name.strip() for name in value.split("|") if name.strip())
    if isinstance(value, list):
        return frozenset(str(name) for name in value)
    return None if value is None else frozenset({str(value)})


def _name(value: Any) -> str | None:
    return None if value is None or not str(value).strip() else str(value)


def _find_unknown_labels(rows: Iterable[AuditRow], scheme: LabelScheme) -> list[Fault]:
    faults = []
    for row in rows:
        unknown = sorted((row.labels or frozenset()) - set(scheme.names))
        if unknown:
            faults.append(Fault(row.path, row.row, UNKNOWN_LABEL, scheme.explain_unknown(unknown[0])))
    return faults


def _ask_loader(path: str | Path, scheme: LabelScheme, columns: ColumnMap, rows: list[AuditRow]) -> list[Fault]:
    """What the loader of training data says: it has the last word on what is good enough to be trained on."""
    strangers = {(fault.path, fault.row) for fault in _find_unknown_labels(rows, scheme)}
    repeats = _find_nameless_repeats(rows) - strangers
    return [
        Fault(
            reject.path,
            reject.row,
            UNKNOWN_LABEL if (reject.path, reject.row) in strangers else BAD_ROW,
            reject.reason,
        )
        for reject in load_examples(path, scheme, on_error="skip", columns=columns).rejects
        if (reject.path, reject.row) not in repeats
    ]


def _find_nameless_repeats(rows: Iterable[AuditRow]) -> set[tuple[str, int]]:
    # The loader gives rows without an id the hash of their text and refuses the second; here they are duplicates.
    seen: set[str] = set()
    repeats = set()
    for row in rows:
        digest = hash_text(row.text)
        if row.id is None and digest in seen:
            repeats.add((row.path, row.row))
        seen.add(digest)
    return repeats

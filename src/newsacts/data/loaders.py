"""Labelled examples from files and datasets: `load_examples`, and what to do with rows that are no good.

Reads JSONL, CSV, TSV (each also `.gz` or `.zst`), Parquet, folders of Hugging Face `datasets`, and
`hf:owner/name`. Text is kept to the character: normalising it is the business of `splits`. Labels are checked
against the given scheme and never read off the data.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from newsacts.data.standoff import hash_text
from newsacts.data.tables import RawRow, Reject, Table, open_tables
from newsacts.errors import DataError, UsageError
from newsacts.labels import NO_LABEL, LabelScheme
from newsacts.records import Example

__all__ = ["ColumnMap", "LoadResult", "Reject", "load_examples", "write_rejects"]

GROUP_COLUMNS = ("group", "document", "article", "article_id")
"""Where the group of a row is looked for, in this order, unless a `ColumnMap` names one column."""

SHOWN_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Which column holds what.

    The optional three are None by default: `id`, one of `GROUP_COLUMNS`, and `split` are read where they
    exist. A column that is named here must exist. `keep` names further columns to carry along in `Example.extra`.
    """

    text: str = "text"
    labels: str = "labels"
    id: str | None = None
    group: str | None = None
    split: str | None = None
    keep: tuple[str, ...] = ()

    def required(self) -> tuple[str, ...]:
        """The columns without which a row cannot be read."""
        optional = (name for name in (self.id, self.group, self.split) if name is not None)
        return (self.text, self.labels, *optional, *self.keep)

    def readable(self) -> frozenset[str]:
        """Every column that may be looked at."""
        return frozenset((*self.required(), "id", *GROUP_COLUMNS, "split"))


@dataclass(frozen=True, slots=True)
class LoadResult:
    """Examples in the order of the source, and the rows that were left out (none unless asked to skip)."""

    examples: list[Example]
    rejects: list[Reject]


def load_examples(
    source: str | Path,
    scheme: LabelScheme,
    *,
    on_error: Literal["raise", "skip"] = "raise",
    columns: ColumnMap | None = None,
    split: str | None = None,
) -> LoadResult:
    """Read labelled examples and check every row.

    A row needs a text and labels: a list of names, or one string like "accusation|denial"; empty means no
    label. Without an id it gets the first 12 hex digits of the SHA-1 of its text with white space folded;
    without a group it is its own article: the group is the hash of its text. With `split`, only rows of that split
    are kept and checked.

    A bad row raises `DataError` with file and row, or under `on_error="skip"` joins the rejects. What spoils
    a whole source always raises: a missing file, a broken encoding, a missing column, no rows at all.
    """
    if on_error not in ("raise", "skip"):
        raise UsageError(f"on_error must be 'raise' or 'skip', got {on_error!r}")
    names = columns or ColumnMap()
    result = LoadResult([], [])
    first_places: dict[str, str] = {}
    for path, row in _walk_rows(source, names, split):
        try:
            example = _read_example(row, names, scheme)
            _refuse_duplicate(example, first_places)
            first_places[example.id] = f"row {row.row} of {path}"
        except DataError as fault:
            if on_error == "raise":
                raise DataError(fault.reason, path=path, row=row.row) from fault.__cause__
            result.rejects.append(Reject(path, row.row, fault.reason, row.raw))
        else:
            result.examples.append(example)
    return result


def write_rejects(rejects: Iterable[Reject], path: str | Path) -> None:
    """Write rejects as JSONL with the keys path, row, reason and raw; an existing file is replaced."""
    lines = [json.dumps(asdict(reject), ensure_ascii=False) + "\n" for reject in rejects]
    try:
        Path(path).write_text("".join(lines), encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"cannot write rejects to {str(path)!r}: {error.strerror or error}") from error


def _walk_rows(source: str | Path, names: ColumnMap, split: str | None) -> Iterator[tuple[str, RawRow | Reject]]:
    """Rows with the path they stand in, of one split if asked; raises for what spoils the whole source."""
    total = 0
    found: set[str] = set()
    for table in open_tables(source, names.readable()):
        _require_columns(table, names)
        for row in table.rows:
            total += 1
            if split is not None and isinstance(row, RawRow):
                # A split that cannot be read lets the row through, and reading the row reports it.
                with suppress(DataError):
                    own = _read_split(row.values, names)
                    found.update(() if own is None else (own,))
                    if own != split:
                        continue
            yield table.path, row
    if total == 0:
        raise DataError("there are no rows, expected at least one", path=source)
    if split is not None and split not in found:
        listed = ", ".join(sorted(found)) or "no split at all"
        raise DataError(f"no row of split {split!r}; the rows name {listed}", path=source)


def _require_columns(table: Table, names: ColumnMap) -> None:
    if table.columns is None:
        return
    for name in names.required():
        if name not in table.columns:
            raise DataError(_explain_missing(name, table.columns), path=table.path)


def _explain_missing(name: str, got: Iterable[str]) -> str:
    got = list(got)
    near = get_close_matches(name, got, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(map(repr, got)) or "none"
    return f"no column {name!r}, got {listed}{hint} (a ColumnMap says which column holds what)"


def _read_example(row: RawRow | Reject, names: ColumnMap, scheme: LabelScheme) -> Example:
    """One row as an `Example`. Raises `DataError` without a place, which the caller knows."""
    if isinstance(row, Reject):
        raise DataError(row.reason)
    values = row.values
    for name in names.required():
        if name not in values:
            raise DataError(_explain_missing(name, values))
    text = _read_text(values[names.text], names.text)
    identifier = _read_name(values, names.id or "id") or hash_text(text)
    group_column = names.group or next((name for name in GROUP_COLUMNS if name in values), GROUP_COLUMNS[0])
    return Example(
        id=identifier,
        text=text,
        labels=_read_labels(values[names.labels], names.labels, scheme),
        # Row numbers as ids are common: as groups they would tie row 1 of one file to row 1 of another.
        group=_read_name(values, group_column) or hash_text(text),
        split=_read_split(values, names),
        extra={name: values[name] for name in names.keep},
    )


def _read_text(value: object, column: str) -> str:
    if not isinstance(value, str):
        raise DataError(f"{column} is {_describe(value)}, expected a string")
    if not value.strip():
        raise DataError(f"{column} is {value[:20]!r}, expected more than white space")
    _require_encodable(value, column)
    return value


def _read_labels(value: object, column: str, scheme: LabelScheme) -> tuple[str, ...]:
    if value is None:
        raise DataError(f"{column} is null, expected a list of names; for no label write an empty list")
    entries: object = value
    if isinstance(value, str):
        entries = [entry.strip() for entry in value.split("|")] if value.strip() else []
    if not isinstance(entries, list):
        raise DataError(f"{column} is {_describe(value)}, expected a list of names or a string like 'a|b'")
    for entry in entries:
        if not isinstance(entry, str):
            raise DataError(f"{column} holds {_describe(entry)}, expected names of labels")
    try:
        return scheme.arrange(entries)
    except UsageError as error:
        hint = f"; for no label leave {column} empty" if {"", NO_LABEL} & set(entries) else ""
        raise DataError(f"{error}{hint}") from error


def _read_name(values: Mapping[str, Any], column: str) -> str | None:
    """An id, a group or a split: a string, or a whole number as one; None where it is absent or blank."""
    value = values.get(column)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise DataError(f"{column} is {_describe(value)}, expected a string or a whole number")
    name = str(value)
    _require_encodable(name, column)
    return name


def _read_split(values: Mapping[str, Any], names: ColumnMap) -> str | None:
    if names.split is not None and names.split not in values:
        raise DataError(_explain_missing(names.split, values))
    return _read_name(values, names.split or "split")


def _require_encodable(value: str, column: str) -> None:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        got = f"half of a surrogate pair at character {error.start} of {column}"
        raise DataError(f"got {got}, expected whole characters; an emoji was cut in two") from error


def _refuse_duplicate(example: Example, first_places: Mapping[str, str]) -> None:
    first = first_places.get(example.id)
    if first is None:
        return
    if example.id == hash_text(example.text):
        cause = "; it is the hash of the text, so the same text stands in both: drop one or give it an id"
    else:
        cause = "; ids must differ"
    raise DataError(f"duplicate id {example.id!r}, first used in {first}{cause}")


def _describe(value: object) -> str:
    shown = repr(value)
    if len(shown) > SHOWN_CHARACTERS:
        shown = shown[:SHOWN_CHARACTERS] + "..."
    return f"{shown} ({type(value).__name__})"

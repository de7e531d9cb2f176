"""From a source to raw rows: JSONL, CSV, TSV, Parquet, and Hugging Face `datasets`, local or by name.

Knows nothing of labels. A fault that spoils one row comes back as a `Reject` in its place, so that the
caller decides whether it stops there; a fault that spoils the whole file raises `DataError`.
"""

import csv
import io
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsacts.data.dataset_folders import (
    HUB_PREFIX,
    is_dataset_folder,
    load_folder,
    load_from_hub,
    rows_of_part,
)
from newsacts.data.files import PARQUET, read_bytes, read_text, recognise_format, require_existing
from newsacts.errors import DataError, UsageError


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as it was found. `row` counts from 1: lines in text files, records elsewhere."""

    row: int
    values: dict[str, Any]
    raw: str


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that cannot be used: where it stands, why, and what it says."""

    path: str
    row: int
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one file or part. `columns` is None where every row names its own fields (JSONL)."""

    path: str
    columns: tuple[str, ...] | None
    rows: Iterable[RawRow | Reject]


def open_tables(source: str | Path, wanted: Collection[str]) -> list[Table]:
    """The tables of a source: one for a file, one for each part of a dataset.

    `wanted` names the columns of use; formats that store columns apart read no others. Where a dataset has
    named parts, a row without a split of its own gets the name of its part. Only a source that begins with
    `hf:` is looked for by name, and only then may the network be used.
    """
    if isinstance(source, str) and source.startswith(HUB_PREFIX):
        return _dataset_tables(load_from_hub(source), source, wanted)
    path = Path(source)
    require_existing(path)
    if is_dataset_folder(path):
        return _dataset_tables(load_folder(path), str(path), wanted)
    if path.is_dir():
        raise DataError("this is a folder, expected a file or a folder written by datasets' save_to_disk", path=path)
    kind, compression = recognise_format(path)
    if kind == PARQUET:
        return [_open_parquet(path, wanted)]
    return [_TEXT_READERS[kind](str(path), read_text(path, compression))]


def _read_jsonl(path: str, text: str) -> Table:
    return Table(path, None, _json_rows(path, text))


def _json_rows(path: str, text: str) -> Iterator[RawRow | Reject]:
    # Not splitlines(): U+2028 and its like are legal inside a JSON string.
    for number, ended in enumerate(text.split("\n"), start=1):
        line = ended.removesuffix("\r")
        if not line.strip():
            continue
        try:
            values = json.loads(line, object_pairs_hook=_unique_object)
        except (ValueError, RecursionError) as error:
            array = "; write one object a line, not one array" if line.lstrip().startswith("[") else ""
            yield Reject(path, number, f"broken JSON: {error}{array}", line)
            continue
        if isinstance(values, dict):
            yield RawRow(number, values, line)
        else:
            reason = f"expected a JSON object, got {type(values).__name__}; write one object a line"
            yield Reject(path, number, reason, line)


def _unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice")
    return values


def _read_csv(path: str, text: str) -> Table:
    return _read_delimited(path, text, ",")


def _read_tsv(path: str, text: str) -> Table:
    return _read_delimited(path, text, "\t")


_TEXT_READERS: dict[str, Callable[[str, str], Table]] = {
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".tsv": _read_tsv,
}


def _read_delimited(path: str, text: str, delimiter: str) -> Table:
    records = _read_records(path, text, delimiter)
    header = next(records)
    if isinstance(header, Reject):
        raise DataError(header.reason, path=path, row=header.row)
    columns = _require_distinct(header.fields, path)
    return Table(path, columns, _flat_rows(path, columns, records))


@dataclass(frozen=True, slots=True)
class _Record:
    row: int
    fields: list[str]
    raw: str


def _flat_rows(path: str, columns: tuple[str, ...], records: Iterable[_Record | Reject]) -> Iterator[RawRow | Reject]:
    for record in records:
        if isinstance(record, Reject):
            yield record
        elif len(record.fields) == len(columns):
            yield RawRow(record.row, dict(zip(columns, record.fields, strict=True)), record.raw)
        else:
            got = f"got {len(record.fields)} fields, expected {len(columns)} ({', '.join(columns)})"
            reason = f"{got}; a field that holds a separator or a quote must stand in double quotes"
            yield Reject(path, record.row, reason, record.raw)


def _read_records(path: str, text: str, delimiter: str) -> Iterator[_Record | Reject]:
    # The limit belongs to the whole process, so it is only ever raised: lowering it again could cut the
    # file that another thread is reading.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while (first := reader.line_num) < len(lines):
        try:
            fields = next(reader)
        except csv.Error as error:
            raw = "".join(lines[first : reader.line_num])
            if "unexpected end of data" in str(error):
                reason = "a double quote opens here and never closes, so no later row can be told apart"
                raise DataError(reason, path=path, row=first + 1) from error
            span = f" in lines {first + 1} to {reader.line_num}" if reader.line_num > first + 1 else ""
            yield Reject(path, first + 1, f"broken quoting{span}: {error}", raw)
            continue
        except StopIteration:
            return
        if fields:
            yield _Record(first + 1, fields, "".join(lines[first : reader.line_num]))


def _open_parquet(path: Path, wanted: Collection[str]) -> Table:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError("reading .parquet files needs a package: pip install pyarrow") from error
    content = io.BytesIO(read_bytes(path))
    try:
        file = parquet.ParquetFile(content)
    except (OSError, ValueError) as error:
        raise DataError(f"no readable Parquet file ({error}); write or fetch it again", path=path) from error
    columns = _require_distinct(file.schema_arrow.names, str(path))
    present = [name for name in columns if name in wanted]
    return Table(str(path), columns, _parquet_rows(path, file, present))


def _parquet_rows(path: Path, file: Any, present: list[str]) -> Iterator[RawRow]:
    number = 0
    try:
        for batch in file.iter_batches(columns=present):
            for values in batch.to_pylist():
                number += 1
                yield RawRow(number, values, _show(values))
    except (OSError, ValueError) as error:
        message = f"the Parquet data after row {number} cannot be read ({error}); write or fetch it again"
        raise DataError(message, path=path) from error


def _dataset_tables(parts: dict[str | None, Any], source: str, wanted: Collection[str]) -> list[Table]:
    tables = []
    for name, part in parts.items():
        path = source if name is None else f"{source}/{name}"
        columns = _require_distinct([*part.column_names], path)
        rows = (
            RawRow(number, values, _show(values))
            for number, values in enumerate(rows_of_part(part, path, name, wanted), start=1)
        )
        tables.append(Table(path, columns, rows))
    return tables


def _require_distinct(columns: list[str], path: str) -> tuple[str, ...]:
    for name in columns:
        if columns.count(name) > 1:
            raise DataError(f"the column {name!r} stands twice, expected distinct names", path=path, row=1)
    return tuple(columns)


def _show(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, default=str)

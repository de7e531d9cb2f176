"""Rows of the formats that are read front to back: JSONL, CSV, TSV, and text of one or many documents.

A row that cannot be used stands in its place as a `BadRow`; `DamagedFileError` ends a file of which no row can be told.
"""

import json
from typing import Any, BinaryIO

from newsacts.bulk.archives import DamagedFileError, Member
from newsacts.bulk.lines import MAX_ROW_BYTES, BadRow, Line, Record, Rows, read_lines, read_records
from newsacts.data.inputs import read_json_constant
from newsacts.data.tables import RawRow


def read_jsonl(stream: BinaryIO) -> Rows:
    """One JSON object a line; blank lines are passed over."""
    for line in read_lines(stream):
        if isinstance(line, BadRow):
            yield line
        elif line.text.strip():
            yield _parse_json(line)


def read_csv(stream: BinaryIO) -> Rows:
    """Values parted by commas, below a header."""
    return _read_delimited(stream, ",")


def read_tsv(stream: BinaryIO) -> Rows:
    """Values parted by tabs, below a header."""
    return _read_delimited(stream, "\t")


def read_documents(member: Member, separator: str | None) -> Rows:
    """A text file: one document, or several parted by lines that equal `separator`. `row` counts documents."""
    number, document = 1, _Document()
    for line in read_lines(member.stream):
        if isinstance(line, Line) and separator is not None and line.text.strip() == separator:
            if not document.blank:
                yield document.finish(number, None)
                number += 1
            document = _Document()
        else:
            document.add(line)
    if not document.blank or number == 1:
        # The name of a file names its only document; of several documents, each needs a number.
        yield document.finish(number, member.label if separator is None else None)


def _parse_json(line: Line) -> RawRow | BadRow:
    try:
        values = json.loads(line.text, object_pairs_hook=_unique_object, parse_constant=read_json_constant)
    except (ValueError, RecursionError) as error:
        array = "; write one object a line, not one array" if line.text.lstrip().startswith("[") else ""
        return BadRow(line.row, f"broken JSON: {error}{array}", line.text)
    if not isinstance(values, dict):
        reason = f"expected a JSON object, got {type(values).__name__}; write one object a line"
        return BadRow(line.row, reason, line.text)
    return RawRow(line.row, values, line.text)


def _unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice")
    return values


def _read_delimited(stream: BinaryIO, delimiter: str) -> Rows:
    records = read_records(read_lines(stream), delimiter)
    header = next(records, None)
    if header is None:
        return
    if not isinstance(header, Record):
        raise DamagedFileError(f"the header cannot be read: {header.reason}")
    if len(set(header.fields)) < len(header.fields):
        raise DamagedFileError(f"the header {header.fields} names a column twice, expected distinct names")
    for record in records:
        if isinstance(record, BadRow):
            yield record
        else:
            yield RawRow(record.row, dict(zip(header.fields, record.fields, strict=True)), record.raw)


class _Document:
    """Lines on their way to a document."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0
        self._fault: str | None = None

    @property
    def blank(self) -> bool:
        return self._fault is None and not any(part.strip() for part in self._parts)

    def add(self, line: Line | BadRow) -> None:
        if isinstance(line, BadRow):
            self._fault = self._fault or f"line {line.row}: {line.reason}"
        elif self._fault is None:
            self._size += len(line.text)
            self._parts.append(line.text)
            if self._size > MAX_ROW_BYTES:
                self._fault = f"the document is longer than {MAX_ROW_BYTES >> 20} MiB"
                self._parts = self._parts[:1]

    def finish(self, number: int, name: str | None) -> RawRow | BadRow:
        text = "".join(self._parts).removesuffix("\n")
        if self._fault is not None:
            return BadRow(number, self._fault, text)
        return RawRow(number, {"text": text, "id": name}, text)

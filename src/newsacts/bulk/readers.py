"""From a source to articles and rejects: every format, one row after the other, never a file as a whole.

A bad row becomes a `Reject` in its place and reading goes on behind it; a damaged file becomes one reject and reading
goes on with the next file. Errors of the disk or the network stop the run, since they may pass: `DataError`.
"""

import itertools
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from typing import BinaryIO

from newsacts.bulk.archives import DamagedFileError, Member, open_members
from newsacts.bulk.arrow_rows import SHOWN_CHARACTERS, read_arrow, read_parquet
from newsacts.bulk.fields import BadValueError, FieldReader
from newsacts.bulk.lines import BadRow, Rows
from newsacts.bulk.meter import Meter
from newsacts.bulk.sources import Inputs, Source
from newsacts.bulk.text_rows import read_csv, read_documents, read_jsonl, read_tsv
from newsacts.data.tables import RawRow, Reject
from newsacts.errors import DataError
from newsacts.records import Article

PEEKED_ROWS = 50
"""Rows looked at, from the first good one on, to learn which fields a file has."""
SOUGHT_ROWS, SOUGHT_CHARACTERS = 1_000, 8_000_000
"""So far a column is looked for that was asked for and is not in those: rows of JSONL differ in theirs."""

_ROW_READERS: dict[str, Callable[[BinaryIO], Rows]] = {"jsonl": read_jsonl, "csv": read_csv, "tsv": read_tsv}
_SOUGHT_READERS: dict[str, Callable[[BinaryIO, FieldReader, Meter], Rows]] = {
    "parquet": read_parquet,
    "arrow": read_arrow,
}


def read_articles(inputs: Inputs, fields: FieldReader, meter: Meter) -> Iterator[Article | Reject]:
    """Articles and rejects of all inputs, in order. Raises `DataError` for errors of the disk or network."""
    for source in inputs.walk():
        with closing(source.open()) as raw:
            meter.begin(raw, source.size)
            try:
                yield from _read_source(source, raw, fields, meter)
            except OSError as error:
                advice = "nothing is lost, run the same command again when it can be read"
                raise DataError(f"reading failed: {error.strerror or error}; {advice}", path=source.label) from error
            meter.end()


def _read_source(source: Source, raw: BinaryIO, fields: FieldReader, meter: Meter) -> Iterator[Article | Reject]:
    members = open_members(source.label, raw, source.kind)
    while True:
        try:
            member = next(members, None)
        except DamagedFileError as damage:
            yield Reject(source.label, 1, str(damage), "")
            return
        if member is None:
            return
        yield from _read_member(member, fields, meter)


def _read_member(member: Member, fields: FieldReader, meter: Meter) -> Iterator[Article | Reject]:
    kind = _tell_format(member, fields)
    try:
        rows = _end_at_damage(_open_rows(member, kind, fields, meter))
        # Bad rows at the top tell nothing of the columns, however many they are.
        while isinstance(first := next(rows, None), BadRow):
            yield _reject_row(member, first)
        if first is None:
            return
        peeked = _peek(first, rows, fields.asked)
        found = [one.values for one in peeked if isinstance(one, RawRow)]
        chosen = fields.choose_document(member.label) if kind == "txt" else fields.choose(member.label, found)
    except DamagedFileError as damage:
        yield Reject(member.label, 1, str(damage), "")
        return
    for row in itertools.chain(peeked, rows):
        if isinstance(row, BadRow):
            yield _reject_row(member, row)
            continue
        try:
            yield fields.build(row.values, chosen, f"{member.label}#{row.row}")
        except BadValueError as fault:
            yield Reject(member.label, row.row, str(fault), row.raw[:SHOWN_CHARACTERS])


def _reject_row(member: Member, row: BadRow) -> Reject:
    return Reject(member.label, row.row, row.reason, row.raw[:SHOWN_CHARACTERS])


def _peek(first: RawRow, rows: Rows, asked: Collection[str]) -> list[RawRow | BadRow]:
    peeked: list[RawRow | BadRow] = [first]
    missing, characters = set(asked) - first.values.keys(), len(first.raw)
    while len(peeked) < PEEKED_ROWS or (missing and len(peeked) < SOUGHT_ROWS and characters < SOUGHT_CHARACTERS):
        if (row := next(rows, None)) is None:
            break
        peeked.append(row)
        characters += len(row.raw)
        if isinstance(row, RawRow):
            missing -= row.values.keys()
    return peeked


def _end_at_damage(rows: Rows) -> Rows:
    row = 0
    try:
        for found in rows:
            row = found.row
            yield found
    except DamagedFileError as damage:
        # The row behind the last that was read: from there on nothing is known.
        yield BadRow(row + 1, str(damage), "")


def _tell_format(member: Member, fields: FieldReader) -> str:
    if member.format is not None:
        return member.format
    head = member.stream.peek(64) if hasattr(member.stream, "peek") else b""
    kind = "jsonl" if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")) else "txt"
    fields.note("format", kind, "by the first character of the stream; --input-format names another")
    return kind


def _open_rows(member: Member, kind: str, fields: FieldReader, meter: Meter) -> Rows:
    if kind == "txt":
        return read_documents(member, fields.separator)
    if kind in _SOUGHT_READERS:
        return _SOUGHT_READERS[kind](member.stream, fields, meter)
    if kind in _ROW_READERS:
        return _ROW_READERS[kind](member.stream)
    raise DamagedFileError("unknown kind of file in an archive; expected a name such as .jsonl, .csv or .txt")

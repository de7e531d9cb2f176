"""From a source to articles and rejects: every format, one row after the other, never a file as a whole.

A bad row becomes a `Reject` in its place and reading goes on behind it; a damaged file becomes one reject and reading
goes on with the next file. Errors of the disk or the network stop the run, since they may pass: `DataError`.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, BinaryIO

from newsacts.bulk.archives import DamagedFileError, Member, open_members, open_seekable
from newsacts.bulk.fields import BadValueError, FieldReader
from newsacts.bulk.lines import MAX_ROW_BYTES, BadRow, Line, Record, read_lines, read_records
from newsacts.bulk.sources import Inputs, Source
from newsacts.data.tables import RawRow, Reject
from newsacts.errors import DataError
from newsacts.records import Article

PEEKED_ROWS = 50
"""Rows looked at to learn which fields a file has."""
BATCH_ROWS = 512
SHOWN_CHARACTERS = 500

_DOCUMENT_FIELDS = {"text": "text", "id": "id"}
Rows = Iterator[RawRow | BadRow]


class Meter:
    """How many bytes of the input are used up, as they lie on disk; for progress and estimates."""

    def __init__(self) -> None:
        self.finished = 0
        self._raw: BinaryIO | None = None
        self._size = 0
        self._share: float | None = None

    def begin(self, raw: BinaryIO, size: int | None) -> None:
        """A file of `size` bytes is read from now on."""
        self._raw, self._size, self._share = raw, size or 0, None

    def note_share(self, share: float) -> None:
        """So much of the file, between 0 and 1, is read; for formats not read front to back."""
        self._share = share

    def end(self) -> None:
        """The file is read."""
        self.finished += self._size
        self._raw, self._size = None, 0

    @property
    def used(self) -> int:
        """Bytes, all files together. Called by the thread that reads."""
        if self._raw is None or not self._size:
            return self.finished
        if self._share is not None:
            return self.finished + int(self._share * self._size)
        return self.finished + min(self._raw.tell(), self._size)


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
        peeked = list(itertools.islice(rows, PEEKED_ROWS))
        found = [one.values for one in peeked if isinstance(one, RawRow)]
        chosen = _DOCUMENT_FIELDS if kind == "txt" else fields.choose(member.label, found)
    except DamagedFileError as damage:
        yield Reject(member.label, 1, str(damage), "")
        return
    for row in itertools.chain(peeked, rows):
        if isinstance(row, BadRow):
            yield Reject(member.label, row.row, row.reason, row.raw[:SHOWN_CHARACTERS])
            continue
        try:
            yield fields.build(row.values, chosen, f"{member.label}#{row.row}")
        except BadValueError as fault:
            yield Reject(member.label, row.row, str(fault), row.raw[:SHOWN_CHARACTERS])


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
        return _read_documents(member, fields.separator)
    if kind in ("parquet", "arrow"):
        return (_read_parquet if kind == "parquet" else _read_arrow)(member.stream, fields, meter)
    if kind not in _READERS:
        raise DamagedFileError("unknown kind of file in an archive; expected a name such as .jsonl, .csv or .txt")
    return _READERS[kind](member.stream)


def _read_jsonl(stream: BinaryIO) -> Rows:
    for line in read_lines(stream):
        if isinstance(line, BadRow):
            yield line
        elif line.text.strip():
            yield _parse_json(line)


def _parse_json(line: Line) -> RawRow | BadRow:
    try:
        values = json.loads(line.text, object_pairs_hook=_unique_object)
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


def _read_csv(stream: BinaryIO) -> Rows:
    return _read_delimited(stream, ",")


def _read_tsv(stream: BinaryIO) -> Rows:
    return _read_delimited(stream, "\t")


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


def _read_documents(member: Member, separator: str | None) -> Rows:
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


def _read_parquet(stream: BinaryIO, fields: FieldReader, meter: Meter) -> Rows:
    from pyarrow import parquet

    with open_seekable(stream) as sought, _map_arrow_damage():
        file = parquet.ParquetFile(sought)
        columns = fields.select(file.schema_arrow.names)
        batches = file.iter_batches(batch_size=BATCH_ROWS, columns=columns)
        yield from _read_batches(batches, file.metadata.num_rows, meter)


def _read_arrow(stream: BinaryIO, fields: FieldReader, meter: Meter) -> Rows:
    import pyarrow as pa

    with open_seekable(stream) as sought, _map_arrow_damage():
        whole_file = sought.read(6) == b"ARROW1"
        sought.seek(0)
        if whole_file:
            file = pa.ipc.open_file(sought)
            batches = (file.get_batch(number) for number in range(file.num_record_batches))
        else:
            batches = iter(pa.ipc.open_stream(sought))
        yield from _read_batches((batch.select(fields.select(batch.schema.names)) for batch in batches), None, meter)


def _read_batches(batches: Iterator[Any], rows: int | None, meter: Meter) -> Rows:
    number = 0
    for batch in batches:
        for start in range(0, batch.num_rows, BATCH_ROWS):
            for values in _to_rows(batch.slice(start, BATCH_ROWS)):
                number += 1
                if isinstance(values, str):
                    yield BadRow(number, values, "")
                else:
                    yield RawRow(number, values, str(values)[:SHOWN_CHARACTERS])
            if rows:
                meter.note_share(number / rows)


def _to_rows(batch: Any) -> list[dict[str, Any] | str]:
    """The rows of a batch; what is wrong with a row stands in its place."""
    try:
        return list(batch.to_pylist())
    except UnicodeDecodeError as error:
        if batch.num_rows == 1:
            return [f"expected UTF-8, got {error.reason} at byte {error.start}"]
        return [row for number in range(batch.num_rows) for row in _to_rows(batch.slice(number, 1))]


@contextmanager
def _map_arrow_damage() -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (ValueError, pa.ArrowException) as error:
        raise DamagedFileError(f"the data cannot be read as Parquet or Arrow ({error}); write it again") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise DamagedFileError(f"the data cannot be read as Parquet or Arrow ({error}); write it again") from error


_READERS: dict[str, Callable[[BinaryIO], Rows]] = {"jsonl": _read_jsonl, "csv": _read_csv, "tsv": _read_tsv}

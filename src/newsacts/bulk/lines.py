"""From a byte stream to lines and delimited records, with bounded memory, and to the very next good row after a bad.

A line that is not UTF-8, or longer than `MAX_ROW_BYTES`, is a `BadRow` in its place. So is a CSV record with broken
quoting; the lines it swallowed are read again as rows of their own where they look like rows, so that one stray quote
costs one row and not the rest of the file.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from newsacts.bulk.archives import DamagedFileError, map_damage
from newsacts.data.tables import RawRow

MAX_ROW_BYTES = 1 << 25
"""32 MiB: far above any article, and what a file without line ends may cost in memory."""
MAX_RECORD_BYTES = 1 << 22
"""4 MiB: how far an open quote is followed before the record counts as broken."""
RESUMED_ROWS = 3
"""So many lines after a broken record must be whole rows (or all it swallowed) to be read again."""

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF16_NULS = ((False, True, False, True), (True, False, True, False))


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used: where it begins, why, and (a part of) what it says."""

    row: int
    reason: str
    raw: str


Rows = Iterator[RawRow | BadRow]
"""What the reader of a format gives, in order."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its number, counted from 1, and its line end."""

    row: int
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """A delimited record. `row` is the line it begins on."""

    row: int
    fields: list[str]
    raw: str


def read_lines(stream: BinaryIO) -> Iterator[Line | BadRow]:
    """Lines of UTF-8, without a byte order mark. Raises `DamagedFileError` for UTF-16 or damage."""
    row = 0
    while True:
        with map_damage():
            line = stream.readline(MAX_ROW_BYTES + 1)
            if not line:
                return
            row += 1
            if len(line) > MAX_ROW_BYTES:
                head = line[:200].decode("utf-8", errors="replace")
                while line and not line.endswith(b"\n"):
                    line = stream.readline(MAX_ROW_BYTES)
                yield BadRow(row, f"the row is longer than {MAX_ROW_BYTES >> 20} MiB, expected one article a row", head)
                continue
        if row == 1:
            _refuse_utf16(line)
            line = line.removeprefix(b"\xef\xbb\xbf")
        yield _decode(row, line)


def read_records(lines: Iterable[Line | BadRow], delimiter: str) -> Iterator[Record | BadRow]:
    """Records of CSV or TSV, the header among them; blank lines are passed over."""
    # The limit belongs to the whole process, so it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_ROW_BYTES))
    return _RecordReader(lines, delimiter).read()


class _BrokenLineError(Exception):
    """A line inside a record cannot be used."""


class _RecordReader:
    """Joins lines to records. Keeps the lines of the record at hand, to read them again if it is broken."""

    def __init__(self, lines: Iterable[Line | BadRow], delimiter: str) -> None:
        self._lines = iter(lines)
        self._again: deque[Line | BadRow] = deque()
        self._taken: list[Line | BadRow] = []
        self._delimiter = delimiter
        self._width: int | None = None

    def read(self) -> Iterator[Record | BadRow]:
        while True:
            self._taken = []
            try:
                fields = next(csv.reader(self._take(), delimiter=self._delimiter, strict=True))
            except StopIteration:
                return
            except csv.Error as error:
                yield self._give_up(f"broken quoting ({error})")
                continue
            except _BrokenLineError as error:
                yield self._give_up(str(error))
                continue
            if self._width is None:
                self._width = len(fields)
            if not fields:
                continue
            if len(fields) == self._width:
                yield Record(self._taken[0].row, fields, self._show())
            else:
                yield self._give_up(
                    f"got {len(fields)} fields, expected {self._width}; a field that holds a separator or a line end "
                    "must stand in double quotes"
                )

    def _take(self) -> Iterator[str]:
        size = 0
        while (line := self._again.popleft() if self._again else next(self._lines, None)) is not None:
            self._taken.append(line)
            if isinstance(line, BadRow):
                raise _BrokenLineError(line.reason)
            size += len(line.text)
            if size > MAX_RECORD_BYTES and len(self._taken) > 1:
                raise _BrokenLineError("a double quote opens here and does not close")
            yield line.text

    def _give_up(self, reason: str) -> BadRow:
        first, swallowed = self._taken[0], self._taken[1:]
        if swallowed and all(self._is_row(line) for line in swallowed[:RESUMED_ROWS]):
            self._again.extendleft(reversed(swallowed))
            self._taken = self._taken[:1]
        elif swallowed:
            reason = f"{reason}; the record covers lines {first.row} to {swallowed[-1].row}"
        return BadRow(first.row, reason, self._show())

    def _is_row(self, line: Line | BadRow) -> bool:
        if isinstance(line, BadRow):
            return False
        try:
            fields = next(csv.reader([line.text], delimiter=self._delimiter, strict=True), [])
        except csv.Error:
            return False
        return len(fields) == self._width

    def _show(self) -> str:
        return "".join(line.raw if isinstance(line, BadRow) else line.text for line in self._taken[:RESUMED_ROWS])


def _decode(row: int, line: bytes) -> Line | BadRow:
    try:
        return Line(row, line.decode("utf-8"))
    except UnicodeDecodeError as error:
        got = f"byte 0x{line[error.start]:02x} at byte {error.start} of the row"
        reason = f"expected UTF-8, got {got}; convert the file, for example: iconv -f WINDOWS-1252 -t UTF-8"
        return BadRow(row, reason, line.decode("utf-8", errors="replace"))


def _refuse_utf16(head: bytes) -> None:
    if head.startswith(_UTF16_MARKS) or tuple(byte == 0 for byte in head[:4]) in _UTF16_NULS:
        raise DamagedFileError("expected UTF-8, this looks like UTF-16; convert it: iconv -f UTF-16 -t UTF-8")

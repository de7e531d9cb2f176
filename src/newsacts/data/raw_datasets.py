"""Texts for stand-off labels, read from public datasets as their owners publish them.

A reader only yields texts, with white space folded; looking them up and verifying them is the business of `joins`.
Where it is not known which of several forms of a text was hashed, a reader yields each of them: a wrong form
matches no hash, so trying it is no guess. Nothing here is fetched: the files are the user's own copies.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from newsacts.data.files import PARQUET, decode_text, read_bytes, read_text, recognise_format, require_existing
from newsacts.data.standoff import fold_space
from newsacts.data.tables import RawRow, open_tables
from newsacts.errors import DataError, UsageError

ANY_DATASET = "any"

MEMBERS: dict[str, frozenset[str]] = {
    "isot": frozenset({"isot"}),
    "bbc_news": frozenset({"bbc_news"}),
    "plv": frozenset({"plv"}),
    "conflibert": frozenset({"india_police_events", "insightcrime", "cameo_class", "conflibert_samples"}),
}
"""The published collections, and the `dataset` names that stand-off labels have for their parts."""


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text with white space folded, where it stands, and the id that its source gives it, if any."""

    text: str
    origin: str
    id: str | None = None


def read_source_texts(path: str | Path, *, dataset: str = ANY_DATASET, text_column: str = "text") -> list[SourceText]:
    """The texts of one file or folder, read as `dataset` is published.

    `any` is a table (CSV, TSV, JSONL, Parquet) with `text_column` and perhaps `id`; the named datasets know their
    own columns. Raises `UsageError` for an unknown dataset and `DataError` for a file that cannot be read so.
    """
    path = Path(path)
    if dataset == ANY_DATASET:
        texts = _read_table(path, text_column)
    elif dataset in _READERS:
        require_existing(path)
        texts = _READERS[dataset](path)
    else:
        raise UsageError(f"unknown dataset {dataset!r}, expected one of {', '.join((ANY_DATASET, *_READERS))}")
    found = [text for text in texts if text.text]
    if not found:
        raise DataError("there are no texts, expected at least one", path=path)
    return found


def _read_table(path: Path, text_column: str) -> Iterator[SourceText]:
    for table in open_tables(path, {"id", text_column}):
        if table.columns is not None:
            _require_column(table.columns, text_column, path)
        for row in table.rows:
            if not isinstance(row, RawRow):
                raise DataError(row.reason, path=row.path, row=row.row)
            text, identifier = row.values.get(text_column), row.values.get("id")
            if not isinstance(text, str):
                raise DataError(f"{text_column} is {text!r}, expected a string", path=table.path, row=row.row)
            yield SourceText(
                fold_space(text),
                f"row {row.row} of {table.path}",
                None if identifier is None else str(identifier),
            )


def _read_isot(path: Path) -> Iterator[SourceText]:
    """True.csv: title, text, subject, date. A document is the text column, dateline and agency mark included."""
    yield from _read_column(path, "text", ",")


def _read_bbc(path: Path) -> Iterator[SourceText]:
    """A CSV of category and text (bbc-text.csv), or the folders of text files.

    Hashed was the CSV, which is lower case and has spaces for commas, quotes, question marks and pound signs; files
    are brought into that form.
    """
    if path.is_file():
        yield from _read_column(path, "text", ",")
        return
    for file in sorted(path.rglob("*.txt")):
        text = _decode_bbc(file)
        yield SourceText(fold_space(re.sub(r"[^\w.\-%():$;&/!\[\]#+`=*@]", " ", text.lower())), str(file))


def _decode_bbc(file: Path) -> str:
    try:
        return decode_text(read_bytes(file), file)
    except DataError:
        # Some of these files are Latin-1. A wrong decoding is harmless here: its hash matches nothing.
        return read_bytes(file).decode("latin-1")


def _read_plv(path: Path) -> Iterator[SourceText]:
    """PLV tables of Zero-Shot-PLOVER: tabs, a header, the column sentence."""
    yield from _read_column(path, "sentence", "\t")


def _read_conflibert(path: Path) -> Iterator[SourceText]:
    """Tables of the ConfliBERT suite: tabs, no header, the sentence first; or a header with sentence or text.

    Some of its files are meant to be read with quoting and some without, and two of its sets have quotation marks
    that were broken and repaired before hashing: every form is yielded.
    """
    content = _read_plain(path)
    quoted = _split_records(content, "\t")
    plain = [line.split("\t") for line in content.replace("\r\n", "\n").split("\n")]
    header = quoted[0] if quoted else []
    column = next((header.index(name) for name in ("sentence", "text") if name in header), 0)
    for kind, records in (("quoted", quoted), ("plain", plain)):
        for number, record in enumerate(records, start=1):
            if column < len(record):
                for form in dict.fromkeys((fold_space(record[column]), fold_space(repair_quotes(record[column])))):
                    yield SourceText(form, f"record {number} ({kind}) of {path}")


def repair_quotes(text: str) -> str:
    """Quotation marks that a wrong decoding turned into words (`aEUR(tm)`, `aEURoe`), as plain marks again."""
    repaired = re.sub(r"aEUR~|(?:aEUR)?\(tm\)", "'", text)
    return re.sub(r"aEUR(?:oe)?", '"', repaired)


def _read_column(path: Path, column: str, delimiter: str) -> Iterator[SourceText]:
    if path.is_dir() or recognise_format(path)[0] == PARQUET:
        raise DataError("expected the table as it is published, a text file", path=path)
    records = _split_records(_read_plain(path), delimiter)
    header = [name.strip() for name in records[0]]
    _require_column(header, column, path)
    index = header.index(column)
    for number, record in enumerate(records[1:], start=2):
        if index >= len(record):
            got = f"got {len(record)} fields, expected {len(header)} ({', '.join(header)})"
            raise DataError(f"{got}; the file is damaged there, fetch it anew", path=path, row=number)
        yield SourceText(fold_space(record[index]), f"record {number} of {path}")


def _read_plain(path: Path) -> str:
    if path.is_dir():
        raise DataError("this is a folder, expected a file of the dataset", path=path)
    return read_text(path, recognise_format(path)[1])


def _split_records(content: str, delimiter: str) -> list[list[str]]:
    # Published tables break the strict quoting rules that labelled data is held to, so these are read leniently.
    csv.field_size_limit(max(csv.field_size_limit(), len(content)))
    return [record for record in csv.reader(io.StringIO(content, newline=""), delimiter=delimiter) if record]


def _require_column(columns: tuple[str, ...] | list[str], name: str, path: Path) -> None:
    if name not in columns:
        raise DataError(f"no column {name!r}, got {', '.join(map(repr, columns))}", path=path)


_READERS: dict[str, Callable[[Path], Iterator[SourceText]]] = {
    "isot": _read_isot,
    "bbc_news": _read_bbc,
    "plv": _read_plv,
    "conflibert": _read_conflibert,
}

"""The sheet that people fill: CSV for spreadsheets or JSONL, and beside it the design that weighs the answers.

The sheet does not say what the classifier thinks, so that it does not lead the hand. The first row is a reminder of
what the labels mean. A cell that a spreadsheet would run as a formula has a quote in front; texts are taken from the
design when the sheet comes back, so whatever a spreadsheet does to them does no harm; where each row stands in the
archive is compared with the design, so that a sheet is not read by the design of another.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsacts.bulk.writers import neutralise_cell
from newsacts.errors import DataError, UsageError
from newsacts.labels import DEFAULT_SCHEME, NO_LABEL, LabelScheme
from newsacts.review.values import TAKEN, Design, DrawnSentence, write_design

COLUMNS = ("row", "labels", "text", "note", "article_id", "sentence", "date", "source")
GUIDE = "guide"
DESIGN_ENDING = ".design.json"

_NEEDED = ("row", "labels", "article_id", "sentence")
_ACTS = {
    "accusation": "an identifiable party is said to have done something wrong",
    "denial": "a claim is called untrue, or a deed disowned",
    "regret": "regret, remorse or apology, one's own or another's",
    "sanction": "a penalty, ban, embargo or the like, imposed, threatened, called for or named",
}


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row as it came back: its number in the design, what stands in the other columns, and its line in the file."""

    row: str
    labels: str
    article_id: str
    sentence: str
    text: str
    line: int


def write_sheet(design: Design, path: str | Path) -> Path:
    """Write an empty sheet (CSV, or JSONL by its name), and its design beside it; returns the design's path.

    Raises `UsageError` where one of both exists (it may hold somebody's work), or cannot be written.
    """
    target = Path(path)
    if target.suffix not in (".csv", ".jsonl"):
        raise UsageError(f"{target}: a sheet is .csv or .jsonl, got {target.suffix!r}")
    empty = dict.fromkeys(COLUMNS, "")
    rows = [empty | {"row": GUIDE, "text": write_guide(design.scheme)}]
    for one in design.rows:
        place = {"article_id": one.article_id, "sentence": str(one.sentence_index)}
        origin = {"date": one.date or "", "source": one.source or ""}
        rows.append(empty | {"row": str(one.row), "text": one.text} | place | origin)
    content = _encode_csv(rows) if target.suffix == ".csv" else "".join(json.dumps(row) + "\n" for row in rows)
    design_path = find_design(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # First: a sheet that was filled and moved away still needs the design it was drawn by.
        write_design(design, design_path)
        try:
            with target.open("x", encoding="utf-8", newline="") as stream:
                stream.write(content)
        except OSError:
            design_path.unlink()
            raise
    except FileExistsError as error:
        raise UsageError(f"{target} {TAKEN}") from error
    except OSError as error:
        raise UsageError(f"{target}: cannot be written: {error.strerror or error}") from error
    return design_path


def find_design(sheet: Path) -> Path:
    """Where the design of a sheet stands."""
    return sheet.with_name(sheet.name + DESIGN_ENDING)


def write_guide(scheme: LabelScheme) -> str:
    """The reminder of the first row."""
    choice = "exactly one of" if scheme.exclusive else "each that applies, joined by |, of"
    names = ", ".join(scheme.names)
    how = f"Write under labels {choice}: {names}." if scheme.exclusive else (
        f"Write under labels {choice}: {names}; or {NO_LABEL}. Leave nothing empty."
    )  # fmt: skip
    if scheme == DEFAULT_SCHEME:
        meanings = "; ".join(f"{name}: {meaning}" for name, meaning in _ACTS.items())
        how += f" {meanings}. A negated act is none; judge the sentence by its own words. docs/codebook.md decides."
    return how


def read_sheet(path: Path) -> list[SheetRow]:
    """The rows of a filled sheet, without the reminder. Raises `DataError` for what is no sheet."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", path=path) from error
    except UnicodeDecodeError as error:
        raise DataError(f"not UTF-8 ({error.reason} at byte {error.start}); save it as CSV UTF-8", path=path) from error
    numbered = _read_jsonl(text, path) if path.suffix == ".jsonl" else _read_csv(text, path)
    rows = []
    for line, values in numbered:
        if missing := [name for name in _NEEDED if name not in values]:
            raise DataError(f"no column {missing[0]!r}; keep the columns of the sheet", path=path, row=line)
        row = str(values["row"] or "").strip()
        if row and row != GUIDE:
            article, sentence, seen = (_read_cell(values, name) for name in ("article_id", "sentence", "text"))
            rows.append(SheetRow(row, _join_labels(values["labels"]), article, sentence, seen, line))
    return rows


def is_same_sentence(row: SheetRow, drawn: DrawnSentence) -> bool:
    """Whether a row is about this sentence: its place in its article, and the article's id, or, since spreadsheets
    rewrite ids that look like numbers or dates, its text."""
    if row.sentence.strip().removesuffix(".0") != str(drawn.sentence_index):
        return False
    return _is_same_cell(row.article_id, drawn.article_id) or _is_same_cell(row.text, drawn.text)


def parse_labels(cell: str, scheme: LabelScheme) -> tuple[str, ...] | None:
    """The labels of a cell, `()` for "none", None for an empty cell. Raises `UsageError` for an unknown label."""
    folded = {name.casefold(): name for name in scheme.names}
    written = cell.strip()
    if not written:
        return None
    separators = [mark for mark in ",;" if not any(mark in name for name in scheme.names)]
    for mark in separators:
        written = written.replace(mark, "|")
    parts = [part.strip() for part in written.split("|") if part.strip()]
    if [part.casefold() for part in parts] == [NO_LABEL]:
        if scheme.exclusive:
            raise UsageError(f"{NO_LABEL!r}, but each sentence has exactly one of {', '.join(scheme.names)}")
        return ()
    return scheme.arrange(folded.get(part.casefold(), part) for part in parts)


def _is_same_cell(cell: str, value: str) -> bool:
    """Spreadsheets change white space and line ends, and some take the quote in front away."""
    return " ".join(cell.split()) in {" ".join(value.split()), " ".join(str(neutralise_cell(value)).split())}


def _encode_csv(rows: Sequence[Mapping[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([neutralise_cell(row[name]) for name in COLUMNS])
    # The mark tells spreadsheets that this is UTF-8.
    return "\ufeff" + text.getvalue()


def _read_csv(text: str, path: Path) -> list[tuple[int, dict[str, Any]]]:
    header = text.partition("\n")[0]
    # Spreadsheets of some countries save with semicolons.
    delimiter = max((",", ";", "\t"), key=header.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = []
    try:
        for values in reader:
            rows.append((reader.line_num, dict(values)))  # noqa: PERF401 - the number is of this moment
    except csv.Error as error:
        raise DataError(f"broken CSV: {error}", path=path, row=reader.line_num) from error
    return rows


def _read_jsonl(text: str, path: Path) -> list[tuple[int, dict[str, Any]]]:
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except ValueError as error:
            raise DataError(f"broken JSON: {error}", path=path, row=number) from error
        if not isinstance(values, dict):
            raise DataError("expected a JSON object", path=path, row=number)
        rows.append((number, values))
    return rows


def _read_cell(values: Mapping[str, Any], name: str) -> str:
    return "" if values.get(name) is None else str(values[name])


def _join_labels(value: object) -> str:
    """A list of labels, which JSONL can hold, as one cell; the empty list is "none", since somebody wrote it."""
    if isinstance(value, list):
        return "|".join(map(str, value)) or NO_LABEL
    return "" if value is None else str(value)

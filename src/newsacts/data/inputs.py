"""What the command line classifies: sentences a line or as JSON objects, and articles as plain text.

`-` is standard input. A line that begins with `{` is a JSON object with `text` and perhaps `id`, any other is a
sentence as it stands. Blank lines are rejected with their row, so that output rows can be matched to input.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from newsacts.data.files import decode_text, read_text, require_existing
from newsacts.data.tables import Reject
from newsacts.errors import DataError
from newsacts.records import Article

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class InputText:
    """A sentence to classify. `id` is passed through as it came, or is the row number."""

    id: Any
    text: str


def read_input_texts(
    source: str, *, on_error: Literal["raise", "skip"] = "raise"
) -> tuple[list[InputText], list[Reject]]:
    """Sentences of a file or of standard input, in order, and the rows that were left out.

    Raises `DataError` with file and row for a bad one, unless `on_error` is "skip".
    """
    name = "standard input" if source == STANDARD_INPUT else source
    texts: list[InputText] = []
    rejects: list[Reject] = []
    for row, line in enumerate(_read_lines(source), start=1):
        try:
            texts.append(_read_line(line, row))
        except DataError as fault:
            if on_error == "raise":
                raise DataError(fault.reason, path=name, row=row) from fault.__cause__
            rejects.append(Reject(name, row, fault.reason, line))
    return texts, rejects


def read_article(source: str) -> Article:
    """A plain-text article; its id is its path as given, which tells equal file names apart."""
    if source == STANDARD_INPUT:
        return Article(id="standard input", text=_read_source(source))
    return Article(id=source, text=_read_source(source))


def read_json_constant(name: str) -> None:
    """NaN, which is no JSON, as a missing value: many programs write it so. Raises `ValueError` for infinity."""
    if name != "NaN":
        raise ValueError(f"{name} is no number in JSON")


def _read_source(source: str) -> str:
    if source == STANDARD_INPUT:
        content = sys.stdin.buffer.read()
        if not content.strip():
            raise DataError("there is nothing in it, expected text", path="standard input")
        return decode_text(content, Path("standard input"))
    path = Path(source)
    require_existing(path)
    if path.is_dir():
        raise DataError("this is a folder, expected a text file", path=path)
    compression = path.suffix.lower() if path.suffix.lower() in {".gz", ".zst"} else ""
    return read_text(path, compression)


def _read_lines(source: str) -> list[str]:
    # Not splitlines(): a form feed or U+2028 inside a sentence does not end its row.
    lines = [line.removesuffix("\r") for line in _read_source(source).split("\n")]
    return lines[:-1] if lines and not lines[-1].strip() else lines


def _read_line(line: str, row: int) -> InputText:
    if not line.strip():
        raise DataError("the row is blank, expected a sentence")
    if not line.lstrip().startswith("{"):
        return InputText(str(row), line)
    try:
        values = json.loads(line, parse_constant=read_json_constant)
    except (ValueError, RecursionError) as error:
        raise DataError(f"broken JSON: {error}; a row that begins with {{ must be a JSON object") from error
    text = values.get("text")
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"expected a JSON object with a non-empty string under 'text', got {text!r}")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise DataError("'text' holds half of a surrogate pair; an emoji was cut in two")
    return InputText(values.get("id", str(row)), text)

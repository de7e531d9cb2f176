"""Stand-off labels: what was read in a sentence and where the sentence stands, without its text.

One JSON object a line. `id` is the first 12 hex digits of the SHA-1 of the sentence with white space folded, and
`document` the same of the whole document; `start` and `end` count characters of the folded document. Where a set
has no documents, the sentence is its own document. A row that holds any other key, `text` above all, is refused.
Putting labels and texts together again is the business of `joins`.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from newsacts.data.tables import RawRow, open_tables
from newsacts.errors import DataError, UsageError
from newsacts.labels import LabelScheme

SHIPPED_FOLDER = Path(__file__).parent / "labels"

HASH_DIGITS = 12
_HASH = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class StandoffLabel:
    """One labelled sentence by its place. `labels` stand with the main one first; empty means none applies.

    `stratum` says how the sentence was drawn, `read` how many readers saw it, and `unsure` that the reader had doubts.
    """

    id: str
    dataset: str
    document: str
    start: int
    end: int
    labels: tuple[str, ...]
    stratum: str
    read: int
    split: str
    unsure: bool = False


OPTIONAL_KEYS = frozenset({"unsure"})
KEYS = tuple(field.name for field in fields(StandoffLabel))


def fold_space(text: str) -> str:
    """The text with each run of white space as one space and none at the ends."""
    return " ".join(text.split())


def hash_text(text: str) -> str:
    """First 12 hex digits of the SHA-1 of the text with white space folded."""
    # Half a surrogate pair in a foreign text should match nothing, and not stop the whole join.
    content = fold_space(text).encode("utf-8", "surrogatepass")
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()[:HASH_DIGITS]


def read_standoff(path: str | Path, scheme: LabelScheme) -> list[StandoffLabel]:
    """Read and check a stand-off file. Raises `DataError` with file and row for the first row that is no good.

    Checked: the keys, their types, known labels, hashes in form, offsets in order, an id that stands twice.
    """
    labels: list[StandoffLabel] = []
    first_rows: dict[str, int] = {}
    for table in open_tables(path, KEYS):
        for row in table.rows:
            if not isinstance(row, RawRow):
                raise DataError(row.reason, path=row.path, row=row.row)
            try:
                label = parse_standoff(row.values, scheme)
                _refuse_repeated(label, first_rows)
            except DataError as fault:
                raise DataError(fault.reason, path=path, row=row.row) from fault.__cause__
            first_rows[label.id] = row.row
            labels.append(label)
    if not labels:
        raise DataError("there are no rows, expected at least one stand-off label", path=path)
    return labels


def parse_standoff(values: Mapping[str, Any], scheme: LabelScheme) -> StandoffLabel:
    """One row as a `StandoffLabel`. Raises `DataError` without a place, which the caller knows."""
    _check_keys(values)
    for key in ("dataset", "stratum", "split"):
        if not isinstance(values[key], str) or not values[key].strip():
            raise DataError(f"{key} is {values[key]!r}, expected a name")
    for key in ("id", "document"):
        if not isinstance(values[key], str) or not _HASH.fullmatch(values[key]):
            raise DataError(f"{key} is {values[key]!r}, expected {HASH_DIGITS} hex digits in lower case")
    for key, least in (("start", 0), ("end", 1), ("read", 1)):
        if type(values[key]) is not int or values[key] < least:
            raise DataError(f"{key} is {values[key]!r}, expected a whole number of at least {least}")
    if type(values.get("unsure", False)) is not bool:
        raise DataError(f"unsure is {values['unsure']!r}, expected true or false")
    label = StandoffLabel(**{**values, "labels": _read_labels(values["labels"], scheme)})
    if label.start >= label.end:
        raise DataError(f"start is {label.start} and end {label.end}, expected start before end")
    if label.document == label.id and label.start:
        raise DataError(f"the document is the sentence itself, so start must be 0, got {label.start}")
    return label


def strip_text(values: Mapping[str, Any], scheme: LabelScheme, *, split: str) -> StandoffLabel:
    """The stand-off label of a labelled row that still has its `text`, which is checked against id and offsets.

    Raises `DataError` without a place.
    """
    text = values.get("text")
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"text is {text!r}, expected a sentence")
    label = parse_standoff({**{key: values[key] for key in KEYS if key in values}, "split": split}, scheme)
    if hash_text(text) != label.id:
        raise DataError(f"id is {label.id!r}, but the text has the hash {hash_text(text)!r}")
    if len(fold_space(text)) != label.end - label.start:
        span = label.end - label.start
        raise DataError(f"the text has {len(fold_space(text))} characters, but start and end leave room for {span}")
    return label


def format_standoff(label: StandoffLabel) -> str:
    """The row of a label as one line of JSON, without the line end; `unsure` is written only where it is true."""
    values = asdict(label)
    if not label.unsure:
        del values["unsure"]
    return json.dumps(values, ensure_ascii=False)


def find_shipped_labels() -> list[Path]:
    """The stand-off files that ship with the package, by name; lists of corrections are none of them."""
    return sorted(path for path in SHIPPED_FOLDER.glob("*.jsonl") if not path.stem.startswith("corrections"))


def find_standoff(name: str) -> Path:
    """A stand-off file by its path, or a shipped one by its name (`real_train`). Raises `UsageError` for neither."""
    shipped = {path.stem: path for path in find_shipped_labels()}
    if name in shipped:
        return shipped[name]
    if not Path(name).exists():
        raise UsageError(f"{name!r} is neither a file nor shipped labels, of which there are: {', '.join(shipped)}")
    return Path(name)


def _check_keys(values: Mapping[str, Any]) -> None:
    if "text" in values:
        raise DataError("the row holds a text; stand-off labels never do, so that they can be passed on")
    unknown = [key for key in values if key not in KEYS]
    if unknown:
        raise DataError(f"unknown key {unknown[0]!r}, expected {', '.join(KEYS)}")
    for key in KEYS:
        if key not in values and key not in OPTIONAL_KEYS:
            raise DataError(f"no key {key!r}, expected {', '.join(KEYS)}")


def _read_labels(value: object, scheme: LabelScheme) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise DataError(f"labels is {value!r}, expected a list of names, empty for no label")
    if len(set(value)) < len(value):
        raise DataError(f"labels is {value!r}, expected each name once")
    try:
        return scheme.arrange(value)
    except UsageError as error:
        raise DataError(str(error)) from error


def _refuse_repeated(label: StandoffLabel, first_rows: Mapping[str, int]) -> None:
    if label.id in first_rows:
        raise DataError(f"the id {label.id!r} stands in row {first_rows[label.id]} already, expected each id once")

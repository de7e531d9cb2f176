"""From a row's columns to an article: which column is the text, the title, the date, the source and the id.

A name that the user gave is taken and no other, and is refused where the first file does not have it; else the first
of some usual names that the file has, whatever its case. What was chosen is kept with the reason. Checks each value,
and says what is wrong with it.
"""

import datetime
import json
import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from newsacts.backends.base import Choice
from newsacts.bulk.archives import DamagedFileError
from newsacts.errors import UsageError
from newsacts.records import Article

CANDIDATES: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "body", "content"),
    "title": ("title", "headline"),
    "date": ("date", "published", "published_at"),
    "source": ("source", "outlet"),
    "id": ("id", "url"),
}
NAMED_FILES = 20
"""So many files that lack a column are named in warnings; of more, it is said once that there are."""

_DOCUMENT_COLUMNS = {"text": "text", "id": "id"}
_EXACT_FLOATS = 2.0**53
_SHOWN_COLUMNS = 12
_logger = logging.getLogger("newsacts")


class BadValueError(Exception):
    """What is wrong with a row; the message says it."""


@dataclass(frozen=True, slots=True)
class FieldNames:
    """Column names that the user gave; None lets newsacts find one."""

    text: str | None = None
    title: str | None = None
    date: str | None = None
    source: str | None = None
    id: str | None = None


@dataclass(slots=True)
class FieldReader:
    """Builds articles from rows. `keep` names further columns to pass through, as text.

    `separator` is the line that parts the documents of a text file. `choices` collects what was chosen and why;
    `met` the columns asked for that a file had, `lacking` how many files each was missing in since.
    """

    names: FieldNames = field(default_factory=FieldNames)
    keep: tuple[str, ...] = ()
    separator: str | None = None
    choices: dict[str, list[Choice]] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)
    lacking: Counter[str] = field(default_factory=Counter)

    @property
    def asked(self) -> dict[str, str]:
        """The option of each column that the user named."""
        roles = (one.name for one in fields(FieldNames))
        named = {name: f"--{role}-field" for role in roles if (name := getattr(self.names, role)) is not None}
        return dict.fromkeys(self.keep, "--keep") | named

    def choose(self, label: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Column by role for one file, from its first rows, of which there is at least one.

        Raises `DamagedFileError` where none is the text, and `UsageError` where one that was asked for is missing and
        no file before had it.
        """
        columns = list(dict.fromkeys(column for row in rows for column in row))
        chosen: dict[str, str] = {}
        shown = _show(columns)
        for role in (one.name for one in fields(FieldNames)):
            wanted: str | None = getattr(self.names, role)
            if wanted is not None:
                if wanted in columns:
                    chosen[role] = wanted
                    self.note(role, wanted, "asked for")
            elif found := _find(CANDIDATES[role], columns):
                chosen[role] = found
                self.note(role, found, f"the first of {', '.join(CANDIDATES[role])} among the columns")
        if "text" not in chosen and self.names.text is None:
            raise DamagedFileError(
                f"no column for the text: expected one of {', '.join(CANDIDATES['text'])}, found {shown}; "
                "name it: --text-field NAME"
            )
        self._refuse_missing(label, columns, f"it has {shown}")
        if "text" not in chosen:
            raise DamagedFileError(f"no column {self.names.text!r} for the text, found {shown}")
        return chosen

    def choose_document(self, label: str) -> dict[str, str]:
        """Column by role for a text file, which is text and has no columns. Raises `UsageError` as `choose` does."""
        advice = "it is read as text, which has no columns (--input-format names another format)"
        self._refuse_missing(label, [] if self.names.text is None else [self.names.text], advice)
        return _DOCUMENT_COLUMNS

    def select(self, columns: Sequence[str]) -> list[str]:
        """The columns of use, for formats that store columns apart; all of them where one that is needed is missing."""
        given = set(self.asked)
        usual = {_find(names, columns) for names in CANDIDATES.values()}
        text = self.names.text or _find(CANDIDATES["text"], columns)
        whole = text in columns and given <= set(columns)
        return [name for name in columns if name in given | usual] if whole else list(columns)

    def note(self, role: str, value: str, reason: str) -> None:
        """Keep a choice, and say so the first time."""
        choice = Choice(value, reason)
        if choice not in self.choices.setdefault(role, []):
            self.choices[role].append(choice)
            _logger.info("%s: %s (%s)", role, value, reason)

    def build(self, values: Mapping[str, Any], chosen: Mapping[str, str], default_id: str) -> Article:
        """The article of a row. Raises `BadValueError` saying what is wrong."""
        column = chosen.get("text", "text")
        text = values.get(column)
        if not isinstance(text, str):
            got = "nothing" if text is None else type(text).__name__
            raise BadValueError(f"expected text in {column!r}, got {got}")
        if not text.strip():
            raise BadValueError(f"expected text in {column!r}, got nothing but white space")
        rest = {
            role: _read_value(values.get(chosen[role]), chosen[role]) if role in chosen else None
            for role in ("id", "title", "date", "source")
        }
        extra = {name: _write_value(values.get(name)) for name in self.keep}
        _refuse_surrogates([text, *rest.values(), *extra.values()])
        return Article(
            id=rest["id"] or default_id,
            text=text,
            title=rest["title"],
            date=rest["date"],
            source=rest["source"],
            extra=extra,
        )

    def _refuse_missing(self, label: str, columns: Sequence[str], found: str) -> None:
        """Refuse a file without a column that was asked for; warn of it where a file before had the column."""
        asked = self.asked
        missing = [name for name in asked if name not in columns]
        self.met.update(asked.keys() - missing)
        if mistyped := [f"{name!r} ({asked[name]})" for name in missing if name not in self.met]:
            raise UsageError(
                f"{label}: there is no column {', '.join(mistyped)}; {found}; correct the name, or, where other files "
                "have the column, give one of them as the first input"
            )
        for name in missing:
            self.lacking[name] += 1
            if self.lacking[name] <= NAMED_FILES:
                _logger.warning("%s: there is no column %r (%s); %s", label, name, asked[name], found)
            elif self.lacking[name] == NAMED_FILES + 1:
                _logger.warning("more files have no column %r, which are not named here", name)


def _show(columns: Sequence[str]) -> str:
    rest = f" and {len(columns) - _SHOWN_COLUMNS} more" if len(columns) > _SHOWN_COLUMNS else ""
    return ", ".join(map(repr, columns[:_SHOWN_COLUMNS])) + rest


def _find(candidates: Iterable[str], columns: Sequence[str]) -> str | None:
    lowered = {column.strip().lower(): column for column in reversed(columns)}
    return next((lowered[name] for name in candidates if name in lowered), None)


def _read_value(value: Any, column: str) -> str | None:
    if value is None or isinstance(value, str):
        return (value or "").strip() or None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _write_number(value)
    raise BadValueError(f"expected text, a number or a date in {column!r}, got {type(value).__name__}")


def _write_number(value: float) -> str | None:
    """A number as it was before a missing neighbour made its column one of floats; None for NaN, which is no value."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return str(int(value)) if abs(value) < _EXACT_FLOATS and value == int(value) else str(value)


def _write_value(value: Any) -> str | None:
    if isinstance(value, float):
        return _write_number(value)
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _refuse_surrogates(values: Iterable[str | None]) -> None:
    for value in values:
        if value is not None and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise BadValueError(
                    "holds half of a surrogate pair (such as \\ud83d), which is no character"
                ) from error

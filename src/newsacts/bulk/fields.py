"""From a row's columns to an article: which column is the text, the title, the date, the source and the id.

A name that the user gave is taken and no other; else the first of some usual names that the file has, whatever its
case. What was chosen is kept with the reason. Checks each value, and says what is wrong with it.
"""

import datetime
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from newsacts.backends.base import Choice
from newsacts.bulk.archives import DamagedFileError
from newsacts.records import Article

CANDIDATES: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "body", "content"),
    "title": ("title", "headline"),
    "date": ("date", "published", "published_at"),
    "source": ("source", "outlet"),
    "id": ("id", "url"),
}
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

    `separator` is the line that parts the documents of a text file. `choices` collects what was chosen and why.
    """

    names: FieldNames = field(default_factory=FieldNames)
    keep: tuple[str, ...] = ()
    separator: str | None = None
    choices: dict[str, list[Choice]] = field(default_factory=dict)

    def choose(self, label: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Column by role for one file, from its first rows. Raises `DamagedFileError` where none is the text."""
        columns = list(dict.fromkeys(column for row in rows for column in row))
        chosen: dict[str, str] = {}
        for role in (one.name for one in fields(FieldNames)):
            wanted: str | None = getattr(self.names, role)
            if wanted is not None:
                chosen[role] = wanted
                self.note(role, wanted, "asked for")
            elif found := _find(CANDIDATES[role], columns):
                chosen[role] = found
                self.note(role, found, f"the first of {', '.join(CANDIDATES[role])} among the columns")
        if rows and "text" not in chosen:
            shown = ", ".join(map(repr, columns[:12]))
            raise DamagedFileError(
                f"no column for the text: expected one of {', '.join(CANDIDATES['text'])}, found {shown}; "
                "name it: --text-field NAME"
            )
        return chosen

    def select(self, columns: Sequence[str]) -> list[str]:
        """The columns of use, for formats that store columns apart; all of them where none is a text."""
        given = {getattr(self.names, one.name) for one in fields(FieldNames)} | set(self.keep)
        usual = {_find(names, columns) for names in CANDIDATES.values()}
        text = self.names.text or _find(CANDIDATES["text"], columns)
        return [name for name in columns if name in given | usual] if text in columns else list(columns)

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


def _find(candidates: Iterable[str], columns: Sequence[str]) -> str | None:
    lowered = {column.strip().lower(): column for column in reversed(columns)}
    return next((lowered[name] for name in candidates if name in lowered), None)


def _read_value(value: Any, column: str) -> str | None:
    if value is None or isinstance(value, str):
        return (value or "").strip() or None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise BadValueError(f"expected text, a number or a date in {column!r}, got {type(value).__name__}")


def _write_value(value: Any) -> str | None:
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

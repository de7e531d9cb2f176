"""The errors that newsacts raises, in one tree.

    NewsactsError                      every error of this library
    ├── UsageError                     a call or an option that makes no sense (also a ValueError)
    ├── ConfigError                    a training config: unknown key, wrong type, impossible pair
    ├── DataError                      labelled data or articles that cannot be read; knows file and row
    └── ModelError                     a checkpoint or base model that cannot be used
        ├── IntegrityError             a file whose hash is not the recorded one
        ├── ProtocolError              a checkpoint written by a newer newsacts
        └── BackendError               a device, precision or runtime that is not there

Every message says what was got, what was expected and what to do.
"""

from pathlib import Path


class NewsactsError(Exception):
    """Base of all errors raised on purpose by newsacts."""


class UsageError(NewsactsError, ValueError):
    """A call or option that makes no sense as given."""


class ConfigError(NewsactsError):
    """A training configuration that cannot be used."""


class DataError(NewsactsError):
    """Input that cannot be read as labelled data or as articles.

    `path` and `row` (1-based, counted as a person would count lines or records) say where.
    """

    def __init__(self, message: str, *, path: str | Path | None = None, row: int | None = None) -> None:
        self.path = None if path is None else str(path)
        self.row = row
        self.reason = message
        place = "" if self.path is None else f"{self.path}: " if row is None else f"{self.path}: row {row}: "
        super().__init__(place + message)


class ModelError(NewsactsError):
    """A checkpoint or base model that cannot be used."""


class IntegrityError(ModelError):
    """A file whose content is not what its recorded hash says."""


class ProtocolError(ModelError):
    """A checkpoint whose protocol number this version does not know."""


class BackendError(ModelError):
    """A device, precision or runtime that was asked for and is not there."""

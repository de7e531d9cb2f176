"""What a bench runs on, and what a contender is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from newsacts.calibration import BoolArray

Judge = Callable[[Sequence[str]], BoolArray | None]
"""Texts to decided labels, bool (n, k); None from a contender that is only there for its speed."""


class NotRun(Exception):  # noqa: N818 - no error: a contender that is not there
    """Why a contender takes no part."""


@dataclass(frozen=True, slots=True)
class BenchSetting:
    """Paths as strings, so that a setting travels to other processes as JSON.

    `model` is a checkpoint folder, `plain` the same exported for transformers, `train` a labelled file for contenders
    that fit a head of their own.
    """

    model: str
    plain: str
    train: str

    @property
    def model_folder(self) -> Path:
        """The checkpoint."""
        return Path(self.model)


@dataclass(frozen=True, slots=True)
class Contender:
    """Something that labels sentences. `open` may raise `NotRun`; `about` is one line for a table."""

    name: str
    about: str
    ours: bool
    open: Callable[[BenchSetting], Judge]

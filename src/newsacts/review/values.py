"""The values of a review: what was drawn, how, and what people said of it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from newsacts.errors import DataError, UsageError
from newsacts.labels import LabelScheme

PROTOCOL = 1
TAKEN = "exists, and may hold labels, or the design of some; choose another name for the sheet, or remove it"
Purpose = Literal["rates", "training"]


@dataclass(frozen=True, slots=True)
class Stratum:
    """A band of sentences that a sample is drawn from: how many it has, and by label the sum of their probabilities
    and of p (1 - p)."""

    name: str
    sentences: int
    sums: tuple[float, ...]
    doubts: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class DrawnSentence:
    """A sentence of a sheet. `row` counts from 1 and is how the sheet names it. One that the first stage of a cascade
    `discarded` has no label at any threshold."""

    row: int
    stratum: int
    article_id: str
    sentence_index: int
    start: int
    end: int
    text: str
    date: str | None
    source: str | None
    probabilities: tuple[float, ...]
    discarded: bool = False


@dataclass(frozen=True, slots=True)
class Design:
    """How a sheet was drawn, and from what: all that is needed to weigh its answers.

    `run` is the digest of the run; `mean_variances` are those of the mean probability of each label, over articles.
    """

    purpose: Purpose
    run: str
    scheme: LabelScheme
    thresholds: tuple[float, ...]
    seed: int
    strata: tuple[Stratum, ...]
    mean_variances: tuple[float, ...]
    rows: tuple[DrawnSentence, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """A design drawn for rates with the labels that people gave, one tuple a row of the design."""

    design: Design
    labels: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        if self.design.purpose != "rates":
            raise UsageError("a sheet drawn for training corrects no rates: it is no random sample of the run")
        if len(self.labels) != len(self.design.rows):
            raise UsageError(f"expected labels for {len(self.design.rows)} rows, got {len(self.labels)}")


def write_design(design: Design, path: Path) -> None:
    """Write a design as JSON. Raises `UsageError` where that cannot be done, also because the file exists."""
    write_json({"kind": "newsacts review design", "protocol": PROTOCOL, **asdict(design)}, path, replace=False)


def write_json(values: Any, path: Path, *, replace: bool = True) -> None:
    """Write values as JSON. Raises `UsageError` where that cannot be done, or the file exists and is not to be
    replaced."""
    try:
        with path.open("w" if replace else "x", encoding="utf-8") as stream:
            stream.write(json.dumps(values, indent=1, ensure_ascii=True) + "\n")
    except FileExistsError as error:
        raise UsageError(f"{path} {TAKEN}") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from error


def read_json(path: Path, kind: str) -> Any:
    """The values of a JSON file of this kind. Raises `DataError` for anything else."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"cannot be read as JSON ({error}); expected the {kind} that newsacts wrote", path=path
        ) from error
    if not isinstance(values, dict) or values.get("kind") != kind:
        raise DataError(f"expected a {kind} file of newsacts, got something else", path=path)
    if values.get("protocol") != PROTOCOL:
        raise DataError(
            f"protocol {values.get('protocol')!r} is not known, expected {PROTOCOL}; update newsacts", path=path
        )
    return values


def parse_design(values: Any, path: Path) -> Design:
    """The design that was written as these values. Raises `DataError` where they are damaged."""
    try:
        return Design(
            purpose=values["purpose"],
            run=values["run"],
            scheme=LabelScheme(tuple(values["scheme"]["names"]), exclusive=values["scheme"]["exclusive"]),
            thresholds=tuple(values["thresholds"]),
            seed=values["seed"],
            strata=tuple(
                Stratum(one["name"], one["sentences"], tuple(one["sums"]), tuple(one["doubts"]))
                for one in values["strata"]
            ),
            mean_variances=tuple(values["mean_variances"]),
            rows=tuple(
                DrawnSentence(**{**row, "probabilities": tuple(row["probabilities"])}) for row in values["rows"]
            ),
        )
    except (KeyError, TypeError) as error:
        raise DataError(f"the design is damaged ({error}); draw a new sheet", path=path) from error

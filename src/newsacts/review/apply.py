"""A filled sheet back in: checked row by row, as a review that corrects rates and as labelled data for training."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from newsacts.bulk.finished import open_run
from newsacts.errors import DataError, UsageError
from newsacts.records import Example
from newsacts.review.sheet import SheetRow, find_design, is_same_sentence, parse_labels, read_sheet
from newsacts.review.values import Design, Review, parse_design, read_json

SHOWN = 5
OTHER_SENTENCE = "article_id and sentence are not those of the design; give the design that was written with this sheet"


@dataclass(frozen=True, slots=True)
class AppliedSheet:
    """What a sheet gave: labelled examples, a review where it was drawn for rates, and the rows that were left empty
    (possible in a sheet for training only)."""

    examples: tuple[Example, ...]
    review: Review | None
    empty_rows: tuple[int, ...]


def apply_sheet(run_folder: str | Path, sheet: str | Path, *, design: str | Path | None = None) -> AppliedSheet:
    """Read a filled sheet of a run. `design` is the file that was written with it; by default the one beside it.

    Raises `DataError` for a sheet of another run, for unknown labels, for rows that are missing, strange, twice there
    or about another sentence than the design says, and, in a sheet for rates, for rows without a label: each named by
    file row.
    """
    path = Path(sheet)
    design_path = Path(design) if design is not None else find_design(path)
    if not design_path.is_file():
        raise DataError("no such file; it was written beside the sheet, and tells how it was drawn", path=design_path)
    plan = parse_design(read_json(design_path, "newsacts review design"), design_path)
    if plan.run != open_run(run_folder).digest:
        raise DataError(f"this sheet was drawn from another run than {run_folder}; draw a new one", path=path)
    labels = _read_labels(read_sheet(path), plan, path)
    empty = tuple(row for row, found in labels.items() if found is None)
    # Unlike in every other sheet of the run, so that several can be trained on together.
    prefix = f"{plan.run[:8]}-{plan.purpose}-{plan.seed}-{len(plan.rows)}"
    examples = tuple(
        Example(f"{prefix}-{one.row}", one.text, found, one.article_id)
        for one in plan.rows
        if (found := labels[one.row]) is not None
    )
    if plan.purpose == "training":
        if not examples:
            raise DataError("no row has a label yet", path=path)
        return AppliedSheet(examples, None, empty)
    return AppliedSheet(examples, Review(plan, tuple(example.labels for example in examples)), ())


def write_training(examples: Sequence[Example], path: str | Path) -> None:
    """Write examples as JSONL that `newsacts train` and `load_examples` read. Raises `UsageError`."""
    rows = [{"id": one.id, "text": one.text, "labels": list(one.labels), "group": one.group} for one in examples]
    try:
        Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from error


def _read_labels(rows: Sequence[SheetRow], design: Design, path: Path) -> dict[int, tuple[str, ...] | None]:
    """The labels of each row of the design, in its order. Raises `DataError` that names every kind of fault."""
    faults: dict[str, list[str]] = {}
    found: dict[int, tuple[str, ...] | None] = {}
    known = {str(one.row): one for one in design.rows}
    for row in rows:
        if row.row not in known:
            faults.setdefault("name no sentence of this sheet", []).append(f"{row.row!r} (line {row.line})")
            continue
        number = known[row.row].row
        if not is_same_sentence(row, known[row.row]):
            faults.setdefault(OTHER_SENTENCE, []).append(f"{row.row} (line {row.line})")
        if number in found:
            faults.setdefault("stand twice", []).append(f"{row.row} (line {row.line})")
        try:
            found[number] = parse_labels(row.labels, design.scheme)
        except UsageError as error:
            faults.setdefault(str(error), []).append(f"{row.row} (line {row.line})")
            found[number] = ()
        if found[number] is None and design.purpose == "rates":
            faults.setdefault("have no label; write none where no label applies", []).append(
                f"{row.row} (line {row.line})"
            )
    if missing := [row for row, one in known.items() if one.row not in found]:
        faults.setdefault("are missing from the sheet", []).extend(missing)
    if faults:
        raise DataError(". ".join(_describe(reason, places) for reason, places in faults.items()), path=path)
    return {one.row: found[one.row] for one in known.values()}


def _describe(reason: str, places: Sequence[str]) -> str:
    more = f" and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    rows = "rows" if len(places) > 1 else "row"
    return f"{rows} {', '.join(places[:SHOWN])}{more}: {reason}"

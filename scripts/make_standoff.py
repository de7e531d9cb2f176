"""Make the shipped stand-off labels from labelled sentences that still have their text.

    python scripts/make_standoff.py --train real_train.jsonl --dev real_dev.jsonl

Writes real_train.jsonl, real_dev.jsonl and corrections.jsonl to src/newsacts/data/labels, sorted by id, without any
text; the same input gives the same bytes. Training rows whose normalised text stands in dev are dropped, and of
repeats within train the one with most readers stays, then the one with the lowest id. Each dropped row is listed in
corrections.jsonl; entries there by anybody else are kept, and those that relabel a row are applied: they came from
three readers.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from newsacts.data.splits import normalise_text
from newsacts.data.standoff import SHIPPED_FOLDER, StandoffLabel, format_standoff, strip_text
from newsacts.data.tables import RawRow, open_tables
from newsacts.errors import DataError
from newsacts.labels import DEFAULT_SCHEME

BY = "scripts/make_standoff.py"


@dataclass(frozen=True, slots=True)
class Row:
    """A label and the text it was read in, as compared."""

    label: StandoffLabel
    key: str


def read_rows(path: Path, split: str) -> list[Row]:
    """Labelled sentences of a JSONL file, sorted by id. Raises `DataError` with file and row."""
    rows = []
    for table in open_tables(path, ()):
        for row in table.rows:
            if not isinstance(row, RawRow):
                raise DataError(row.reason, path=path, row=row.row)
            try:
                label = strip_text(row.values, DEFAULT_SCHEME, split=split)
            except DataError as fault:
                raise DataError(fault.reason, path=path, row=row.row) from fault
            rows.append(Row(label, normalise_text(row.values["text"])))
    return sorted(rows, key=lambda row: row.label.id)


def drop_repeated(train: Iterable[Row], dev: Iterable[Row]) -> tuple[list[StandoffLabel], dict[str, str]]:
    """The training labels that stay, by id, and the reason for each one that does not."""
    held = {row.key: row.label for row in dev}
    same_text: defaultdict[str, list[StandoffLabel]] = defaultdict(list)
    reasons = {}
    for row in train:
        if row.key in held:
            reasons[row.label.id] = explain("its text stands in real_dev", row.label, held[row.key])
        else:
            same_text[row.key].append(row.label)
    kept = []
    for labels in same_text.values():
        first, *repeats = sorted(labels, key=lambda label: (-label.read, label.id))
        kept.append(first)
        reasons |= {label.id: explain("its text stands in real_train", label, first) for label in repeats}
    return sorted(kept, key=lambda label: label.id), reasons


def apply_corrections(labels: Iterable[StandoffLabel], path: Path) -> list[StandoffLabel]:
    """The labels with every "relabelled" entry of a corrections file put in force.

    Raises `DataError` where an entry does not find the labels it means to replace.
    """
    entries = map(json.loads, path.read_text(encoding="utf-8").splitlines()) if path.exists() else ()
    changes = {entry["id"]: entry for entry in entries if entry["action"] == "relabelled"}
    corrected = []
    for label in labels:
        change = changes.get(label.id)
        if change is not None and list(label.labels) != change["before"]:
            raise DataError(f"{label.id} has the labels {list(label.labels)}, expected {change['before']}", path=path)
        corrected.append(label if change is None else replace(label, labels=tuple(change["after"]), read=3))
    return corrected


def explain(reason: str, dropped: StandoffLabel, kept: StandoffLabel) -> str:
    """The reason with the row that stays, and with both sets of labels where they differ."""
    conflict = ""
    if set(dropped.labels) != set(kept.labels):
        conflict = f"; labels differ: {'|'.join(dropped.labels) or 'none'} dropped, {'|'.join(kept.labels) or 'none'}"
        conflict += " kept"
    return f"{reason} as {kept.id}{conflict}"


def write_corrections(reasons: dict[str, str], path: Path) -> None:
    """List the dropped rows, after the entries that others made."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    entries = [entry for entry in map(json.loads, lines) if entry["by"] != BY]
    entries += [{"id": id_, "action": "dropped", "reason": reasons[id_], "by": BY} for id_ in sorted(reasons)]
    write_lines((json.dumps(entry, ensure_ascii=False) for entry in entries), path)


def write_lines(lines: Iterable[str], path: Path) -> None:
    """Write lines to a file with a line end after each."""
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="\n")


def main() -> None:
    """Read the arguments, make the files and print the counts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--train", type=Path, required=True, help="labelled training sentences with text, JSONL")
    parser.add_argument("--dev", type=Path, required=True, help="labelled dev sentences with text, JSONL")
    parser.add_argument("--output", type=Path, default=SHIPPED_FOLDER, help="folder to write to")
    arguments = parser.parse_args()
    dev = read_rows(arguments.dev, "dev")
    kept, reasons = drop_repeated(read_rows(arguments.train, "train"), dev)
    arguments.output.mkdir(parents=True, exist_ok=True)
    kept = apply_corrections(kept, arguments.output / "corrections.jsonl")
    write_lines(map(format_standoff, kept), arguments.output / "real_train.jsonl")
    checked = apply_corrections((row.label for row in dev), arguments.output / "corrections.jsonl")
    write_lines(map(format_standoff, checked), arguments.output / "real_dev.jsonl")
    write_corrections(reasons, arguments.output / "corrections.jsonl")
    print(f"train {len(kept)}, dev {len(dev)}, dropped from train {len(reasons)}")


if __name__ == "__main__":
    main()

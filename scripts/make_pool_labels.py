"""Add labels that readers wrote down to the stand-off labels of the pool.

    python scripts/make_pool_labels.py --texts pool.jsonl --strata strata.json --first A.txt --second B.txt

A file of answers has one row a line: id, TAB, labels with commas or "-", and perhaps TAB and "?" where the reader was
unsure. `strata.json` is a list of [id, how it was drawn]. Where the second reader differs from the first, a third
must have read the row, and each label goes by majority. Rows that stand in the labels already are refused. The double
and triple readings are added to benchmarks/results/readings.jsonl, from which the agreement is computed.
"""

import argparse
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from newsacts.data.standoff import SHIPPED_FOLDER, StandoffLabel, format_standoff, read_standoff
from newsacts.errors import DataError
from newsacts.labels import DEFAULT_SCHEME

LABELS = SHIPPED_FOLDER / "pool.jsonl"
READINGS = Path(__file__).parents[1] / "benchmarks" / "results" / "readings.jsonl"
MAJORITY = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reader wrote for one row."""

    labels: tuple[str, ...]
    unsure: bool


def read_answers(paths: Iterable[Path]) -> dict[str, Reading]:
    """Readings by id. Raises `DataError` with file and row."""
    answers: dict[str, Reading] = {}
    for path in paths:
        for row, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            identifier, labels, *rest = line.split("\t")
            names = () if labels == "-" else tuple(labels.split(","))
            if rest not in ([], ["?"]) or not set(names) <= set(DEFAULT_SCHEME.names) or identifier in answers:
                raise DataError(f"got {line!r}, expected a new id, known labels, and ? or nothing", path=path, row=row)
            answers[identifier] = Reading(names, bool(rest))
    return answers


def decide(readings: list[Reading]) -> tuple[str, ...]:
    """The labels of a row: those of the first reader where the second agrees, else each label by majority of three."""
    first = readings[0].labels
    if len(readings) == 1 or set(first) == set(readings[1].labels):
        return first
    if len(readings) <= MAJORITY:
        raise DataError(f"two readers differ, {first} and {readings[1].labels}, and there is no third reading")
    votes = [name for reading in readings for name in reading.labels]
    return tuple(name for name in dict.fromkeys(votes) if votes.count(name) >= MAJORITY)


def main() -> None:
    """Read the arguments, add the labels and the readings, and print the counts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--texts", type=Path, required=True, help="JSONL with id, dataset, document, start, end")
    parser.add_argument("--strata", type=Path, required=True)
    parser.add_argument("--first", type=Path, nargs="+", required=True)
    parser.add_argument("--second", type=Path, nargs="*", default=[])
    parser.add_argument("--third", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    rounds = [read_answers(paths) for paths in (arguments.first, arguments.second, arguments.third)]
    strata = dict(json.loads(arguments.strata.read_text(encoding="utf-8")))
    old = read_standoff(LABELS, DEFAULT_SCHEME)
    known = {label.id for label in old}
    places = {row["id"]: row for row in map(json.loads, arguments.texts.read_text(encoding="utf-8").splitlines())}
    new, repeated = [], []
    for identifier, first in rounds[0].items():
        if identifier in known:
            raise DataError(f"{identifier} has labels already", path=LABELS)
        readings = [answers[identifier] for answers in rounds if identifier in answers]
        place = {key: places[identifier][key] for key in ("id", "dataset", "document", "start", "end")}
        differ = len({frozenset(reading.labels) for reading in readings}) > 1
        new.append(
            StandoffLabel(
                **place,
                labels=decide(readings),
                stratum=f"pool_{strata[identifier]}",
                read=len(readings),
                split="train",
                unsure=first.unsure or differ,
            )
        )
        if len(readings) > 1:
            drawn = "second round, first reader unsure" if first.unsure else "second round, random"
            values = [list(reading.labels) for reading in readings]
            repeated.append({"id": identifier, "file": "pool", "drawn": drawn, "readings": values})
    lines = {label.id: line for label, line in zip(old, LABELS.read_text(encoding="utf-8").splitlines(), strict=True)}
    lines |= {label.id: format_standoff(label) for label in new}
    LABELS.write_text("".join(lines[key] + "\n" for key in sorted(lines)), encoding="utf-8", newline="\n")
    with READINGS.open("a", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(row) + "\n" for row in sorted(repeated, key=lambda row: str(row["id"])))
    print(f"{len(new)} new labels, {len(lines)} in all; {len(repeated)} read more than once")


if __name__ == "__main__":
    main()

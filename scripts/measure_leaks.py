"""How many texts of public benchmarks stand twice: in their own training files, in each other's, in our labels.

    python scripts/measure_leaks.py --data ../shared/data --output benchmarks/results/leaks.json

`--data` holds `real_train.jsonl` and `pool.jsonl` (the texts of the stand-off labels) and `benchmarks/`. Only counts
are written, no text. Texts are equal when `newsacts data check` takes them for equal, unless a figure says otherwise.
"""

import gzip
import json
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from measure_checkpoints import read_commit
from newsacts.data.audit import AuditOptions, audit
from newsacts.data.audit_rows import read_compared_texts
from newsacts.data.loaders import ColumnMap
from newsacts.data.raw_datasets import repair_quotes
from newsacts.data.splits import normalise_text
from newsacts.data.standoff import fold_space
from newsacts.training.machine import describe_machine

LABELS = Path(__file__).parents[1] / "src" / "newsacts" / "data" / "labels"
POLICE_TEST, POLICE_TRAIN = (f"conflibert_IndiaPoliceEvents_sents_{part}.tsv" for part in ("test", "train"))
CAMEO_TRAIN = "conflibert_cameo_class_train.tsv"
AUDITS = (
    (CAMEO_TRAIN, "PLV_test.tsv", "sentence"),
    (CAMEO_TRAIN, "PLV_train.tsv", "sentence"),
    (POLICE_TEST, POLICE_TRAIN, "1"),
)
"""What is audited, against what, and the text column of the latter; the first has no header, and its texts first."""
TESTS = {"plv": ("PLV_test.tsv", "sentence"), "india_police_events": (POLICE_TEST, "1")}
LABEL_FILES = {"real_train": "real_train", "pool": "pool", "pool_scores": "pool"}
"""Which file of `--data` holds the texts of a file of labels."""


def count_shared(folder: Path) -> list[dict[str, Any]]:
    """For each of `AUDITS`: the texts that both files hold, and the rows on either side."""
    counted = []
    for audited, against, column in AUDITS:
        options = AuditOptions(columns=ColumnMap("1", "2"), benchmark_column=column, near=None)
        (shared,) = audit([folder / audited], None, benchmarks=[folder / against], options=options).shared
        counts = {name: value for name, value in asdict(shared).items() if name != "benchmark"}
        counted.append({"audited": audited, "against": against} | counts)
    return counted


def count_verbatim(folder: Path) -> dict[str, int]:
    """Rows of the police test file whose text stands in the training file under stricter ways to be equal."""
    test, train = (
        [row.text for row in read_compared_texts(folder / name, "1")[0]] for name in (POLICE_TEST, POLICE_TRAIN)
    )
    ways: dict[str, Callable[[str], str]] = {"characters": str, "white_space_folded": fold_space}
    return {name: _count_rows_in(test, train, fold) for name, fold in ways.items()}


def count_labelled(folder: Path) -> dict[str, dict[str, dict[str, int]]]:
    """For each label file and test file: how many labelled rows stand in the test file, by the row's dataset.

    Made variants of sentences, which the scores hold too, are left out: no file has their texts.
    """
    seen = {}
    for test, (name, column) in TESTS.items():
        texts = [row.text for row in read_compared_texts(folder / "benchmarks" / name, column)[0]]
        seen[test] = {normalise_text(form) for text in texts for form in (text, repair_quotes(text))}
    counted: dict[str, dict[str, dict[str, int]]] = {}
    for name, source in LABEL_FILES.items():
        texts_by_id = {row["id"]: row["text"] for row in _read_rows(folder / f"{source}.jsonl")}
        rows = [row for row in _read_rows(_find_labels(name)) if row["dataset"] != "variant"]
        keys = [(row["dataset"], normalise_text(texts_by_id[row["id"]])) for row in rows]
        counted[name] = {
            test: dict(sorted(Counter(dataset for dataset, key in keys if key in known).items()))
            for test, known in seen.items()
        }
    return counted


def main() -> None:
    """Parse, count, write."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--output", required=True, type=Path)
    options = parser.parse_args()
    result = {
        "command": "python " + " ".join(sys.argv),
        "commit": read_commit(),
        "machine": describe_machine(),
        "shared": count_shared(options.data / "benchmarks"),
        "verbatim": count_verbatim(options.data / "benchmarks"),
        "labelled": count_labelled(options.data),
    }
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


def _find_labels(name: str) -> Path:
    return next(path for path in LABELS.iterdir() if path.name.removesuffix(".gz") == f"{name}.jsonl")


def _read_rows(path: Path) -> list[dict[str, Any]]:
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _count_rows_in(rows: list[str], others: list[str], fold: Callable[[str], str]) -> int:
    known = {fold(text) for text in others}
    return sum(fold(text) in known for text in rows)


if __name__ == "__main__":
    main()

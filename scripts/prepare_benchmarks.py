"""Turn the published benchmark tables into labelled files that `newsacts train` and `newsacts evaluate` read.

    python scripts/prepare_benchmarks.py --source ../shared/data/benchmarks --output build/benchmarks

Texts are others', so the output is never committed. What is done to the rows, and only this:
- PLV's marked sentence keeps its markers as text, but `<s>Kyiv</s>` becomes `@ Kyiv @` and `<t>Oslo</t>` `# Oslo #`:
  single tokens that every tokenizer has vectors for, where a tag is torn into "<", "s", ">" (the entity marker of Zhou
  and Chen 2022, "An Improved Baseline for Sentence-level Relation Extraction").
- Test files hold every published row in its order. A row without text holds a zero-width space, which BERT's tokenizer
  drops, since a labelled file may not hold an empty text. Training and dev rows without text are left out.
- `group` ties near-duplicates: training texts whose TF-IDF vectors have a cosine of 0.3 or more, directly or through
  others. In cameo_class a random split of the training texts flatters even TF-IDF; one by such groups does not.
- `NAME.test_unseen.jsonl` is the test file without the rows whose text, as compared, stands in the training file.

`facts.json` counts all of it. Where the set has a dev part it is written as it is; where it has none, the config carves
one from the training file by group.
"""

import csv
import json
import re
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsacts.data.splits import normalise_text

EMPTY_TEXT = "\u200b"
SIMILARITY = 0.3

INDIA_POLICE = ("kill", "arrest", "any_action", "fail", "force")
"""Named from Halterman et al. 2021; the table has no header, the columns are told by what implies what."""
SATP = ("armed_assault", "bombing", "kidnapping", "infrastructure")
"""The table has no header; named by the words of the rows."""
CAMEO = ("statement", "verbal_cooperation", "material_cooperation", "verbal_conflict", "material_conflict")


@dataclass(frozen=True, slots=True)
class Row:
    """A published row: its text, and the names of its labels."""

    text: str
    labels: tuple[str, ...]


def read_plv(path: Path, column: str) -> list[Row]:
    """Rows of a PLV table; the label is the gold rootcode."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t", quotechar='"')
        return [Row(_change_markers(row[column]), (row["gold_root"],)) for row in rows]


def read_flags(path: Path, names: Sequence[str]) -> list[Row]:
    """Rows of text and one 0/1 column a label."""
    return [
        Row(text, tuple(name for name, flag in zip(names, flags, strict=True) if flag == "1"))
        for text, *flags in _read_table(path)
    ]


def read_classes(path: Path, names: Sequence[str]) -> list[Row]:
    """Rows of text and the number of a class."""
    return [Row(text, (names[int(number)],)) for text, number in _read_table(path)]


def read_benchmarks(source: Path) -> dict[str, dict[str, list[Row]]]:
    """The published parts of every benchmark."""
    columns = {"plv_marked": "marked_sentence", "plv_plain": "sentence"}
    found: dict[str, dict[str, list[Row]]] = {
        name: {part: read_plv(source / f"PLV_{part}.tsv", column) for part in ("train", "test")}
        for name, column in columns.items()
    }
    for name, published, names in (
        ("india_police", "IndiaPoliceEvents_sents", INDIA_POLICE),
        ("satp", "satp_relevant", SATP),
    ):
        paths = {part: source / f"conflibert_{published}_{part}.tsv" for part in ("train", "dev", "test")}
        found[name] = {part: read_flags(path, names) for part, path in paths.items()}
    paths = {part: source / f"conflibert_cameo_class_{part}.tsv" for part in ("train", "test")}
    found["cameo"] = {part: read_classes(path, CAMEO) for part, path in paths.items()}
    return found


def prepare(parts: dict[str, list[Row]], stem: Path) -> dict[str, Any]:
    """Write the files of one benchmark; returns its counts."""
    kept = {part: [row for row in rows if row.text.strip()] for part, rows in parts.items() if part != "test"}
    # With a published dev part, groups are texts as compared: a wider group could stand in both parts.
    grouping = "near-duplicates" if "dev" not in parts else "equal texts"
    facts: dict[str, Any] = {"grouping": grouping}
    for part, rows in kept.items():
        keys = [normalise_text(row.text) for row in rows]
        groups = _group(keys) if "dev" not in parts else keys
        _write(stem.with_name(f"{stem.name}.{part}.jsonl"), part, rows, groups)
        facts[part] = {
            "rows": len(rows), "without text, left out": len(parts[part]) - len(rows), "groups": len(set(groups)),
        }  # fmt: skip
    test = parts["test"]
    keys = [normalise_text(row.text) for row in test]
    trained = {normalise_text(row.text) for row in kept["train"]}
    _write(stem.with_name(f"{stem.name}.test.jsonl"), "test", test, keys)
    unseen = [place for place, key in enumerate(keys) if key not in trained]
    path = stem.with_name(f"{stem.name}.test_unseen.jsonl")
    _write(path, "test", [test[place] for place in unseen], [keys[place] for place in unseen])
    facts["test"] = {
        "rows": len(test),
        "without text, kept": sum(not row.text.strip() for row in test),
        "text stands in train": len(test) - len(unseen),
    }
    return facts


def count_crossings(benchmarks: dict[str, dict[str, list[Row]]]) -> dict[str, int]:
    """Texts that stand in two benchmarks: no model of one may be scored on the other."""
    texts = {
        f"{name} {part}": {normalise_text(row.text) for row in benchmarks[name][part]}
        for name in ("plv_plain", "cameo")
        for part in ("train", "test")
    }
    return {
        f"{first} in {second}": len(texts[first] & texts[second])
        for first in ("plv_plain train", "plv_plain test")
        for second in ("cameo train", "cameo test")
    }


def _change_markers(text: str) -> str:
    return re.sub(r"</?t>", " # ", re.sub(r"</?s>", " @ ", text)).replace("  ", " ").strip()


def _read_table(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream, delimiter="\t", quotechar='"'))


def _group(keys: Sequence[str]) -> list[str]:
    """A name for each text, the same for texts that are tied by near-duplication."""
    from scipy.sparse.csgraph import connected_components
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2).fit_transform(keys)
    near = (vectors @ vectors.T) >= SIMILARITY
    _, members = connected_components(near, directed=False)
    return [f"g{member}" for member in members]


def _write(path: Path, part: str, rows: Sequence[Row], groups: Sequence[str]) -> None:
    lines = [
        {"id": f"{part}-{number}", "text": row.text if row.text.strip() else EMPTY_TEXT, "labels": row.labels,
         "group": group or EMPTY_TEXT, "split": part}
        for number, (row, group) in enumerate(zip(rows, groups, strict=True), start=1)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


def main() -> None:
    """Read all, write all, count all."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, default=Path("../shared/data/benchmarks"))
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    benchmarks = read_benchmarks(options.source)
    facts: dict[str, Any] = {name: prepare(parts, options.output / name) for name, parts in benchmarks.items()}
    facts["shared texts"] = count_crossings(benchmarks)
    (options.output / "facts.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(facts, indent=1))


if __name__ == "__main__":
    main()

"""Figures of the written corpus: counts, agreement of its readers, cue quotas, overlap with other text.

    python scripts/measure_corpus.py --against ../shared/data/*.jsonl ../shared/data/articles/*.jsonl \
        --output benchmarks/results/corpus.json

`--against` are files of `text` that nothing written may copy; only counts of shared word sequences are written.
"""

import json
import re
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sklearn.metrics import cohen_kappa_score

from newsacts.labels import DEFAULT_SCHEME

CORPUS = Path(__file__).parents[1] / "src" / "newsacts" / "data" / "corpus"
CUES = {
    "accusation": re.compile(r"\b(accus|alleg|blam|condemn|denounc)", re.IGNORECASE),
    "denial": re.compile(r"\b(deny|denie|denial|denying)", re.IGNORECASE),
    "regret": re.compile(r"\b(regret|apolog|sorry)", re.IGNORECASE),
    "sanction": re.compile(r"\b(sanction|embargo|blacklist)", re.IGNORECASE),
}
SEQUENCE_LENGTHS = (5, 8, 10)
Row = dict[str, Any]


def read_rows(path: Path) -> list[Row]:
    """Rows of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def count_labels(rows: list[Row]) -> dict[str, Any]:
    """How many rows carry each label, and the share without one."""
    counted = Counter(label for row in rows for label in row["labels"])
    unlabelled = sum(not row["labels"] for row in rows)
    return {
        "rows": len(rows),
        "groups": len({row["group"] for row in rows}),
        "labels": {name: counted[name] for name in DEFAULT_SCHEME.names},
        "unlabelled_share": unlabelled / len(rows),
        "splits": dict(sorted(Counter(row["split"] for row in rows).items())),
    }


def measure_agreement(rows: list[Row]) -> dict[str, Any]:
    """Cohen's kappa of the two blind readers per label, and how often they agreed exactly."""
    first, second = ([set(row["readers"][reader]) for row in rows] for reader in (0, 1))
    kappa = {
        name: float(cohen_kappa_score([name in labels for labels in first], [name in labels for labels in second]))
        for name in DEFAULT_SCHEME.names
    }
    exact = sum(one == other for one, other in zip(first, second, strict=True)) / len(rows)
    return {"kappa": kappa, "exact": exact, "adjudicated": sum(row["adjudicated"] for row in rows)}


def measure_cues(rows: list[Row]) -> dict[str, float]:
    """Share of the rows of each label that hold one of its obvious cue words."""
    shares = {}
    for name, pattern in CUES.items():
        labelled = [row["text"] for row in rows if name in row["labels"]]
        shares[name] = sum(bool(pattern.search(text)) for text in labelled) / len(labelled)
    return shares


def measure_overlap(rows: list[Row], others: Iterable[Path]) -> dict[str, Any]:
    """How many rows share a sequence of so many words with any other text."""
    texts = [json.loads(line)["text"] for path in others for line in path.read_text(encoding="utf-8").splitlines()]
    shared = {}
    for length in SEQUENCE_LENGTHS:
        seen = {sequence for text in texts for sequence in list_sequences(text, length)}
        shared[str(length)] = sum(any(part in seen for part in list_sequences(row["text"], length)) for row in rows)
    return {"texts_compared": len(texts), "rows_sharing_a_sequence_of_words": shared}


def list_sequences(text: str, length: int) -> list[tuple[str, ...]]:
    """All runs of `length` words of a text."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return [tuple(words[start : start + length]) for start in range(len(words) - length + 1)]


def main() -> None:
    """Parse, measure, write."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--against", nargs="*", type=Path, default=[])
    parser.add_argument("--output", required=True, type=Path)
    options = parser.parse_args()
    articles = read_rows(CORPUS / "articles.jsonl")
    sentences, hard = read_rows(CORPUS / "sentences.jsonl"), read_rows(CORPUS / "hard_cases.jsonl")
    both = sentences + hard
    kinds = {key: dict(Counter(row[key] for row in articles).most_common()) for key in ("topic", "style", "register")}
    result = {
        "command": "python " + " ".join(sys.argv),
        "articles": len(articles),
        "sentences": count_labels(sentences),
        "hard_cases": count_labels(hard),
        "seed": count_labels(read_rows(CORPUS / "seed.jsonl")),
        "kinds": kinds | {"decade": dict(sorted(Counter(row["date"][:3] + "0s" for row in articles).items()))},
        "agreement": {"sentences": measure_agreement(sentences), "hard_cases": measure_agreement(hard)},
        "cues": {"sentences": measure_cues(sentences), "hard_cases": measure_cues(hard)},
        "overlap": measure_overlap(both, options.against),
        "status": dict(Counter(act["status"] for row in both for act in row["acts"]).most_common()),
    }
    options.output.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps({key: result[key] for key in ("agreement", "cues", "overlap")}, indent=1))


if __name__ == "__main__":
    main()

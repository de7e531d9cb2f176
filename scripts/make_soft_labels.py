"""Soft labels for distillation: what teachers say of unlabelled sentences, kept without the text.

    python scripts/make_soft_labels.py score --model runs/teacher --model runs/other --texts pool.jsonl
    python scripts/make_soft_labels.py join --texts pool.jsonl --texts build/variants.jsonl --output build/soft.jsonl

`score` writes the mean of the teachers' probabilities, before calibration (so that no dev label enters), with the
place of each sentence, as gzipped JSONL. `join` puts them together with texts that you have, by hash, for `data.soft`
of a training config.
"""

import argparse
import gzip
import json
import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from newsacts.calibration import FloatArray, sigmoid
from newsacts.classifier import Classifier
from newsacts.data.joins import join_labels
from newsacts.data.raw_datasets import read_source_texts
from newsacts.data.standoff import SHIPPED_FOLDER, StandoffLabel
from newsacts.labels import DEFAULT_SCHEME

SCORES = SHIPPED_FOLDER / "pool_scores.jsonl.gz"
DECIMALS = 3
PLACE = ("id", "dataset", "document", "start", "end")

_logger = logging.getLogger("make_soft_labels")


def read_rows(path: Path) -> list[dict[str, object]]:
    """The rows of a JSONL file, gzipped or plain."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in content.decode().splitlines()]


def score_texts(models: Iterable[Path], texts: list[str], dtype: str) -> FloatArray:
    """The mean over the models of their probabilities before calibration, (n, k)."""
    scores = []
    for model in models:
        _logger.info("%s scores %d sentences", model, len(texts))
        classifier = Classifier.from_pretrained(model, backend="pytorch", dtype=dtype)
        if classifier.scheme != DEFAULT_SCHEME:
            raise SystemExit(f"{model} has the labels {classifier.scheme.names}, expected {DEFAULT_SCHEME.names}")
        scores.append(sigmoid(classifier.predict_logits(texts).astype(np.float64)))
    return np.asarray(np.mean(scores, axis=0), dtype=np.float32)


def write_scores(rows: list[dict[str, object]], scores: FloatArray, path: Path) -> None:
    """Places and rounded probabilities, sorted by document and offset; the same input gives the same bytes."""
    lines = [
        json.dumps({key: row[key] for key in PLACE} | {"probabilities": [round(float(p), DECIMALS) for p in values]})
        for row, values in zip(rows, scores, strict=True)
    ]
    order = sorted(range(len(rows)), key=lambda i: (str(rows[i]["document"]), rows[i]["start"], str(rows[i]["id"])))
    path.write_bytes(gzip.compress("".join(lines[i] + "\n" for i in order).encode(), mtime=0))


def score(arguments: argparse.Namespace) -> None:
    """Score the texts and write the file of scores."""
    rows = read_rows(arguments.texts)
    if arguments.dataset:
        rows = [row for row in rows if row["dataset"] in arguments.dataset]
    write_scores(
        rows, score_texts(arguments.model, [str(row["text"]) for row in rows], arguments.dtype), arguments.output
    )
    print(f"{len(rows)} sentences scored, {arguments.output}")


def join(arguments: argparse.Namespace) -> None:
    """Join scores with texts and write rows of text and probabilities."""
    rows = {str(row["id"]): row for row in read_rows(arguments.scores)}
    places = [
        StandoffLabel(**{key: row[key] for key in PLACE}, labels=(), stratum="soft", read=1, split="train")  # type: ignore[arg-type]
        for row in rows.values()
    ]
    texts = [text for path in arguments.texts for text in read_source_texts(path)]
    joined = join_labels(places, texts)
    with arguments.output.open("w", encoding="utf-8", newline="\n") as file:
        for example in joined.examples:
            values = rows[example.id]["probabilities"]
            probabilities = dict(zip(DEFAULT_SCHEME.names, values, strict=True))  # type: ignore[call-overload]
            file.write(json.dumps({"text": example.text, "probabilities": probabilities}, ensure_ascii=False) + "\n")
    left = len(joined.missing) + len(joined.mismatched)
    print(f"{len(joined.examples)} sentences joined, {left} without their text, {arguments.output}")


def main() -> None:
    """Read the arguments and do what they ask."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True)
    scoring = commands.add_parser("score", help="teachers score texts")
    scoring.add_argument("--model", type=Path, action="append", required=True, help="checkpoint; may be repeated")
    scoring.add_argument("--texts", type=Path, required=True, help="JSONL with id, dataset, document, start, end, text")
    scoring.add_argument("--dataset", action="append", help="only sentences of this set; may be repeated")
    scoring.add_argument("--output", type=Path, default=SCORES)
    scoring.add_argument("--dtype", default="auto", help="float32, or bfloat16, which is faster on CPUs that have it")
    scoring.set_defaults(work=score)
    joining = commands.add_parser("join", help="scores and texts to training rows")
    joining.add_argument("--scores", type=Path, default=SCORES)
    joining.add_argument(
        "--texts",
        type=Path,
        action="append",
        required=True,
        help="a file that `newsacts data join --from` reads; may be repeated",
    )
    joining.add_argument("--output", type=Path, required=True)
    joining.set_defaults(work=join)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arguments.work(arguments)


if __name__ == "__main__":
    main()

"""Claims about `--codes`: codes of event ontologies in every output."""

import csv
import io
import json
from pathlib import Path

import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from newsacts.bulk import BulkSettings, classify_corpus
from newsacts.bulk.plan import OutputFormat
from newsacts.checkpoint import Checkpoint
from newsacts.classifier import Classifier
from newsacts.cli import app
from newsacts.crosswalk import find_codes
from newsacts.errors import UsageError
from newsacts.labels import LabelScheme
from tests import tiny

TEXTS = [text for text, _ in tiny.SENTENCES[:6]]


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def test_rows_have_one_code_a_label_in_the_same_order(tiny_checkpoint: Checkpoint) -> None:
    options = ("--model", tiny_checkpoint.folder, "--device", "cpu", "--codes", "cameo")
    rows = [json.loads(line) for line in run("classify", *TEXTS, *options, "--format", "jsonl").splitlines()]
    assert any(len(row["labels"]) > 1 for row in rows)
    for row in rows:
        assert row["codes_cameo"] == list(find_codes(row["labels"], "cameo"))
        assert len(row["codes_cameo"]) == len(row["labels"])
    cells = list(csv.DictReader(io.StringIO(run("classify", *TEXTS, *options, "--format", "csv"))))
    assert [cell["codes_cameo"] for cell in cells] == ["|".join(row["codes_cameo"]) for row in rows]
    shown = run("classify", *TEXTS, *options)
    assert "cameo" in shown.splitlines()[0]
    assert rows[0]["codes_cameo"][0] in shown


def test_without_the_option_nothing_changes(tiny_checkpoint: Checkpoint) -> None:
    shown = run("classify", TEXTS[0], "--model", tiny_checkpoint.folder, "--format", "jsonl")
    assert list(json.loads(shown)) == ["id", "text", "labels", "primary", "probabilities"]


def test_articles_have_codes_too(tiny_checkpoint: Checkpoint, tmp_path: Path) -> None:
    story = tmp_path / "story.txt"
    story.write_text(" ".join(TEXTS), encoding="utf-8")
    shown = run("article", story, "--model", tiny_checkpoint.folder, "--codes", "plover", "--format", "jsonl")
    for row in map(json.loads, shown.splitlines()):
        assert row["codes_plover"] == list(find_codes(row["labels"], "plover"))


@pytest.mark.parametrize("output_format", ["parquet", "jsonl", "csv"])
def test_bulk_writes_a_column_of_codes(
    output_format: OutputFormat, tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(json.dumps({"id": "a", "text": " ".join(TEXTS)}) + "\n", encoding="utf-8")
    classifier = Classifier.from_pretrained(tiny_checkpoint.folder, device="cpu")
    settings = BulkSettings(codes="cameo", output_format=output_format)
    result = classify_corpus([corpus], tmp_path / "out", classifier=classifier, settings=settings)
    (file,) = (result.folder / "sentences").glob(f"*.{output_format}")
    if output_format == "parquet":
        rows = parquet.read_table(file).to_pylist()
    elif output_format == "jsonl":
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    else:
        cells = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8")))
        rows = [
            {name: cell[name].split("|") if cell[name] else [] for name in ("labels", "codes_cameo")} for cell in cells
        ]
    assert len(rows) == len(TEXTS)
    for row in rows:
        assert row["codes_cameo"] == list(find_codes(row["labels"], "cameo"))


def test_labels_without_codes_are_refused_before_the_work(tmp_path: Path) -> None:
    folder = tiny.write_tiny_checkpoint(tmp_path / "own", scheme=LabelScheme(("praise", "denial"))).folder
    classifier = Classifier.from_pretrained(folder, device="cpu")
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text('{"id": "a", "text": "Rain fell."}\n', encoding="utf-8")
    settings = BulkSettings(codes="plover")
    with pytest.raises(UsageError, match="label 'praise' has no plover codes"):
        classify_corpus([corpus], tmp_path / "out", classifier=classifier, settings=settings)
    done = CliRunner().invoke(app, ["classify", "Rain fell.", "--model", str(folder), "--codes", "cameo"])
    assert isinstance(done.exception, UsageError)
    with pytest.raises(UsageError, match="expected cameo, plover"):
        BulkSettings(codes="ideas")

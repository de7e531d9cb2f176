"""Claims about the formats of a bulk run: the same rows from every input and in every output that others read."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from newsacts import Classifier
from newsacts.backends.fake import FakeBackend
from newsacts.bulk import BulkSettings, classify_corpus
from newsacts.bulk.finished import open_run, read_parts
from newsacts.checkpoint import Checkpoint
from newsacts.errors import UsageError
from tests.integration.bulk_rows import ARTICLES, COLUMNS, run, write_rows


@pytest.fixture
def classifier(tiny_checkpoint: Checkpoint) -> Classifier:
    return Classifier(tiny_checkpoint, FakeBackend(4))


def test_the_schema_is_the_same_in_every_part_and_compressed(classifier: Classifier, tmp_path: Path) -> None:
    rows = [{"id": "1", "text": "Rain fell."}, *ARTICLES]
    classify_corpus(
        [write_rows(tmp_path / "in.jsonl", rows)], tmp_path / "out", classifier=classifier,
        settings=BulkSettings(shard_articles=1, limit=3, articles=True),
    )  # fmt: skip
    for kind in ("sentences", "articles"):
        schemas = [parquet.read_schema(path) for path in sorted((tmp_path / "out" / kind).iterdir())]
        assert all(schema.equals(schemas[0]) for schema in schemas)
    meta = parquet.read_metadata(next((tmp_path / "out" / "sentences").iterdir())).row_group(0)
    facts = {meta.column(place).path_in_schema: meta.column(place) for place in range(meta.num_columns)}
    assert {column.compression for column in facts.values()} == {"ZSTD"}
    assert facts["source"].has_dictionary_page
    assert facts["labels.list.element"].has_dictionary_page
    assert not facts["text"].has_dictionary_page


@pytest.mark.parametrize("form", ["csv", "tsv", "parquet", "jsonl.gz", "datasets"])
def test_every_input_format_gives_the_same_rows(form: str, classifier: Classifier, tmp_path: Path) -> None:
    expected = run(classifier, write_rows(tmp_path / "in.jsonl"), tmp_path / "expected")
    frame, path = pd.DataFrame(ARTICLES), tmp_path / f"in.{form}"
    if form in {"csv", "tsv"}:
        frame.to_csv(path, index=False, sep="," if form == "csv" else "\t")
    elif form == "parquet":
        parquet.write_table(pa.Table.from_pylist(ARTICLES), path)
    elif form == "datasets":
        from datasets import Dataset

        Dataset.from_list(ARTICLES).save_to_disk(path)
    else:
        path.write_bytes(gzip.compress((tmp_path / "in.jsonl").read_bytes()))
    pd.testing.assert_frame_equal(run(classifier, path, tmp_path / "out"), expected)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_other_output_formats_hold_the_same_rows(form: str, classifier: Classifier, tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.jsonl")
    expected = run(classifier, source, tmp_path / "expected").to_dict("records")
    settings = BulkSettings(shard_articles=7, output_format=form)  # type: ignore[arg-type]
    classify_corpus([source], tmp_path / "out", classifier=classifier, settings=settings)
    rows: list[dict[str, Any]] = []
    for path in sorted((tmp_path / "out" / "sentences").iterdir()):
        with path.open(newline="", encoding="utf-8") as stream:
            rows += csv.DictReader(stream) if form == "csv" else map(json.loads, stream)
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        labels = row["labels"].split("|") if form == "csv" else row["labels"]
        assert (list(row), [label for label in labels if label]) == (COLUMNS, list(wanted["labels"]))
        assert float(row["p_denial"]) == pytest.approx(wanted["p_denial"], abs=1e-6)
        assert (row["text"], int(row["start"])) == (wanted["text"], wanted["start"])


def test_csv_cells_that_a_spreadsheet_would_run_are_neutralised(classifier: Classifier, tmp_path: Path) -> None:
    rows = [{"id": f"{start}x", "text": f"{start}cmd|' /C calc'!A0", "source": f"{start}s"} for start in "=+-@"]
    settings = BulkSettings(output_format="csv", articles=True, keep=("source_note",))
    noted = [row | {"source_note": row["source"]} for row in rows]
    source = write_rows(tmp_path / "in.jsonl", noted)
    classify_corpus([source], tmp_path / "out", classifier=classifier, settings=settings)
    for path in (tmp_path / "out").rglob("*.csv"):
        with path.open(newline="") as stream:
            cells = [cell for row in csv.reader(stream) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
        assert "'=x" in cells


def test_line_ends_inside_csv_cells_part_no_rows(classifier: Classifier, tmp_path: Path) -> None:
    notes = ["one\rtwo", "one\ntwo", "one\r\ntwo", 'one, "two"']
    rows = [row | {"note": note} for row, note in zip(ARTICLES, notes, strict=False)]
    settings = BulkSettings(output_format="csv", keep=("note",))
    source = write_rows(tmp_path / "in.jsonl", rows)
    result = classify_corpus([source], tmp_path / "out", classifier=classifier, settings=settings)
    (path,) = result.sentences_folder.iterdir()
    with path.open(newline="", encoding="utf-8") as stream:
        assert list(dict.fromkeys(row["note"] for row in csv.DictReader(stream))) == notes
    assert len(pd.read_csv(path)) == result.sentences
    assert [note for part in read_parts(open_run(tmp_path / "out"), ["note"]) for note in part.columns["note"]] == [
        note for note in notes for _ in range(4)
    ]


def test_columns_pass_through_on_request_and_not_over_ours(classifier: Classifier, tmp_path: Path) -> None:
    rows = [row | {"section": "World", "tags": ["a"]} for row in ARTICLES[:2]]
    frame = run(classifier, write_rows(tmp_path / "in.jsonl", rows), tmp_path / "out", keep=("section", "tags"))
    assert (set(frame["section"]), set(frame["tags"])) == ({"World"}, {'["a"]'})
    with pytest.raises(UsageError, match="cannot keep text"):
        run(classifier, tmp_path / "in.jsonl", tmp_path / "other", keep=("text",))


@pytest.mark.parametrize("scheme", ["file", "memory"])
def test_urls_give_the_rows_of_paths(scheme: str, classifier: Classifier, tmp_path: Path) -> None:
    import fsspec

    path = write_rows(tmp_path / "in.jsonl")
    address = f"file://{path}" if scheme == "file" else "memory://corpus/in.jsonl"
    content = path.read_bytes()
    with fsspec.open(address, "wb") as stream:
        stream.write(content)
    frame = run(classifier, path, tmp_path / "paths")
    settings = BulkSettings(shard_articles=7)
    result = classify_corpus([address], tmp_path / "urls", classifier=classifier, settings=settings)
    pd.testing.assert_frame_equal(pd.read_parquet(result.sentences_folder), frame)
    again = classify_corpus([address], tmp_path / "urls", classifier=classifier, settings=settings)
    assert again == result

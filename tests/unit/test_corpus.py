"""Every row of the written corpus keeps its format's promises."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import newsacts
from newsacts.data.loaders import load_examples
from newsacts.data.splits import check_splits, normalise_text
from newsacts.labels import DEFAULT_SCHEME

CORPUS = Path(newsacts.__file__).parent / "data" / "corpus"
LABELLED = ("sentences", "hard_cases", "seed")
STATUSES = {"done", "announced", "threatened", "called_for", "lifted", "refused", "alleged"}
SPAN_KEYS = {"text", "start", "end"}
Row = dict[str, Any]


def read_rows(name: str) -> list[Row]:
    return [json.loads(line) for line in (CORPUS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def rows() -> dict[str, list[Row]]:
    return {name: read_rows(name) for name in (*LABELLED, "articles")}


def test_the_corpus_is_as_large_as_promised(rows: dict[str, list[Row]]) -> None:
    counts = Counter(label for row in rows["sentences"] for label in row["labels"])
    assert len(rows["articles"]) >= 320
    assert len(rows["sentences"]) >= 5_000
    assert len(rows["hard_cases"]) >= 1_000
    for label, least in (("accusation", 700), ("denial", 450), ("regret", 450), ("sanction", 500)):
        assert counts[label] >= least
    unlabelled = sum(not row["labels"] for row in rows["sentences"]) / len(rows["sentences"])
    assert 0.70 <= unlabelled <= 0.85
    assert 0.45 <= sum(not row["labels"] for row in rows["hard_cases"]) / len(rows["hard_cases"]) <= 0.55


@pytest.mark.parametrize("name", LABELLED)
def test_our_own_loader_reads_every_row(name: str, rows: dict[str, list[Row]]) -> None:
    loaded = load_examples(CORPUS / f"{name}.jsonl", DEFAULT_SCHEME)
    assert [example.id for example in loaded.examples] == [row["id"] for row in rows[name]]


def test_ids_are_unique_and_no_sentence_or_group_stands_in_two_splits() -> None:
    examples = [row for name in LABELLED for row in load_examples(CORPUS / f"{name}.jsonl", DEFAULT_SCHEME).examples]
    assert len({example.id for example in examples}) == len(examples)
    check_splits(examples)


def test_no_sentence_stands_twice(rows: dict[str, list[Row]]) -> None:
    texts = Counter(normalise_text(row["text"]) for name in LABELLED for row in rows[name])
    assert [text for text, count in texts.items() if count > 1] == []


@pytest.mark.parametrize("name", ["sentences", "hard_cases"])
def test_acts_agree_with_labels_and_their_spans_are_exact(name: str, rows: dict[str, list[Row]]) -> None:
    for row in rows[name]:
        assert {act["label"] for act in row["acts"]} == set(row["labels"]), row["id"]
        for act in row["acts"]:
            assert set(act) == {"label", "source", "target", "status"}
            assert act["status"] in STATUSES, row["id"]
            for span in (act["source"], act["target"]):
                if span is not None:
                    assert set(span) == SPAN_KEYS
                    assert row["text"][span["start"] : span["end"]] == span["text"] != "", row["id"]


@pytest.mark.parametrize("name", ["sentences", "hard_cases"])
def test_two_readers_read_every_row_and_differences_were_decided(name: str, rows: dict[str, list[Row]]) -> None:
    for row in rows[name]:
        first, second = map(set, row["readers"])
        assert first | second | set(row["labels"]) <= set(DEFAULT_SCHEME.names)
        assert row["adjudicated"] == (first != second), row["id"]
        assert row["adjudicated"] or set(row["labels"]) == first, row["id"]


def test_articles_are_whole_and_in_order(rows: dict[str, list[Row]]) -> None:
    indices: dict[str, list[int]] = {}
    for row in rows["sentences"]:
        indices.setdefault(row["group"], []).append(row["index"])
        assert row["id"] == f"{row['group']}-{row['index']:02d}"
    for article in rows["articles"]:
        assert indices.pop(article["id"]) == list(range(article["sentences"]))
        assert article["register"] in {"prose", "wire"}
    assert indices == {}


def test_wire_articles_are_lower_case(rows: dict[str, list[Row]]) -> None:
    wire = {article["id"] for article in rows["articles"] if article["register"] == "wire"}
    assert len(wire) / len(rows["articles"]) == pytest.approx(1 / 6, abs=0.02)
    assert all(row["text"] == row["text"].lower() for row in rows["sentences"] if row["group"] in wire)


def test_sentences_have_no_outer_white_space_or_control_characters(rows: dict[str, list[Row]]) -> None:
    for name in LABELLED:
        for row in rows[name]:
            assert row["text"] == row["text"].strip()
            assert row["text"].isprintable(), row["id"]

"""Every stand-off row that ships is good, and none of them holds a text."""

import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from newsacts.data.standoff import SHIPPED_FOLDER, StandoffLabel, find_shipped_labels, find_standoff, read_standoff
from newsacts.errors import UsageError
from newsacts.labels import DEFAULT_SCHEME

DATASETS = {"isot", "bbc_news", "plv", "cameo_class", "india_police_events", "insightcrime", "conflibert_samples"}
LONGEST_ROW = 3000
"""Characters; the longest rows are a few sentences of text that lost its capitals."""


def read_json(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def shipped() -> dict[str, list[StandoffLabel]]:
    return {path.stem: read_standoff(path, DEFAULT_SCHEME) for path in find_shipped_labels()}


def test_the_training_and_dev_labels_ship(shipped: dict[str, list[StandoffLabel]]) -> None:
    assert {"real_train", "real_dev"} <= set(shipped)


def test_no_shipped_file_holds_a_key_named_text() -> None:
    for path in SHIPPED_FOLDER.glob("*.jsonl"):
        assert not any("text" in row for row in read_json(path)), path.name


def test_no_value_of_a_shipped_row_is_more_than_one_word() -> None:
    for path in find_shipped_labels():
        for row in read_json(path):
            words = [value for value in row.values() if isinstance(value, str)]
            assert not any(" " in word for word in words), row["id"]


def test_no_id_stands_in_two_files_or_splits(shipped: dict[str, list[StandoffLabel]]) -> None:
    ids = [label.id for labels in shipped.values() for label in labels]
    assert len(ids) == len(set(ids))


def test_no_document_stands_in_two_splits(shipped: dict[str, list[StandoffLabel]]) -> None:
    splits = defaultdict(set)
    for labels in shipped.values():
        for label in labels:
            splits[label.document].add(label.split)
    assert not [document for document, names in splits.items() if len(names) > 1]


def test_rows_stand_in_the_order_of_their_ids(shipped: dict[str, list[StandoffLabel]]) -> None:
    for name, labels in shipped.items():
        assert all(first.id < second.id for first, second in pairwise(labels)), name


def test_the_file_of_a_split_holds_only_that_split(shipped: dict[str, list[StandoffLabel]]) -> None:
    assert {label.split for label in shipped["real_train"]} == {"train"}
    assert {label.split for label in shipped["real_dev"]} == {"dev"}


def test_datasets_are_known_and_offsets_are_of_sentence_length(shipped: dict[str, list[StandoffLabel]]) -> None:
    for labels in shipped.values():
        for label in labels:
            assert label.dataset in DATASETS, label.id
            assert 0 < label.end - label.start <= LONGEST_ROW, label.id


def test_sentences_of_one_document_do_not_overlap(shipped: dict[str, list[StandoffLabel]]) -> None:
    spans = defaultdict(list)
    for labels in shipped.values():
        for label in labels:
            spans[label.document].append((label.start, label.end))
    for document, places in spans.items():
        assert all(first[1] <= second[0] for first, second in pairwise(sorted(places))), document


def test_dropped_rows_say_why_and_are_dropped(shipped: dict[str, list[StandoffLabel]]) -> None:
    corrections = read_json(SHIPPED_FOLDER / "corrections.jsonl")
    ids = {label.id for label in shipped["real_train"]}
    for entry in corrections:
        assert {"id", "action", "reason", "by"} <= set(entry)
        assert entry["action"] != "dropped" or entry["id"] not in ids


def test_shipped_labels_are_found_by_name_and_others_by_path(tmp_path: Path) -> None:
    assert find_standoff("real_dev") == SHIPPED_FOLDER / "real_dev.jsonl"
    (tmp_path / "mine.jsonl").touch()
    assert find_standoff(str(tmp_path / "mine.jsonl")) == tmp_path / "mine.jsonl"
    with pytest.raises(UsageError, match="real_train"):
        find_standoff("real_trian")


def test_the_counts_in_the_readme_are_those_of_the_files(shipped: dict[str, list[StandoffLabel]]) -> None:
    readme = (SHIPPED_FOLDER / "README.md").read_text(encoding="utf-8")
    for name in ("real_train", "real_dev"):
        labels = shipped[name]
        counts = [sum(act in label.labels for label in labels) for act in DEFAULT_SCHEME.names]
        counts = [len(labels), *counts, sum(not label.labels for label in labels)]
        assert f"| `{name}.jsonl` | {' | '.join(f'{count:,}' for count in counts)} |" in readme

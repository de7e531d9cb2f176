"""`scripts/make_standoff.py`: the same bytes each time, no text, and a reason for every row that is left out."""

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from newsacts.data.standoff import hash_text
from newsacts.errors import DataError

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_standoff.py"

DENIAL = "The harbour board denied that it had hidden the report."
FERRY = "The ferry runs twice a day."
FINE = "The court fined the port company."


def make_row(text: str, *labels: str, **changes: Any) -> dict[str, Any]:
    digest = hash_text(text)
    place = {"id": digest, "dataset": "plv", "document": digest, "start": 0, "end": len(text)}
    return {**place, "text": text, "labels": list(labels), "stratum": "random", "read": 1, **changes}


def run(folder: Path, train: list[dict[str, Any]], dev: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, rows in (("train", train), ("dev", dev)):
        content = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(content, encoding="utf-8")
    output = folder / "out"
    inputs = ["--train", str(folder / "train.jsonl"), "--dev", str(folder / "dev.jsonl")]
    monkeypatch.setattr(sys, "argv", ["make_standoff.py", *inputs, "--output", str(output)])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    return output


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_rows_are_sorted_and_have_their_split_and_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = run(tmp_path, [make_row(DENIAL, "denial"), make_row(FERRY)], [make_row(FINE, "sanction")], monkeypatch)
    train = read(output / "real_train.jsonl")
    assert [row["id"] for row in train] == sorted([hash_text(DENIAL), hash_text(FERRY)])
    assert {row["split"] for row in train} == {"train"}
    assert not any("text" in row for row in train + read(output / "real_dev.jsonl"))


def test_the_order_of_the_input_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [make_row(DENIAL, "denial"), make_row(DENIAL.upper()), make_row(FERRY)]
    first = run(tmp_path, rows, [make_row(FINE)], monkeypatch)
    before = [(first / name).read_bytes() for name in ("real_train.jsonl", "corrections.jsonl")]
    run(tmp_path, rows[::-1], [make_row(FINE)], monkeypatch)
    assert [(first / name).read_bytes() for name in ("real_train.jsonl", "corrections.jsonl")] == before


def test_a_training_row_whose_text_stands_in_dev_is_dropped_with_both_labels_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = run(tmp_path, [make_row(DENIAL.upper(), "denial"), make_row(FERRY)], [make_row(DENIAL)], monkeypatch)
    assert [row["id"] for row in read(output / "real_train.jsonl")] == [hash_text(FERRY)]
    (entry,) = read(output / "corrections.jsonl")
    assert (entry["id"], entry["action"]) == (hash_text(DENIAL.upper()), "dropped")
    assert "real_dev" in entry["reason"]
    assert "labels differ: denial dropped, none kept" in entry["reason"]


@pytest.mark.parametrize("best", [DENIAL, DENIAL.upper(), DENIAL.lower()])
def test_of_repeats_the_one_with_most_readers_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, best: str) -> None:
    rows = [make_row(text, read=2 if text == best else 1) for text in (DENIAL, DENIAL.upper(), DENIAL.lower())]
    output = run(tmp_path, rows, [make_row(FINE)], monkeypatch)
    assert [row["id"] for row in read(output / "real_train.jsonl")] == [hash_text(best)]
    assert len(read(output / "corrections.jsonl")) == 2


def test_corrections_by_others_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"id": "0" * 12, "action": "relabelled", "reason": "read again", "by": "a reader"}
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "corrections.jsonl").write_text(json.dumps(entry) + "\n", encoding="utf-8")
    output = run(tmp_path, [make_row(DENIAL)], [make_row(FINE)], monkeypatch)
    assert read(output / "corrections.jsonl") == [entry]


def test_a_row_whose_id_is_not_that_of_its_text_stops_the_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match=r"train\.jsonl: row 1: id is"):
        run(tmp_path, [make_row(DENIAL, id="0" * 12)], [make_row(FINE)], monkeypatch)


def correct(folder: Path, before: list[str]) -> None:
    entry = {"id": hash_text(FERRY), "action": "relabelled", "before": before, "after": ["regret"], "by": "readers"}
    (folder / "out").mkdir()
    (folder / "out" / "corrections.jsonl").write_text(json.dumps(entry) + "\n", encoding="utf-8")


def test_a_relabelled_row_gets_its_new_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    correct(tmp_path, before=[])
    output = run(tmp_path, [make_row(DENIAL, "denial"), make_row(FERRY)], [make_row(FINE)], monkeypatch)
    labels = {row["id"]: (row["labels"], row["read"]) for row in read(output / "real_train.jsonl")}
    assert labels == {hash_text(DENIAL): (["denial"], 1), hash_text(FERRY): (["regret"], 3)}
    assert [entry["action"] for entry in read(output / "corrections.jsonl")] == ["relabelled"]


def test_a_correction_of_other_labels_than_it_found_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    correct(tmp_path, before=["denial"])
    with pytest.raises(DataError, match="expected"):
        run(tmp_path, [make_row(FERRY)], [make_row(FINE)], monkeypatch)

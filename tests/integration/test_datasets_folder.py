"""Folders written by Hugging Face `datasets` load like files. No unit tests: `datasets` is slow to import."""

import json
from pathlib import Path

import pytest

from newsacts.data.loaders import load_examples
from newsacts.errors import DataError
from newsacts.labels import DEFAULT_SCHEME
from newsacts.records import Example

datasets = pytest.importorskip("datasets")

COLUMNS = {
    "id": ["1", "2", "3"],
    "text": ["The mayor warned the board.", "The board denied it.", "It rained."],
    "labels": [["accusation"], ["denial"], []],
    "document": ["a", "a", "b"],
    "weight": [0.5, 1.0, 2.0],
}
EXAMPLES = [
    Example("1", "The mayor warned the board.", ("accusation",), "a"),
    Example("2", "The board denied it.", ("denial",), "a"),
    Example("3", "It rained.", (), "b"),
]


def test_dataset_loads_in_order_and_ignores_other_columns(tmp_path: Path) -> None:
    datasets.Dataset.from_dict(COLUMNS).save_to_disk(tmp_path / "set")
    assert load_examples(tmp_path / "set", DEFAULT_SCHEME).examples == EXAMPLES


def test_saved_format_does_not_change_the_values(tmp_path: Path) -> None:
    datasets.Dataset.from_dict(COLUMNS).with_format("numpy").save_to_disk(tmp_path / "set")
    assert load_examples(tmp_path / "set", DEFAULT_SCHEME).examples == EXAMPLES


def test_selection_of_rows_is_honoured(tmp_path: Path) -> None:
    datasets.Dataset.from_dict(COLUMNS).select([2, 0]).save_to_disk(tmp_path / "set")
    assert load_examples(tmp_path / "set", DEFAULT_SCHEME).examples == [EXAMPLES[2], EXAMPLES[0]]


def test_part_of_a_dataset_dict_becomes_the_split(tmp_path: Path) -> None:
    whole = datasets.Dataset.from_dict(COLUMNS)
    parts = datasets.DatasetDict({"train": whole.select([0, 1]), "dev": whole.select([2])})
    parts.save_to_disk(tmp_path / "set")
    loaded = load_examples(tmp_path / "set", DEFAULT_SCHEME).examples
    assert [(one.id, one.split) for one in loaded] == [("1", "train"), ("2", "train"), ("3", "dev")]
    chosen = load_examples(tmp_path / "set", DEFAULT_SCHEME, split="dev").examples
    assert [one.id for one in chosen] == ["3"]


def test_bad_row_is_named_with_its_part_and_row(tmp_path: Path) -> None:
    bad = datasets.Dataset.from_dict({"text": ["Fine.", " "], "labels": ["", ""]})
    datasets.DatasetDict({"train": bad}).save_to_disk(tmp_path / "set")
    with pytest.raises(DataError, match="expected more than white space") as caught:
        load_examples(tmp_path / "set", DEFAULT_SCHEME)
    assert (caught.value.path, caught.value.row) == (str(tmp_path / "set") + "/train", 2)
    (reject,) = load_examples(tmp_path / "set", DEFAULT_SCHEME, on_error="skip").rejects
    assert json.loads(reject.raw)["text"] == " "


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [([[1, 0], [0]], [("denial", "sanction"), ("sanction",)]), ([1, 0], [("denial",), ("sanction",)])],
)
def test_class_numbers_become_the_names_of_the_dataset_whatever_their_order(
    tmp_path: Path, numbers: list[int] | list[list[int]], expected: list[tuple[str, ...]]
) -> None:
    names = datasets.ClassLabel(names=["sanction", "denial"])
    feature = datasets.Sequence(names) if isinstance(numbers[0], list) else names
    features = datasets.Features({"text": datasets.Value("string"), "labels": feature})
    table = datasets.Dataset.from_dict({"text": ["A.", "B."], "labels": numbers}, features=features)
    table.save_to_disk(tmp_path / "set")
    loaded = load_examples(tmp_path / "set", DEFAULT_SCHEME).examples
    assert [one.labels for one in loaded] == expected


def test_missing_column_is_named(tmp_path: Path) -> None:
    datasets.Dataset.from_dict({"text": ["A."], "label": [""]}).save_to_disk(tmp_path / "set")
    with pytest.raises(DataError, match="no column 'labels', got 'text', 'label'"):
        load_examples(tmp_path / "set", DEFAULT_SCHEME)


@pytest.mark.parametrize(
    ("spoiled", "content"),
    [
        ("state.json", b""),
        ("state.json", b"{}"),
        ("state.json", None),
        ("dataset_info.json", b"{"),
        ("dataset_info.json", None),
        ("data-00000-of-00001.arrow", b""),
        ("data-00000-of-00001.arrow", b"{}"),
        ("data-00000-of-00001.arrow", None),
    ],
)
def test_damaged_folder_is_a_data_error(tmp_path: Path, spoiled: str, content: bytes | None) -> None:
    datasets.Dataset.from_dict(COLUMNS).save_to_disk(tmp_path / "set")
    if content is None:
        (tmp_path / "set" / spoiled).unlink()
    else:
        (tmp_path / "set" / spoiled).write_bytes(content)
    with pytest.raises(DataError, match="datasets"):
        load_examples(tmp_path / "set", DEFAULT_SCHEME)


def test_damaged_stored_text_is_a_data_error(tmp_path: Path) -> None:
    datasets.Dataset.from_dict(COLUMNS).save_to_disk(tmp_path / "set")
    arrow = tmp_path / "set" / "data-00000-of-00001.arrow"
    arrow.write_bytes(arrow.read_bytes().replace(b"It rained.", b"It ra\xff\xfeed."))
    with pytest.raises(DataError, match="the datasets rows cannot be read"):
        load_examples(tmp_path / "set", DEFAULT_SCHEME)

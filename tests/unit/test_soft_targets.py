"""Files of soft targets: what is read, what is refused, what is dropped."""

import json
from pathlib import Path

import pytest

from newsacts import DataError
from newsacts.labels import DEFAULT_SCHEME, LabelScheme
from newsacts.training.soft_targets import SoftExample, drop_known, load_soft_examples

HALF = {"accusation": 0.5, "denial": 0.25, "regret": 0.0, "sanction": 1}


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_rows_of_classify_are_read_in_the_order_of_the_scheme(tmp_path: Path) -> None:
    shuffled = dict(reversed(HALF.items()))
    row = {"id": "1", "text": "Rain fell.", "labels": ["sanction"], "primary": "sanction", "probabilities": shuffled}
    examples = load_soft_examples(write(tmp_path / "soft.jsonl", row), DEFAULT_SCHEME)
    assert examples == [SoftExample("Rain fell.", (0.5, 0.25, 0.0, 1.0))]


@pytest.mark.parametrize(
    ("probabilities", "reason"),
    [
        ({"accusation": 0.5}, "expected a number for each of accusation, denial"),
        (HALF | {"praise": 0.1}, "expected a number for each of"),
        (HALF | {"denial": 1.2}, "the probability of denial is 1.2"),
        (HALF | {"denial": True}, "the probability of denial is True"),
        (HALF | {"denial": "0.5"}, "the probability of denial is '0.5'"),
        (None, "expected a number for each of"),
    ],
)
def test_a_row_without_a_number_for_every_label_is_refused_with_its_place(
    tmp_path: Path, probabilities: object, reason: str
) -> None:
    good = {"text": "Rain fell.", "probabilities": HALF}
    path = write(tmp_path / "soft.jsonl", good, {"text": "Snow fell.", "probabilities": probabilities})
    with pytest.raises(DataError, match=reason) as caught:
        load_soft_examples(path, DEFAULT_SCHEME)
    assert caught.value.row == 2
    assert caught.value.path == str(path)


def test_probabilities_of_labels_that_exclude_each_other_must_sum_to_one(tmp_path: Path) -> None:
    scheme = LabelScheme(("war", "money"), exclusive=True)
    write(tmp_path / "good.jsonl", {"text": "Rain.", "probabilities": {"war": 0.3, "money": 0.7}})
    assert load_soft_examples(tmp_path / "good.jsonl", scheme)[0].probabilities == (0.3, 0.7)
    write(tmp_path / "bad.jsonl", {"text": "Rain.", "probabilities": {"war": 0.3, "money": 0.3}})
    with pytest.raises(DataError, match=r"sum to 0\.6000"):
        load_soft_examples(tmp_path / "bad.jsonl", scheme)


def test_sentences_with_labels_and_repeats_are_dropped() -> None:
    soft = [SoftExample(text, (0.0,)) for text in ("Rain fell.", "rain  fell .", "Snow fell.", "Hail fell.")]
    assert [example.text for example in drop_known(soft, ["SNOW fell."])] == ["Rain fell.", "Hail fell."]

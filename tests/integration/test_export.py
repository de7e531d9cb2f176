"""The exported folder opens in plain transformers and gives the same probabilities."""

import json
from pathlib import Path
from typing import Any

import pytest

from newsacts.checkpoint import Checkpoint
from newsacts.errors import UsageError
from newsacts.labels import DEFAULT_SCHEME, LabelScheme
from newsacts.training.export import PARITY_LIMIT, export_transformers, measure_parity
from tests import tiny

TEXTS = [text for text, _ in tiny.SENTENCES]
CHOICE = LabelScheme(("money", "war", "other"), exclusive=True)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("scheme", [LabelScheme(("accusation", "denial", "regret")), CHOICE], ids=["several", "one"])
def test_plain_pipeline_gives_the_same_probabilities(pooling: str, scheme: LabelScheme, tmp_path: Path) -> None:
    checkpoint = tiny.write_tiny_checkpoint(tmp_path / "checkpoint", pooling=pooling, scheme=scheme)
    parity = export_transformers(checkpoint, tmp_path / "plain", texts=TEXTS)
    assert parity.sentences == len(TEXTS)
    assert parity.largest_difference < PARITY_LIMIT
    noted = json.loads((tmp_path / "plain" / "newsacts_parity.json").read_text())
    assert noted["largest_difference"] == parity.largest_difference


def test_batches_of_the_plain_pipeline_agree_too(tiny_checkpoint: Checkpoint, tmp_path: Path) -> None:
    from transformers import pipeline

    export_transformers(tiny_checkpoint, tmp_path / "plain", texts=TEXTS)
    plain: Any = pipeline(
        "text-classification", model=str(tmp_path / "plain"), device="cpu", top_k=None, truncation=True
    )
    alone = [plain([text])[0] for text in TEXTS]
    together = plain(TEXTS, batch_size=8)
    for one, other in zip(alone, together, strict=True):
        assert {part["label"]: part["score"] for part in other} == pytest.approx(
            {part["label"]: part["score"] for part in one}, abs=1e-5
        )


def test_parity_is_measured_and_not_assumed(tiny_checkpoint: Checkpoint, tmp_path: Path) -> None:
    """A folder of other weights must be found out."""
    other = tiny.write_tiny_checkpoint(tmp_path / "other", pooling="cls")
    export_transformers(other, tmp_path / "plain", texts=TEXTS)
    assert measure_parity(tiny_checkpoint, tmp_path / "plain", TEXTS).largest_difference > 0.01


def test_a_pooling_without_a_plain_form_is_refused(tmp_path: Path) -> None:
    checkpoint = tiny.write_tiny_checkpoint(tmp_path / "checkpoint", pooling="max")
    with pytest.raises(UsageError, match="expected mean or cls"):
        export_transformers(checkpoint, tmp_path / "plain")


def test_more_labels_than_fit_are_refused(tmp_path: Path) -> None:
    scheme = LabelScheme(tuple(f"label{number}" for number in range(tiny.HIDDEN // 2)))
    checkpoint = tiny.write_tiny_checkpoint(tmp_path / "checkpoint", scheme=scheme)
    with pytest.raises(UsageError, match="at most 7 can be exported"):
        export_transformers(checkpoint, tmp_path / "plain")


def test_a_folder_in_use_is_not_touched(tiny_checkpoint: Checkpoint, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(UsageError, match="new or empty folder"):
        export_transformers(tiny_checkpoint, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_default_scheme_is_exported_by_name(tiny_checkpoint: Checkpoint, tmp_path: Path) -> None:
    export_transformers(tiny_checkpoint, tmp_path / "plain", texts=TEXTS[:1])
    config = json.loads((tmp_path / "plain" / "config.json").read_text())
    assert list(config["id2label"].values()) == list(DEFAULT_SCHEME.names)
    assert config["num_hidden_layers"] == tiny.LAYERS + 1

"""Every protocol that was ever released must load for ever, and give the probabilities that it gave then."""

import json
from pathlib import Path

import numpy as np
import pytest

from newsacts import Classifier
from newsacts.checkpoint import PROTOCOL

FOLDER = Path(__file__).parents[1] / "checkpoints"
PROTOCOLS = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


def test_there_is_a_frozen_checkpoint_for_every_protocol() -> None:
    assert [f"protocol-{number}" for number in range(1, PROTOCOL + 1)] == PROTOCOLS


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_frozen_checkpoint_loads_and_predicts_as_it_did(name: str) -> None:
    expected = json.loads((FOLDER / f"{name}.expected.json").read_text())
    for backend in ("pytorch", "onnx"):
        classifier = Classifier.from_pretrained(FOLDER / name, backend=backend, device="cpu", dtype="float32")
        assert list(classifier.scheme.names) == expected["labels"]
        probabilities = classifier.predict_proba(expected["texts"])
        assert probabilities == pytest.approx(np.array(expected["probabilities"]), abs=1e-5)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_frozen_checkpoint_keeps_its_predictions_in_int8_nearly(name: str) -> None:
    expected = json.loads((FOLDER / f"{name}.expected.json").read_text())
    probabilities = Classifier.from_pretrained(FOLDER / name, dtype="int8").predict_proba(expected["texts"])
    assert probabilities == pytest.approx(np.array(expected["probabilities"]), abs=0.06)

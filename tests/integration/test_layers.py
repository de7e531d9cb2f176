"""Students: a model of some layers of its base learns, is stored small, and opens everywhere as it was."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from newsacts import Classifier, ConfigError, ModelError
from newsacts.base_models import find_base_model
from newsacts.bench.ours import open_student
from newsacts.bench.setting import BenchSetting, NotRun
from newsacts.checkpoint import Checkpoint, load_base_tensors, open_checkpoint
from newsacts.training.claim import CONFIG_NOTE, find_state_folder
from newsacts.training.config import TrainingConfig, parse_config
from newsacts.training.export import PARITY_LIMIT, export_transformers
from newsacts.training.networks import prepare_network
from newsacts.training.run import train
from tests import tiny

TEXTS = [text for text, _ in tiny.SENTENCES]
TOP_ONLY = (1,)


def make_config(base: Path, folder: Path, **model: Any) -> TrainingConfig:
    """A run of a few steps; `model` are keys of its section."""
    labelled = tiny.write_labelled(folder / "labelled.jsonl", copies=2)
    return parse_config(
        {
            "name": "student",
            "data": {"train": [str(labelled)], "dev_fraction": 0.4},
            "model": {"base": str(base), "max_tokens": tiny.MAX_TOKENS, **model},
            "optimization": {"epochs": 1, "body_learning_rate": 3e-3, "precision": "float32"},
            "output": {"folder": str(folder / "out"), "weight_format": "delta-int8"},
        }
    )


@pytest.fixture(scope="module")
def student(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """The upper layer alone, trained, stored as int8 differences."""
    checkpoint = train(make_config(tiny_base, tmp_path_factory.mktemp("student"), layers=TOP_ONLY), quiet=True)
    assert checkpoint is not None
    return checkpoint


@pytest.mark.parametrize("layers", [(0,), (1,), (0, 1)])
def test_a_kept_layer_starts_from_its_weights_in_the_base(
    tiny_base: Path, tmp_path: Path, layers: tuple[int, ...]
) -> None:
    config = make_config(tiny_base, tmp_path, layers=layers)
    network = prepare_network(config, find_base_model(str(tiny_base)))
    state, base = network.state_dict(), tiny.draw_encoder_weights()
    name = "encoder.layer.{}.{}.weight"
    for place, layer in enumerate(layers):
        for part in ("attention.self.query", "output.dense", "output.LayerNorm"):
            kept = state["encoder." + name.format(place, part)].numpy()
            assert np.array_equal(kept, base[name.format(layer, part)])
    assert not any(f"encoder.layer.{len(layers)}." in key for key in state)


def test_base_tensors_of_kept_layers_are_counted_anew_and_the_others_left_out(tiny_base: Path) -> None:
    base = find_base_model(str(tiny_base))
    whole, kept = load_base_tensors(base), load_base_tensors(base, layers=TOP_ONLY)
    moved = {name for name in kept if ".layer.0." in name}
    assert kept.keys() == {name for name in whole if ".layer.1." not in name}
    assert all(np.array_equal(kept[name], whole[name.replace(".layer.0.", ".layer.1.")]) for name in moved)
    assert all(np.array_equal(kept[name], whole[name]) for name in kept.keys() - moved)
    assert moved


def test_a_student_is_stored_as_differences_to_its_own_layers(student: Checkpoint) -> None:
    stored = load_file(student.folder / "model.safetensors")
    assert "encoder.encoder.layer.0.output.dense.weight:int8" in stored
    assert "encoder.embeddings.word_embeddings.weight:base" in stored
    weights, base = student.load_weights(), tiny.draw_encoder_weights()
    distances = [
        float(np.abs(np.subtract(weights["encoder.encoder.layer.0.output.dense.weight"], base[name])).max())
        for name in ("encoder.layer.1.output.dense.weight", "encoder.layer.0.output.dense.weight")
    ]
    assert 0 < distances[0] < 0.1 < distances[1]


def test_frozen_kept_layers_are_those_of_the_base_to_the_bit(tiny_base: Path, tmp_path: Path) -> None:
    checkpoint = train(make_config(tiny_base, tmp_path, layers=TOP_ONLY, freeze_layers=1), quiet=True)
    assert checkpoint is not None
    assert "encoder.encoder.layer.0.output.dense.weight:base" in load_file(checkpoint.folder / "model.safetensors")
    kept = checkpoint.load_weights()["encoder.encoder.layer.0.output.dense.weight"]
    assert np.array_equal(kept, tiny.draw_encoder_weights()["encoder.layer.1.output.dense.weight"])


def test_a_student_gives_the_same_logits_on_both_backends_and_after_a_copy(student: Checkpoint, tmp_path: Path) -> None:
    pytorch = Classifier.from_pretrained(student.folder, backend="pytorch", device="cpu")
    logits = pytorch.predict_logits(TEXTS)
    onnx = Classifier.from_pretrained(student.folder, backend="onnx", dtype="float32")
    assert onnx.predict_logits(TEXTS) == pytest.approx(logits, abs=1e-4)
    int8 = Classifier.from_pretrained(student.folder, backend="onnx", dtype="int8")
    assert int8.predict_proba(TEXTS) == pytest.approx(pytorch.predict_proba(TEXTS), abs=0.06)
    copied = Classifier.from_pretrained(pytorch.save_pretrained(tmp_path / "copy"), backend="pytorch", device="cpu")
    assert np.array_equal(copied.predict_logits(TEXTS), logits)


def test_a_student_says_what_it_is_and_asks_an_older_newsacts_to_be_upgraded(student: Checkpoint) -> None:
    assert student.facts.base_layers == TOP_ONLY
    manifest = json.loads((student.folder / "newsacts.json").read_text())
    assert (manifest["protocol"], manifest["base"]["layers"]) == (2, [1])
    assert student.load_encoder_config()["num_hidden_layers"] == 1
    assert "Layers of the base that were kept: 1 " in (student.folder / "README.md").read_text()


def test_a_student_exports_to_plain_transformers(student: Checkpoint, tmp_path: Path) -> None:
    assert export_transformers(student, tmp_path / "plain", texts=TEXTS).largest_difference < PARITY_LIMIT


def test_a_model_of_all_layers_is_stored_as_it_always_was(tiny_checkpoint: Checkpoint) -> None:
    manifest = json.loads((tiny_checkpoint.folder / "newsacts.json").read_text())
    assert (manifest["protocol"], sorted(manifest["base"])) == (1, ["revision", "sha256", "source"])
    assert tiny_checkpoint.facts.base_layers is None


def test_a_layer_that_the_base_does_not_have_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"model.layers is \[0, 2\], and BertModel has 2 layers.*from 0 to 1"):
        train(make_config(tiny_base, tmp_path, layers=(0, 2)), quiet=True)


@pytest.mark.parametrize("key", [{"layers": (0,)}, {"freeze_layers": 1}])
def test_an_encoder_that_is_not_built_like_bert_is_refused(tmp_path: Path, key: dict[str, Any]) -> None:
    from transformers import DistilBertConfig, DistilBertModel

    folder = tmp_path / "base"
    config = DistilBertConfig(vocab_size=len(tiny.VOCABULARY), dim=16, n_layers=1, n_heads=2, hidden_dim=24)
    DistilBertModel(config).save_pretrained(folder)
    tiny.build_tokenizer().save(str(folder / "tokenizer.json"))
    name = next(iter(key))
    with pytest.raises(ConfigError, match=f"model.{name} needs an encoder built like BERT, got DistilBertModel"):
        train(make_config(folder, tmp_path, **key), quiet=True)


def test_a_run_of_an_older_newsacts_that_knew_no_layers_goes_on(tiny_base: Path, tmp_path: Path) -> None:
    config = make_config(tiny_base, tmp_path)
    note = find_state_folder(config) / CONFIG_NOTE
    (note.parent / "checkpoint-1").mkdir(parents=True)
    before = json.loads(config.model_dump_json())
    del before["model"]["layers"]
    note.write_text(json.dumps(before))
    with pytest.raises(ConfigError, match="model differ"):
        train(make_config(tiny_base, tmp_path, layers=TOP_ONLY), resume=True, quiet=True)
    assert train(config, resume=True, quiet=True) is not None


def test_fast_is_the_one_of_the_package_whatever_stands_here(
    student: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Classifier.from_pretrained(student.folder, device="cpu").save_pretrained(tmp_path / "package" / "fast")
    monkeypatch.setattr("newsacts.classifier.SHIPPED_FOLDER", tmp_path / "package")
    (tmp_path / "here" / "fast").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    with caplog.at_level(logging.WARNING, logger="newsacts"):
        assert Classifier.from_pretrained("fast", device="cpu").checkpoint.folder == tmp_path / "package" / "fast"
    assert "write ./fast" in caplog.text
    with pytest.raises(ModelError, match="not a newsacts checkpoint"):
        Classifier.from_pretrained("./fast")
    assert open_student(BenchSetting(str(student.folder), "", ""))(TEXTS) is not None


def test_an_installation_without_fast_says_so(
    student: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsacts.classifier.SHIPPED_FOLDER", tmp_path)
    with pytest.raises(ModelError, match="fast: this installation of newsacts has no such checkpoint, expected it in"):
        Classifier.from_pretrained("fast")
    with pytest.raises(NotRun, match="no such checkpoint"):
        open_student(BenchSetting(str(student.folder), "", ""))


def test_a_student_with_other_labels_is_not_compared(
    student: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from newsacts import LabelScheme

    other = tiny.write_tiny_checkpoint(tmp_path / "fast", scheme=LabelScheme(("praise",)))
    monkeypatch.setattr("newsacts.classifier.SHIPPED_FOLDER", tmp_path)
    with pytest.raises(NotRun, match="its labels are praise"):
        open_student(BenchSetting(str(student.folder), "", ""))
    assert open_checkpoint(other.folder).facts.scheme.names == ("praise",)

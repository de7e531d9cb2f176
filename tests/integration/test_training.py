"""Training end to end on a tiny random encoder: it learns, and honours what the config says."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from newsacts import Classifier, ConfigError, ModelError
from newsacts.base_models import find_base_model
from newsacts.training.networks import prepare_network
from newsacts.training.run import train
from newsacts.training.trainer import choose_precision
from tests import tiny
from tests.integration.training_runs import make_config, run


def test_it_learns_what_it_is_shown(tiny_base: Path, tmp_path: Path) -> None:
    config = make_config(tiny_base, tmp_path, optimization={"epochs": 40}, model={"freeze_embeddings": False})
    checkpoint = run(config)
    assert checkpoint.facts.scores["dev"]["macro_f1"] > 0.8
    classifier = Classifier.from_pretrained(checkpoint.folder, device="cpu")
    right = sum(set(classifier.predict([text])[0].labels) == set(labels) for text, labels in tiny.SENTENCES)
    assert right >= 17


def test_the_checkpoint_says_what_it_was_made_from(tiny_base: Path, tmp_path: Path) -> None:
    config = make_config(tiny_base, tmp_path, augmentation={"wire_share": 0.5}, seed=3)
    facts = run(config).facts
    assert facts.training["config"]["seed"] == 3
    assert facts.training["data"]["train"]["sentences"] == 60
    assert facts.training["data"]["wire_copies"] == 30
    assert all(len(digest) == 64 for digest in facts.training["data"]["files"].values())
    assert facts.training["run"]["steps"] == 3 * -(-90 // 8)
    assert facts.training["run"]["machine"]["torch"] == torch.__version__
    assert facts.base_sha256 != "0" * 64


def test_the_model_card_has_hub_metadata_and_the_scores(tiny_base: Path, tmp_path: Path) -> None:
    import yaml

    checkpoint = run(make_config(tiny_base, tmp_path, optimization={"epochs": 1}))
    card = (checkpoint.folder / "README.md").read_text()
    metadata = yaml.safe_load(card.split("---")[1])
    value = metadata["model-index"][0]["results"][0]["metrics"][0]["value"]
    assert value == pytest.approx(checkpoint.facts.scores["dev"]["macro_f1"], abs=1e-4)
    assert metadata["pipeline_tag"] == "text-classification"
    assert "| accusation |" in card


def test_the_seed_decides_everything_and_another_seed_differs(tiny_base: Path, tmp_path: Path) -> None:
    weights = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        checkpoint = run(make_config(tiny_base, tmp_path / name, seed=seed, augmentation={"wire_share": 0.3}))
        weights.append(checkpoint.load_weights())
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert not np.array_equal(weights[0]["head.weight"], weights[2]["head.weight"])


def test_frozen_embeddings_stay_as_they_are_and_others_move(tiny_base: Path, tmp_path: Path) -> None:
    base = tiny.draw_encoder_weights()
    frozen = run(make_config(tiny_base, tmp_path)).load_weights()
    name = "embeddings.word_embeddings.weight"
    assert np.array_equal(frozen[f"encoder.{name}"], base[name])
    moved = "encoder.layer.0.attention.self.query.weight"
    assert not np.array_equal(frozen[f"encoder.{moved}"], base[moved])
    (tmp_path / "free").mkdir()
    free = run(make_config(tiny_base, tmp_path / "free", model={"freeze_embeddings": False})).load_weights()
    assert not np.array_equal(free[f"encoder.{name}"], base[name])


@pytest.mark.parametrize("weight_format", ["delta-int8", "delta-low-rank"])
def test_small_formats_store_less_and_predict_nearly_the_same(
    tiny_base: Path, tmp_path: Path, weight_format: str
) -> None:
    probabilities, sizes = [], []
    for name in ("full", weight_format):
        (tmp_path / name).mkdir()
        output = {"folder": str(tmp_path / name / "out"), "weight_format": name, "rank": 12}
        checkpoint = run(make_config(tiny_base, tmp_path / name, output=output))
        texts = [text for text, _ in tiny.SENTENCES]
        probabilities.append(
            Classifier.from_pretrained(checkpoint.folder, device="cpu", dtype="float32").predict_logits(texts)
        )
        sizes.append((checkpoint.folder / "model.safetensors").stat().st_size)
    assert sizes[1] < sizes[0]
    assert probabilities[1] == pytest.approx(probabilities[0], abs=0.2)


def test_a_lora_trains_only_its_factors_and_is_stored_exactly_by_its_rank(tiny_base: Path, tmp_path: Path) -> None:
    stored = []
    for weight_format in ("full", "delta-low-rank"):
        (tmp_path / weight_format).mkdir()
        output = {"folder": str(tmp_path / weight_format / "out"), "weight_format": weight_format, "rank": 3}
        model = {"lora": {"rank": 3, "alpha": 6, "dropout": 0.0}}
        stored.append(run(make_config(tiny_base, tmp_path / weight_format, output=output, model=model)).load_weights())
    full, low = stored
    base = tiny.draw_encoder_weights()
    query = "encoder.layer.0.attention.self.query.weight"
    delta = np.asarray(full[f"encoder.{query}"], np.float32) - np.asarray(base[query], np.float32)
    assert np.linalg.matrix_rank(delta, tol=1e-4) <= 3
    assert not np.array_equal(full[f"encoder.{query}"], base[query])
    assert all(low[name] == pytest.approx(full[name], abs=1e-4) for name in full)


@pytest.mark.parametrize("loss", [{"kind": "focal"}, {"class_weights": "balanced"}])
def test_an_exclusive_scheme_of_other_labels_trains_through_the_same_code(
    tiny_base: Path, tmp_path: Path, loss: dict[str, Any]
) -> None:
    file = tmp_path / "topics.csv"
    topics = {"bank": "money", "army": "war"}
    lines = ["text,labels"]
    for text, _ in tiny.SENTENCES:
        lines += [f'"{text} {copy}",{next((t for w, t in topics.items() if w in text), "other")}' for copy in range(3)]
    file.write_text("\n".join(lines) + "\n")
    config = make_config(
        tiny_base,
        tmp_path,
        scheme={"names": ["money", "war", "other"], "exclusive": True},
        data={"train": [str(file)], "dev": [], "dev_fraction": 0.3},
        optimization={"epochs": 8, "loss": loss},
    )
    classifier = Classifier.from_pretrained(run(config).folder, device="cpu")
    assert classifier.scheme.exclusive
    assert all(len(prediction.labels) == 1 for prediction in classifier.predict(["The bank.", "Rain."]))


def test_early_stopping_keeps_the_best_and_stops(tiny_base: Path, tmp_path: Path) -> None:
    section = {"epochs": 40, "early_stopping": 1, "body_learning_rate": 1e-6, "head_learning_rate": 1e-6}
    checkpoint = run(make_config(tiny_base, tmp_path, optimization=section))
    assert checkpoint.facts.training["run"]["steps"] < 40 * 8
    assert "early stopping chose the epoch on these same sentences" in checkpoint.facts.scores["how"]


def test_more_tokens_than_the_base_reads_are_refused(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="reads at most 48 tokens"):
        train(make_config(tiny_base, tmp_path, model={"max_tokens": 64}), quiet=True)


def test_two_processes_of_torchrun_train_one_checkpoint(tiny_base: Path, tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    config = make_config(tiny_base, tmp_path, optimization={"epochs": 1})
    file = tmp_path / "config.yaml"
    file.write_text(config.model_dump_json())
    script = Path(__file__).parents[2] / "scripts" / "train.py"
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launcher, str(script), str(file)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == [config.output.folder]
    facts = Classifier.from_pretrained(config.output.folder, device="cpu").checkpoint.facts
    assert facts.training["run"]["steps"] == -(-60 // 16)


def test_frozen_layers_keep_the_weights_of_the_base(tiny_base: Path, tmp_path: Path) -> None:
    weights = run(make_config(tiny_base, tmp_path, model={"freeze_layers": 1})).load_weights()
    base = tiny.draw_encoder_weights()
    name = "encoder.layer.{}.output.dense.weight"
    assert np.array_equal(weights["encoder." + name.format(0)], base[name.format(0)])
    assert not np.array_equal(weights["encoder." + name.format(1)], base[name.format(1)])


def test_more_frozen_layers_than_there_are_is_an_error(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="freeze_layers is 3, and BertModel has 2 layers"):
        train(make_config(tiny_base, tmp_path, model={"freeze_layers": 3}), quiet=True)


def test_a_lora_leaves_frozen_layers_as_they_are(tiny_base: Path, tmp_path: Path) -> None:
    model = {"freeze_layers": 1, "lora": {"rank": 2, "alpha": 4, "dropout": 0.0}}
    weights = run(make_config(tiny_base, tmp_path, model=model)).load_weights()
    base = tiny.draw_encoder_weights()
    name = "encoder.layer.{}.output.dense.weight"
    assert np.array_equal(weights["encoder." + name.format(0)], base[name.format(0)])
    assert not np.array_equal(weights["encoder." + name.format(1)], base[name.format(1)])


def test_a_lora_with_every_layer_frozen_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    config = make_config(tiny_base, tmp_path, model={"freeze_layers": 2, "lora": {}})
    with pytest.raises(ConfigError, match=r"leaves model\.lora no layer"):
        prepare_network(config, find_base_model(str(tiny_base)))


@pytest.mark.parametrize("weight_format", ["full", "delta-int8"])
def test_a_run_that_diverged_names_what_to_change(tiny_base: Path, tmp_path: Path, weight_format: str) -> None:
    output = {"folder": str(tmp_path / "out"), "weight_format": weight_format}
    config = make_config(tiny_base, tmp_path, output=output, optimization={"body_learning_rate": 1e30})
    with pytest.raises(ModelError, match=r"diverged.*body_learning_rate \(1e\+30\).*loss \(kind cross_entropy"):
        train(config, quiet=True)


def test_float16_without_a_gpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsacts.training.trainer.has_accelerator", lambda: False)
    with pytest.raises(ConfigError, match="float16 needs a GPU"):
        choose_precision("float16")
    assert choose_precision("bfloat16") == "bfloat16"


def test_a_tracker_that_is_not_installed_or_known_is_named_before_training(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transformers.integrations.integration_utils.is_tensorboard_available", lambda: False)
    for tracker, message in (("tensorboard", "pip install tensorboard"), ("abacus", "abacus is not supported")):
        with pytest.raises(ConfigError, match=rf"output\.report_to: .*{message}"):
            train(make_config(tiny_base, tmp_path, output={"report_to": [tracker]}), quiet=True)


def test_early_stopping_that_would_never_look_at_dev_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    config = make_config(tiny_base, tmp_path, optimization={"early_stopping": 1}, output={"save_every": 25})
    with pytest.raises(ConfigError, match="save_every is 25 and the run takes 24 steps"):
        train(config, quiet=True)

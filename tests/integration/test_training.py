"""Training end to end on a tiny random encoder: it learns, resumes, and honours what the config says."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from newsacts import Classifier, ConfigError, DataError, UsageError
from newsacts.checkpoint import Checkpoint
from newsacts.training.config import LossSection, TrainingConfig, parse_config
from newsacts.training.losses import compute_loss
from newsacts.training.run import find_last_step, train
from newsacts.training.trainer import NewsactsTrainer
from tests import tiny


def make_config(base: Path, folder: Path, **changes: Any) -> TrainingConfig:
    """A config that learns the tiny sentences in a few seconds; `changes` are whole sections."""
    train_file = tiny.write_labelled(folder / "train.jsonl", copies=3)
    dev_file = tiny.write_labelled(folder / "dev.jsonl")
    rows = [
        json.loads(line) | {"group": f"dev-{number}"} for number, line in enumerate(dev_file.read_text().splitlines())
    ]
    dev_file.write_text("".join(json.dumps(row | {"text": row["text"] + " Now."}) + "\n" for row in rows))
    values: dict[str, Any] = {
        "name": "tiny",
        "data": {"train": [str(train_file)], "dev": [str(dev_file)]},
        "model": {"base": str(base), "max_tokens": tiny.MAX_TOKENS, "dropout": 0.0},
        "optimization": {"epochs": 3, "batch_size": 8, "body_learning_rate": 3e-3, "precision": "float32"},
        "output": {"folder": str(folder / "out")},
    }
    for section, value in changes.items():
        values[section] = values.get(section, {}) | value if isinstance(value, dict) else value
    return parse_config(values)


def run(config: TrainingConfig, **options: Any) -> Checkpoint:
    checkpoint = train(config, quiet=True, **options)
    assert checkpoint is not None
    return checkpoint


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


def test_a_killed_run_resumes_and_ends_where_an_uninterrupted_one_does(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("whole", "torn"):
        (tmp_path / name).mkdir()
    output = {"save_every": 5}
    whole = run(make_config(tiny_base, tmp_path / "whole", output={"folder": str(tmp_path / "w"), **output}))
    config = make_config(tiny_base, tmp_path / "torn", output={"folder": str(tmp_path / "t"), **output})
    step, calls = NewsactsTrainer.training_step, 0

    def die(self: NewsactsTrainer, *arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 13:
            raise KeyboardInterrupt
        return step(self, *arguments, **options)

    monkeypatch.setattr(NewsactsTrainer, "training_step", die)
    with pytest.raises(KeyboardInterrupt):
        train(config, quiet=True)
    monkeypatch.setattr(NewsactsTrainer, "training_step", step)
    with pytest.raises(UsageError, match="--resume"):
        train(config, quiet=True)
    with pytest.raises(ConfigError, match="seed differ"):
        train(config.model_copy(update={"seed": 9}), resume=True, quiet=True)
    resumed = run(config, resume=True)
    assert resumed.facts.training["run"]["resumed_from"] == "checkpoint-10"
    ours, theirs = resumed.load_weights(), whole.load_weights()
    assert all(ours[name] == pytest.approx(theirs[name], abs=1e-5) for name in theirs)


def test_a_folder_that_holds_a_checkpoint_is_not_overwritten(tiny_base: Path, tmp_path: Path) -> None:
    config = make_config(tiny_base, tmp_path, optimization={"epochs": 0.2})
    run(config)
    with pytest.raises(UsageError, match="already holds a checkpoint"):
        train(config, quiet=True)


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


@pytest.mark.parametrize("loss", [{"kind": "focal"}, {"kind": "asymmetric"}, {"class_weights": "balanced"}])
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


def test_a_step_that_was_half_written_when_the_run_was_killed_is_skipped(tmp_path: Path) -> None:
    for step, whole in ((10, True), (20, True), (30, False)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if whole:
            (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text("{}")
    assert find_last_step(tmp_path) == str(tmp_path / "checkpoint-20")


def test_the_same_command_runs_again_once_its_checkpoint_is_moved_away(tiny_base: Path, tmp_path: Path) -> None:
    config = make_config(tiny_base, tmp_path, optimization={"epochs": 0.2})
    run(config).folder.rename(tmp_path / "moved")
    assert run(config).folder.is_dir()


def test_a_folder_in_use_is_refused_before_training_and_not_after(tiny_base: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="is in use"):
        train(make_config(tiny_base, tmp_path), quiet=True)


def test_early_stopping_keeps_the_best_and_stops(tiny_base: Path, tmp_path: Path) -> None:
    section = {"epochs": 40, "early_stopping": 1, "body_learning_rate": 1e-6, "head_learning_rate": 1e-6}
    checkpoint = run(make_config(tiny_base, tmp_path, optimization=section))
    assert checkpoint.facts.training["run"]["steps"] < 40 * 8


def test_repeated_sentences_are_dropped_and_counted(tiny_base: Path, tmp_path: Path) -> None:
    config = make_config(tiny_base, tmp_path, optimization={"epochs": 0.2})
    dev = Path(config.data.dev[0])
    extra = tmp_path / "extra.jsonl"
    first = json.loads(dev.read_text().splitlines()[0])["text"]
    rows = [{"text": first.upper(), "labels": [], "id": "x"}, {"text": "A new one.", "labels": [], "id": "y"},
            {"text": "a NEW one", "labels": [], "id": "z"}]  # fmt: skip
    extra.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = {"train": [*config.data.train, str(extra)], "dev": [str(dev)]}
    facts = run(make_config(tiny_base, tmp_path, data=data, optimization={"epochs": 0.2})).facts
    assert facts.training["data"]["dropped"] == {"stands in dev": 1, "repeats a training sentence": 1}


def test_the_written_corpus_is_named_and_not_searched_for(tiny_base: Path, tmp_path: Path) -> None:
    dev = make_config(tiny_base, tmp_path).data.dev
    config = make_config(tiny_base, tmp_path, data={"train": ["corpus:seed"], "dev": list(dev)})
    facts = run(
        config.model_copy(update={"optimization": config.optimization.model_copy(update={"epochs": 0.05})})
    ).facts
    assert facts.training["data"]["train"]["sentences"] == 640
    with pytest.raises(DataError, match="expected one of hard_cases, seed, sentences"):
        train(
            make_config(
                tiny_base,
                tmp_path,
                data={"train": ["corpus:nothing"], "dev": list(dev)},
                output={"folder": str(tmp_path / "other")},
            ),
            quiet=True,
        )


def test_rows_of_other_splits_are_left_out_and_counted(tiny_base: Path, tmp_path: Path) -> None:
    config = make_config(tiny_base, tmp_path)
    held = tmp_path / "held.jsonl"
    held.write_text(
        '{"text": "Held out.", "labels": [], "split": "test"}\n{"text": "In.", "labels": [], "split": "train"}\n'
    )
    data = {"train": [*config.data.train, str(held)], "dev": list(config.data.dev)}
    facts = run(make_config(tiny_base, tmp_path, data=data, optimization={"epochs": 0.2})).facts
    assert facts.training["data"]["of_other_splits"] == 1
    assert facts.training["data"]["train"]["sentences"] == 61


def test_rejected_rows_are_written_beside_the_run(tiny_base: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "Fine.", "labels": []}\n{"text": "Odd.", "labels": ["praise"]}\n')
    config = make_config(tiny_base, tmp_path)
    data = {"train": [*config.data.train, str(bad)], "dev": list(config.data.dev), "on_error": "skip"}
    checkpoint = run(make_config(tiny_base, tmp_path, data=data, optimization={"epochs": 0.2}))
    assert checkpoint.facts.training["data"]["rejects"] == 1
    rejects = (tmp_path / "out.training" / "rejects.jsonl").read_text()
    assert "praise" in rejects


def test_more_tokens_than_the_base_reads_are_refused(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="reads at most 48 tokens"):
        train(make_config(tiny_base, tmp_path, model={"max_tokens": 64}), quiet=True)


@pytest.mark.parametrize("kind", ["cross_entropy", "focal", "asymmetric"])
@pytest.mark.parametrize("exclusive", [True, False])
def test_every_loss_falls_as_predictions_improve(kind: str, exclusive: bool) -> None:
    section = LossSection.model_validate({"kind": kind})
    truth = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    losses = [
        float(compute_loss((2 * truth - 1) * size, truth, section, exclusive=exclusive)) for size in (-3, 0, 3, 9)
    ]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] == pytest.approx(0, abs=0.01)


def test_focal_loss_without_focus_is_cross_entropy() -> None:
    logits, truth = torch.randn(5, 3), (torch.rand(5, 3) > 0.5).float()
    plain = compute_loss(logits, truth, LossSection())
    assert compute_loss(logits, truth, LossSection(kind="focal", gamma=0)) == pytest.approx(float(plain))
    unshifted = LossSection(kind="asymmetric", gamma=0, clip=0)
    assert float(compute_loss(logits, truth, unshifted)) == pytest.approx(float(plain), abs=1e-5)


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


def test_soft_targets_teach_what_no_label_does(tiny_base: Path, tmp_path: Path) -> None:
    soft = tmp_path / "soft.jsonl"
    rows = []
    for number in range(60):
        probabilities = {"accusation": 0.02, "denial": 0.02, "regret": 0.97 if number % 2 else 0.02, "sanction": 0.02}
        text = f"The committee {'regrets' if number % 2 else 'opened'} {'mill ' * (number % 7)}{number}."
        rows.append({"text": text, "probabilities": probabilities})
    soft.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = make_config(
        tiny_base,
        tmp_path,
        data={"soft": [str(soft)]},
        model={"freeze_embeddings": False},
        optimization={"epochs": 25},
    )
    checkpoint = run(config)
    assert checkpoint.facts.training["data"]["soft"]["sentences"] == 60
    assert str(soft) in checkpoint.facts.training["data"]["files"]
    classifier = Classifier.from_pretrained(checkpoint.folder, device="cpu")
    regrets, opened = classifier.predict_logits(["The committee regrets 99.", "The committee opened 99."])[:, 2]
    assert regrets > opened + 1


def test_frozen_layers_keep_the_weights_of_the_base(tiny_base: Path, tmp_path: Path) -> None:
    weights = run(make_config(tiny_base, tmp_path, model={"freeze_layers": 1})).load_weights()
    base = tiny.draw_encoder_weights()
    name = "encoder.layer.{}.output.dense.weight"
    assert np.array_equal(weights["encoder." + name.format(0)], base[name.format(0)])
    assert not np.array_equal(weights["encoder." + name.format(1)], base[name.format(1)])


def test_more_frozen_layers_than_there_are_is_an_error(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="freeze_layers is 3, and BertModel has 2 layers"):
        train(make_config(tiny_base, tmp_path, model={"freeze_layers": 3}), quiet=True)

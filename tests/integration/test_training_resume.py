"""The folders of a run: whose steps a resumption takes, and what it refuses."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from newsacts import ConfigError, UsageError
from newsacts.checkpoint import Checkpoint
from newsacts.training.claim import DATA_NOTE, find_last_step, find_state_folder
from newsacts.training.config import TrainingConfig
from newsacts.training.run import train
from newsacts.training.trainer import NewsactsTrainer
from tests.integration.training_runs import make_config, run


def interrupt(config: TrainingConfig, monkeypatch: pytest.MonkeyPatch, *, step: int, **options: Any) -> None:
    """Run a config and break it off before this step, counted from 1 in this process."""
    original, calls = NewsactsTrainer.training_step, 0

    def die(self: NewsactsTrainer, *arguments: Any, **others: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == step:
            raise KeyboardInterrupt
        return original(self, *arguments, **others)

    with monkeypatch.context() as patch:
        patch.setattr(NewsactsTrainer, "training_step", die)
        with pytest.raises(KeyboardInterrupt):
            train(config, quiet=True, **options)


def test_a_killed_run_resumes_and_ends_where_an_uninterrupted_one_does(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("whole", "torn"):
        (tmp_path / name).mkdir()
    output = {"save_every": 5}
    whole = run(make_config(tiny_base, tmp_path / "whole", output={"folder": str(tmp_path / "w"), **output}))
    config = make_config(tiny_base, tmp_path / "torn", output={"folder": str(tmp_path / "t"), **output})
    interrupt(config, monkeypatch, step=13)
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


def equal_weights(one: Checkpoint, other: Checkpoint) -> bool:
    ours, theirs = one.load_weights(), other.load_weights()
    return all(np.array_equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("resume_at_first", [False, True])
def test_a_resumption_never_takes_the_steps_of_an_earlier_run(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resume_at_first: bool
) -> None:
    section = {"epochs": 1, "head_learning_rate": 0.1}
    (tmp_path / "fresh").mkdir()
    fresh = run(make_config(tiny_base, tmp_path / "fresh", seed=7, optimization=section))
    old = run(make_config(tiny_base, tmp_path, seed=1, optimization=section))
    old.folder.rename(tmp_path / "moved")
    config = make_config(tiny_base, tmp_path, seed=7, optimization=section)
    interrupt(config, monkeypatch, step=2, resume=resume_at_first)
    resumed = run(config, resume=True)
    assert resumed.facts.training["run"]["resumed_from"] is None
    assert equal_weights(resumed, fresh)


def test_a_draft_of_an_earlier_run_is_removed_and_other_files_stay(tiny_base: Path, tmp_path: Path) -> None:
    config = make_config(tiny_base, tmp_path, optimization={"epochs": 0.2})
    state = find_state_folder(config)
    (state / "checkpoint").mkdir(parents=True)
    (state / "checkpoint" / "stale.txt").write_text("old")
    (state / "checkpoint-notes").mkdir()
    assert not (run(config).folder / "stale.txt").exists()
    assert (state / "checkpoint-notes").is_dir()


def test_a_run_that_failed_before_any_step_does_not_block_its_folder(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="reads at most 48 tokens"):
        train(make_config(tiny_base, tmp_path, model={"max_tokens": 64}), quiet=True)
    assert run(make_config(tiny_base, tmp_path, optimization={"epochs": 0.2})).folder.is_dir()


def test_changed_training_data_are_refused_and_changed_dev_data_are_told(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    config = make_config(tiny_base, tmp_path, output={"save_every": 2}, optimization={"epochs": 1})
    interrupt(config, monkeypatch, step=4)
    train_file, dev_file = Path(config.data.train[0]), Path(config.data.dev[0])
    before = train_file.read_text()
    train_file.write_text(before.replace("denial", "regret"))
    with pytest.raises(ConfigError, match=r"had other data: .*train\.jsonl changed"):
        train(config, resume=True, quiet=True)
    train_file.write_text(before)
    dev_file.write_text(dev_file.read_text().replace("Now.", "Then."))
    with caplog.at_level(logging.WARNING, logger="newsacts"):
        resumed = run(config, resume=True)
    assert "dev.jsonl changed since the unfinished run began" in caplog.text
    assert resumed.facts.training["run"]["resumed_from"] == "checkpoint-2"


def test_an_unfinished_run_without_a_note_of_its_data_goes_on_with_a_warning(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    config = make_config(tiny_base, tmp_path, output={"save_every": 2}, optimization={"epochs": 1})
    interrupt(config, monkeypatch, step=4)
    (find_state_folder(config) / DATA_NOTE).unlink()
    with caplog.at_level(logging.WARNING, logger="newsacts"):
        resumed = run(config, resume=True)
    assert "did not note its data" in caplog.text
    assert resumed.facts.training["run"]["resumed_from"] == "checkpoint-2"
    noted = json.loads((find_state_folder(config) / DATA_NOTE).read_text())
    assert noted == resumed.facts.training["data"]["files"]

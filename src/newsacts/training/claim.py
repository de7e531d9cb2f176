"""Who may write where: the output folder of a run, its state folder, and what is noted there of an unfinished run.

    claim_output -> train -> steps in <folder>.training -> checkpoint in <folder>

An unfinished run is a state folder with a note of its config and at least one step. `keep_data_note` adds the hashes of
its data, so that a run only goes on with what it began with. Steps of an earlier run are removed when a new one starts.
"""

import json
import logging
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from newsacts.checkpoint import MANIFEST
from newsacts.errors import ConfigError, UsageError
from newsacts.training.config import TrainingConfig, parse_config

CONFIG_NOTE = "config.json"
"""In the state folder: the config of an unfinished run."""
DATA_NOTE = "data.json"
"""In the state folder: the hash of each data file of that run, by its name in the config."""
DRAFT = "checkpoint"
"""In the state folder: the checkpoint, until it is complete and moves to the output folder."""

_logger = logging.getLogger("newsacts")
_STEP = re.compile(rf"{re.escape(PREFIX_CHECKPOINT_DIR)}-(\d+)")


def find_state_folder(config: TrainingConfig) -> Path:
    """Where the resumable state of a run stands."""
    folder = Path(config.output.folder)
    return folder.with_name(folder.name + ".training")


def find_last_step(state_folder: Path) -> str | None:
    """The newest training checkpoint that was written to its end, or None.

    A kill during saving leaves a folder without the Trainer's state file, which is written last.
    """
    for _, path in sorted(_list_steps(state_folder).items(), reverse=True):
        if (path / TRAINER_STATE_NAME).is_file():
            return str(path)
        _logger.warning("%s was not written to its end and is skipped", path)
    return None


def claim_output(config: TrainingConfig, *, resume: bool) -> bool:
    """Take the folders of a run; whether an unfinished run goes on. A new run finds no steps of an earlier one.

    Raises `UsageError` for an output folder in use and for an unfinished run without `resume`, `ConfigError` for an
    unfinished run of another config.
    """
    folder, state_folder = Path(config.output.folder), find_state_folder(config)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        holds = "already holds a checkpoint" if (folder / MANIFEST).exists() else "is in use"
        raise UsageError(f"{folder} {holds}; set output.folder to another folder or move it away")
    note = state_folder / CONFIG_NOTE
    # A note without a step is of a run that failed, or was stopped, before there was anything to go on from.
    unfinished = note.exists() and bool(_list_steps(state_folder))
    if unfinished:
        if not resume:
            raise UsageError(
                f"{state_folder} holds an unfinished run; go on with it by --resume, or remove that folder"
            )
        _refuse_other_config(json.loads(note.read_text(encoding="utf-8")), config)
    else:
        if resume:
            _logger.warning("there is no unfinished run in %s; starting a new one", state_folder)
        _remove_leftovers(state_folder)
    state_folder.mkdir(parents=True, exist_ok=True)
    note.write_text(config.model_dump_json(indent=2), encoding="utf-8")
    return unfinished


def keep_data_note(config: TrainingConfig, files: Mapping[str, str], *, unfinished: bool) -> None:
    """Note the hashes of the data files of a run. Raises `ConfigError` where an unfinished run learned from others.

    A run of an older newsacts noted none, and goes on with a warning; so does one whose dev files alone changed.
    """
    note = find_state_folder(config) / DATA_NOTE
    if unfinished and note.exists():
        before = json.loads(note.read_text(encoding="utf-8"))
        changed = sorted(name for name in files if before.get(name) != files[name])
        learned = [name for name in changed if name in (*config.data.train, *config.data.soft)]
        if learned:
            raise ConfigError(
                f"the unfinished run had other data: {', '.join(learned)} changed since it began; resume with the "
                "files as they were, or choose another output.folder"
            )
        if changed:
            _logger.warning("%s changed since the unfinished run began; dev is taken as it is now", ", ".join(changed))
    elif unfinished:
        _logger.warning(
            "the unfinished run is of an older newsacts, which did not note its data: make sure that they are the same"
        )
    note.write_text(json.dumps(dict(files), indent=2), encoding="utf-8")


def _list_steps(state_folder: Path) -> dict[int, Path]:
    found = {path: _STEP.fullmatch(path.name) for path in state_folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*")}
    return {int(match.group(1)): path for path, match in found.items() if match}


def _remove_leftovers(state_folder: Path) -> None:
    """Steps and draft of an earlier run: a resumption would take them for its own."""
    for path in (*_list_steps(state_folder).values(), state_folder / DRAFT):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _refuse_other_config(before: dict[str, Any], config: TrainingConfig) -> None:
    # A run of an older newsacts does not name the keys that came later: they had their default values.
    before = json.loads(parse_config(before, origin="the unfinished run").model_dump_json())
    now = json.loads(config.model_dump_json())
    changed = sorted(key for key in now | before if before.get(key) != now.get(key))
    if changed:
        raise ConfigError(
            f"the unfinished run had another config: {', '.join(changed)} differ; resume with the same config, or "
            "choose another output.folder"
        )

"""Training runs of the tiny world, for the tests of training."""

import json
from pathlib import Path
from typing import Any

from newsacts.checkpoint import Checkpoint
from newsacts.training.config import TrainingConfig, parse_config
from newsacts.training.run import train
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

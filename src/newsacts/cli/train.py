"""`newsacts train`: a config in, a checkpoint out."""

import sys
from typing import Annotated

import typer

from newsacts.cli.output import format_figure, format_interval, show_choices, tell


def train(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="YAML file; see configs/ and docs/training.md.")],
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a key, dotted; may be repeated."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped or killed.")] = False,
) -> None:
    """Train a classifier on labelled sentences, calibrate it, score it, and save the checkpoint.

    Examples:

        newsacts train configs/default.yaml

        newsacts train configs/default.yaml --set optimization.epochs=2 --set output.folder=runs/quick

        newsacts train configs/default.yaml --resume

        torchrun --nproc-per-node 4 scripts/train.py configs/default.yaml
    """
    from newsacts.training.config import load_config

    # The config is checked before torch is loaded: a mistyped key should not cost a wait.
    parsed = load_config(config, overrides or [])
    from newsacts.training.run import train as run_training

    show_choices()
    checkpoint = run_training(parsed, resume=resume, quiet=not sys.stderr.isatty())
    if checkpoint is not None:
        dev = checkpoint.facts.scores["dev"]
        interval = format_interval(dev["macro_f1_interval"])
        how = checkpoint.facts.scores["how"]
        tell(f"macro-F1 on dev {format_figure(dev['macro_f1'])} (95 % interval over articles {interval}); {how}")
        typer.echo(checkpoint.folder)

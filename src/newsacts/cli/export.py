"""`newsacts export`: a checkpoint in other forms."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsacts.cli.options import ModelOption
from newsacts.cli.output import tell
from newsacts.errors import UsageError

if TYPE_CHECKING:
    from newsacts.checkpoint import Checkpoint


class ExportFormat(StrEnum):
    """What to export to."""

    transformers = "transformers"
    onnx_int8 = "onnx-int8"


def export(
    output: Annotated[Path, typer.Option("--output", help="New or empty folder to write.")],
    model: ModelOption = None,
    export_format: Annotated[
        ExportFormat,
        typer.Option(
            "--format",
            help="transformers: for plain pipeline('text-classification'). onnx-int8: a checkpoint with its CPU graph.",
        ),
    ] = ExportFormat.transformers,
    data: Annotated[
        Path | None, typer.Option("--data", help="onnx-int8: labelled file to measure the loss on. Default: our own.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="onnx-int8: write even where over 1 % of the sentences change labels.")
    ] = False,
) -> None:
    """Write a checkpoint for plain transformers, or with an int8 graph for CPUs, and compare its probabilities.

    For transformers they are those before calibration, and must be the same; newsacts.json holds the calibration.
    For onnx-int8, parity.json tells how many sentences get other labels than in float32, and macro-F1 in both.

    Examples:

        newsacts export --output runs/plain

        python -c "from transformers import pipeline;
        print(pipeline('text-classification', model='runs/plain', top_k=None, truncation=True)('We regret this.'))"

        newsacts export --format onnx-int8 --output runs/int8 --data dev.jsonl

        newsacts classify --model runs/int8 "We regret this."
    """
    from newsacts.checkpoint import open_checkpoint
    from newsacts.classifier import find_checkpoint_folder

    checkpoint = open_checkpoint(find_checkpoint_folder(model))
    if export_format is ExportFormat.onnx_int8:
        _export_onnx(checkpoint, output, data=data, force=force)
        typer.echo(output)
        return
    if data is not None or force:
        raise UsageError("--data and --force belong to --format onnx-int8; leave them out for transformers")
    from newsacts.training.export import export_transformers

    parity = export_transformers(checkpoint, output)
    tell(
        f"{export_format.value}: {parity.sentences} sentences compared, largest difference in probability "
        f"{parity.largest_difference:.1e}"
    )
    typer.echo(output)


def _export_onnx(checkpoint: "Checkpoint", output: Path, *, data: Path | None, force: bool) -> None:
    from newsacts.data.loaders import load_examples
    from newsacts.training.export_onnx import describe, export_onnx

    examples = None if data is None else load_examples(str(data), checkpoint.facts.scheme).examples
    tell(f"onnx-int8: {describe(export_onnx(checkpoint, output, examples=examples, force=force))}")

"""`newsacts export`: a checkpoint in other forms."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from newsacts.cli.options import ModelOption
from newsacts.cli.output import tell


class ExportFormat(StrEnum):
    """What to export to."""

    transformers = "transformers"


def export(
    output: Annotated[Path, typer.Option("--output", help="New or empty folder to write.")],
    model: ModelOption = None,
    export_format: Annotated[
        ExportFormat, typer.Option("--format", help="transformers: for plain pipeline('text-classification').")
    ] = ExportFormat.transformers,
) -> None:
    """Write a checkpoint for use without newsacts, and check that its probabilities are the same.

    The exported probabilities are those before calibration; newsacts.json holds the calibration.

    Example:

        newsacts export --output runs/plain

        python -c "from transformers import pipeline;
        print(pipeline('text-classification', model='runs/plain', top_k=None, truncation=True)('We regret this.'))"
    """
    from newsacts.checkpoint import open_checkpoint
    from newsacts.classifier import find_checkpoint_folder
    from newsacts.training.export import export_transformers

    checkpoint = open_checkpoint(find_checkpoint_folder(model))
    parity = export_transformers(checkpoint, output)
    tell(
        f"{export_format.value}: {parity.sentences} sentences compared, largest difference in probability "
        f"{parity.largest_difference:.1e}"
    )
    typer.echo(output)

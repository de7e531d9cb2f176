"""`newsacts evaluate`: a model and labelled sentences in, scores out."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer
from rich.console import Console
from rich.table import Table

from newsacts.cli.options import DeviceOption, DtypeOption, ModelOption, OnErrorOption, StrictOption, VerboseOption
from newsacts.cli.output import format_figure, format_interval, show_choices, tell
from newsacts.errors import UsageError


def evaluate(
    data: Annotated[list[str], typer.Option("--data", help="Labelled file; may be repeated. See docs/data-format.md.")],
    model: ModelOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Folder for scores.json, worst_errors.jsonl and rejects.")
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Only rows that name this split; default: all rows.")
    ] = None,
    wire: Annotated[
        bool, typer.Option("--wire", help="Score a lower-cased tokenised copy of the sentences instead.")
    ] = False,
    worst: Annotated[int, typer.Option("--worst", help="How many of the worst errors to keep.", min=0)] = 100,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    on_error: OnErrorOption = "raise",
    strict: StrictOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Score a model on labelled sentences, with intervals over articles.

    Examples:

        newsacts evaluate --data labelled.jsonl

        newsacts evaluate --model runs/mine --data test.csv --output runs/mine-scores
    """
    from dataclasses import replace

    from newsacts.classifier import Classifier
    from newsacts.data.loaders import load_examples, write_rejects
    from newsacts.evaluation.run import evaluate as run_evaluation
    from newsacts.registers import to_wire

    if on_error not in {"raise", "skip"}:
        raise UsageError(f"--on-error is {on_error!r}, expected raise or skip")
    if output is not None and output.exists() and not output.is_dir():
        raise UsageError(f"--output {output} is a file, expected a folder")
    if verbose:
        show_choices()
    classifier = Classifier.from_pretrained(model, device=device, dtype=dtype)
    examples, rejects = [], []
    for name in data:
        loaded = load_examples(name, classifier.scheme, on_error=cast(Literal["raise", "skip"], on_error), split=split)
        examples += loaded.examples
        rejects += loaded.rejects
    if wire:
        examples = [replace(example, text=to_wire(example.text)) for example in examples]
    report = run_evaluation(classifier, examples, worst=worst)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        scores = json.dumps(report.scores, indent=2, ensure_ascii=False)
        (output / "scores.json").write_text(scores + "\n", encoding="utf-8")
        errors = "".join(json.dumps(error, ensure_ascii=False) + "\n" for error in report.worst_errors)
        (output / "worst_errors.jsonl").write_text(errors, encoding="utf-8")
        write_rejects(rejects, output / "rejects.jsonl")
    print_scores(report.scores)
    if rejects:
        tell(f"{len(rejects)} rows were left out, the first: row {rejects[0].row}: {rejects[0].reason}")
    if rejects and strict:
        raise typer.Exit(1)


def print_scores(scores: dict[str, Any]) -> None:
    """Print scores as a table."""
    table = Table(box=None)
    table.add_column("label")
    columns = ("support", "precision", "recall", "F1", "95 % interval", "average precision", "calibration error")
    for name in columns:
        table.add_column(name, justify="right")
    for label, row in scores["labels"].items():
        figures = [format_figure(row[key]) for key in ("precision", "recall", "f1")]
        rest = [format_figure(row["average_precision"]), format_figure(row["calibration_error"])]
        table.add_row(label, str(row["support"]), *figures, format_interval(row["f1_interval"]), *rest)
    table.add_section()
    for key in ("macro", "micro"):
        interval = format_interval(scores[f"{key}_f1_interval"])
        table.add_row(f"{key}-F1", "", "", "", format_figure(scores[f"{key}_f1"]), interval, "", "")
    console = Console()
    console.print(table)
    rate = scores["no_label_rate"]
    console.print(
        f"{scores['sentences']} sentences of {scores['articles']} articles; exact match "
        f"{format_figure(scores['exact_match'])}; without a label: gold {format_figure(rate['gold'])}, "
        f"predicted {format_figure(rate['predicted'])}"
    )

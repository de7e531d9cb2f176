"""`newsacts evaluate`: a model and labelled sentences in, scores out: a table, JSON, and a page to read."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from newsacts.cli.decisions import PrecisionOption, PriorOption, RecallOption, adjust_decisions, check_decisions
from newsacts.cli.options import (
    BackendOption,
    DeviceOption,
    DtypeOption,
    ModelOption,
    OnErrorOption,
    StrictOption,
    VerboseOption,
)
from newsacts.cli.output import format_figure, format_interval, show_choices, tell
from newsacts.errors import UsageError

if TYPE_CHECKING:
    from newsacts.data.tables import Reject
    from newsacts.evaluation.run import EvaluationReport
    from newsacts.labels import LabelScheme
    from newsacts.records import Example


def evaluate(
    data: Annotated[list[str], typer.Option("--data", help="Labelled file; may be repeated. See docs/data-format.md.")],
    model: ModelOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", help="Folder for evaluation.html, evaluation.json, scores.json, worst_errors.jsonl, rejects."
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Only rows that name this split; default: all rows.")
    ] = None,
    wire: Annotated[
        bool, typer.Option("--wire", help="Score a lower-cased tokenised copy of the sentences instead.")
    ] = False,
    worst: Annotated[int, typer.Option("--worst", help="How many of the worst errors to keep.", min=0)] = 100,
    slice_by: Annotated[
        list[str] | None,
        typer.Option("--slice-by", help="Column of the data to score by part, beside length and register; repeatable."),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(
            "--compare",
            help="A second model: differences with intervals, and what flipped. --precision, --recall and --prior hold "
            "for both.",
        ),
    ] = None,
    precision: PrecisionOption = None,
    recall: RecallOption = None,
    prior: PriorOption = None,
    backend: BackendOption = "auto",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    on_error: OnErrorOption = "raise",
    strict: StrictOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Score a model on labelled sentences, with intervals over articles.

    With --output also a page with curves, a threshold explorer, slices and the worst errors, and the figures as JSON.

    Examples:

        newsacts evaluate --data labelled.jsonl

        newsacts evaluate --model runs/mine --data test.csv --output runs/mine-scores

        newsacts evaluate --data test.jsonl --slice-by outlet --compare runs/mine --output scores
    """
    from newsacts.classifier import Classifier
    from newsacts.evaluation.run import evaluate as run_evaluation
    from newsacts.evaluation.slices import BUILT_IN

    if on_error not in {"raise", "skip"}:
        raise UsageError(f"--on-error is {on_error!r}, expected raise or skip")
    if output is not None and output.exists() and not output.is_dir():
        raise UsageError(f"--output {output} is a file, expected a folder")
    check_decisions(precision, recall, prior)
    if verbose:
        show_choices()

    def open_model(name: str | None) -> Classifier:
        opened = Classifier.from_pretrained(name, backend=backend, device=device, dtype=dtype)
        return adjust_decisions(opened, precision=precision, recall=recall, prior=prior)

    classifier = open_model(model)
    other = None if compare is None else open_model(compare)
    slices = tuple(dict.fromkeys((*BUILT_IN, *(slice_by or ()))))
    source = _Source(split, wire, cast(Literal["raise", "skip"], on_error), slices[len(BUILT_IN) :])
    examples, rejects = _read_examples(data, classifier.scheme, source)
    report = run_evaluation(classifier, examples, worst=worst, slice_by=slices, compare=other)
    if output is not None:
        _write_report(report, rejects, [source.describe(name) for name in data], output)
    print_scores(report.scores)
    tell(f"computed by {report.model['computed']}")
    if report.comparison is not None:
        print_comparison(report.comparison)
    if rejects:
        tell(f"{len(rejects)} rows were left out, the first: row {rejects[0].row}: {rejects[0].reason}")
    if rejects and strict:
        raise typer.Exit(1)


class _Source(NamedTuple):
    """How to read the labelled files."""

    split: str | None
    wire: bool
    on_error: Literal["raise", "skip"]
    keep: tuple[str, ...]

    def describe(self, name: str) -> str:
        """A file as it was read, for the report."""
        split = "" if self.split is None else f", split {self.split}"
        return f"{name}{split}{', lower-cased tokenised copy' if self.wire else ''}"


def _read_examples(
    data: Sequence[str], scheme: "LabelScheme", source: _Source
) -> tuple[list["Example"], list["Reject"]]:
    from dataclasses import replace

    from newsacts.data.loaders import ColumnMap, load_examples
    from newsacts.registers import to_wire

    examples, rejects = [], []
    columns = ColumnMap(keep=source.keep)
    for name in data:
        loaded = load_examples(name, scheme, on_error=source.on_error, columns=columns, split=source.split)
        examples += loaded.examples
        rejects += loaded.rejects
    if source.wire:
        examples = [replace(example, text=to_wire(example.text)) for example in examples]
    return examples, rejects


def _write_report(report: "EvaluationReport", rejects: Sequence["Reject"], data: Sequence[str], output: Path) -> None:
    from newsacts.data.loaders import write_rejects
    from newsacts.report.evaluation_page import render_evaluation
    from newsacts.report.page import write_page

    output.mkdir(parents=True, exist_ok=True)
    _write_json(output / "scores.json", report.scores)
    _write_json(output / "evaluation.json", report.to_json() | {"data": list(data)})
    _write_lines(output / "worst_errors.jsonl", report.worst_errors)
    if report.comparison is not None:
        _write_lines(output / "flips.jsonl", report.comparison["flips"])
    write_rejects(rejects, output / "rejects.jsonl")
    write_page(output / "evaluation.html", render_evaluation(report, data=data))


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


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
        table.add_row(Text(label), str(row["support"]), *figures, format_interval(row["f1_interval"]), *rest)
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


def print_comparison(comparison: dict[str, Any]) -> None:
    """Print how the second model differs from the first."""
    title = Text(f"{comparison['model']['folder']} against the model above")
    table = Table(box=None, title=title, title_justify="left")
    table.add_column("F1")
    for name in ("first", "second", "difference", "95 % interval", "second better"):
        table.add_column(name, justify="right")
    rows = [*comparison["labels"].items(), ("macro-F1", comparison["macro_f1"]), ("micro-F1", comparison["micro_f1"])]
    for name, row in rows:
        if row is None:
            table.add_row(Text(name), *["–"] * 5)
            continue
        figures = [format_figure(row["first"]), format_figure(row["second"]), f"{row['difference']:+.3f}"]
        better = "–" if row["second_better"] is None else f"{row['second_better']:.0%} of resamples"
        table.add_row(Text(name), *figures, format_interval(row["interval"]), better)
    console = Console()
    console.print(table)
    console.print(f"decisions that flipped: {comparison['mended']} mended, {comparison['broken']} broken")

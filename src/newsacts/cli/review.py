"""`newsacts review`: sentences of a run to check by hand, and what the filled sheet says."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from newsacts.cli.output import tell
from newsacts.errors import UsageError

if TYPE_CHECKING:
    from newsacts.review import Review

review_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Draw sentences of a bulk run to check by hand, and use the filled sheet.",
)

RunArgument = Annotated[Path, typer.Argument(metavar="RUN_DIR", help="Folder that newsacts bulk wrote.")]


class Purpose(StrEnum):
    """What a sheet is for."""

    rates = "rates"
    training = "training"


@review_app.command()
def sample(
    run_dir: RunArgument,
    output: Annotated[Path, typer.Option("--output", help="Sheet to write: .csv or .jsonl; never overwritten.")],
    size: Annotated[int, typer.Option("--size", help="Sentences to draw.", min=1)] = 200,
    purpose: Annotated[
        Purpose,
        typer.Option("--for", help="rates: a random sample that corrects rates. training: what is worth labelling."),
    ] = Purpose.rates,
    seed: Annotated[int, typer.Option("--seed", help="Another seed draws other sentences.")] = 0,
) -> None:
    """Write a sheet of sentences to label by hand.

    Fill the column labels: names joined by |, or none. For rates, sentences are drawn at random by bands of
    probability, and every row must be filled. For training, sentences are those that the model is unsure of and that
    differ from each other; rows may stay empty. Beside the sheet stands SHEET.design.json, which apply needs.

    Examples:

        newsacts review sample labelled --output sheet.csv

        newsacts review sample labelled --output next.jsonl --for training --size 300
    """
    from newsacts.review import draw_for_rates, draw_for_training, write_sheet

    draw = draw_for_rates if purpose is Purpose.rates else draw_for_training
    design = draw(run_dir, size=size, seed=seed)
    tell(f"{len(design.rows)} sentences to label; how they were drawn stands in {write_sheet(design, output)}")
    typer.echo(output)


@review_app.command()
def apply(
    run_dir: RunArgument,
    sheet: Annotated[Path, typer.Argument(metavar="SHEET", help="The filled sheet.")],
    output: Annotated[
        Path | None, typer.Option("--output", help="File for newsacts report --review. Default: SHEET.review.json.")
    ] = None,
    training: Annotated[
        Path | None, typer.Option("--training", help="JSONL for newsacts train. Default: SHEET.train.jsonl.")
    ] = None,
    design: Annotated[
        Path | None, typer.Option("--design", help="The design of the sheet. Default: the one beside it.")
    ] = None,
) -> None:
    """Check a filled sheet; correct the rates of the run by it, and write it as labelled data.

    Faulty rows are named, all at once. From a sheet for training there are no rates.

    Examples:

        newsacts review apply labelled sheet.csv

        newsacts report labelled --review sheet.review.json --output report.html

        newsacts train my.yaml --set data.train='[mine.jsonl, sheet.train.jsonl]'
    """
    from newsacts.review import apply_sheet, find_design, write_review, write_training

    applied = apply_sheet(run_dir, sheet, design=design)
    if applied.review is None and output is not None:
        raise UsageError("--output is for rates, and this sheet was drawn for training; give --training")
    examples = training or sheet.with_name(f"{sheet.stem}.train.jsonl")
    target = output or sheet.with_name(f"{sheet.stem}.review.json")
    _require_other_files((examples, target), (sheet, design or find_design(sheet)))
    write_training(applied.examples, examples)
    if applied.empty_rows:
        tell(f"{len(applied.empty_rows)} rows have no label yet and were left out")
    if applied.review is not None:
        write_review(applied.review, target)
        _print_rates(run_dir, applied.review)
        typer.echo(target)
    typer.echo(examples)


def _require_other_files(written: tuple[Path, ...], read: tuple[Path, ...]) -> None:
    for path in written:
        if path.resolve() in {one.resolve() for one in read}:
            raise UsageError(f"{path} would replace the sheet or its design; choose another name")


def _print_rates(run_dir: Path, review: "Review") -> None:
    from newsacts.bulk.finished import open_run
    from newsacts.review import estimate_rates

    total = open_run(run_dir).tally.total
    table = Table(box=None)
    for name in ("label", "as counted", "corrected", "95 % interval"):
        table.add_column(name, justify="left" if name == "label" else "right")
    for (name, one), count in zip(estimate_rates(review).items(), total.labels, strict=True):
        ends = "–" if one.low is None or one.high is None else f"{one.low:.2%} to {one.high:.2%}"
        table.add_row(name, f"{count / total.sentences:.2%}", "–" if one.value is None else f"{one.value:.2%}", ends)
    Console(stderr=True).print(table)

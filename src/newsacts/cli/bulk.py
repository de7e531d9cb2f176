"""`newsacts bulk`: corpora in, a folder of labelled sentences out, resumable."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsacts.cli.options import DeviceOption, DtypeOption, ModelOption, StrictOption
from newsacts.cli.output import fail, show_choices, tell
from newsacts.cli.progress import format_duration, show_progress
from newsacts.errors import UsageError

if TYPE_CHECKING:
    from newsacts.bulk import BulkResult
    from newsacts.bulk.estimate import Estimate
    from newsacts.bulk.plan import Plan

STOPPED = 130


class TableFormat(StrEnum):
    """How sentences are written."""

    parquet = "parquet"
    jsonl = "jsonl"
    csv = "csv"


def bulk(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT...", help="Files, folders, globs, URLs; - is standard input.")
    ],
    output: Annotated[
        Path, typer.Option("--output", help="Folder to write: new, or of the same run, to go on with it.")
    ],
    table_format: Annotated[TableFormat, typer.Option("--format", help="Format of the tables.")] = TableFormat.parquet,
    limit: Annotated[int | None, typer.Option("--limit", help="End after so many articles.", min=1)] = None,
    resume: Annotated[bool, typer.Option(help="Go on where a run of the same plan was stopped.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print plan and estimated time, write nothing.")] = False,
    articles: Annotated[bool, typer.Option("--articles", help="Also write one row an article.")] = False,
    near_duplicates: Annotated[
        bool, typer.Option("--near-duplicates", help="Also mark near-duplicate articles by a cluster.")
    ] = False,
    text_field: Annotated[str | None, typer.Option(help="Column of the text. Default: text, body or content.")] = None,
    title_field: Annotated[str | None, typer.Option(help="Column of the title. Default: title or headline.")] = None,
    date_field: Annotated[str | None, typer.Option(help="Default: date, published or published_at.")] = None,
    source_field: Annotated[str | None, typer.Option(help="Default: source or outlet.")] = None,
    id_field: Annotated[str | None, typer.Option(help="Default: id or url; without one, file name and row.")] = None,
    keep: Annotated[list[str] | None, typer.Option(help="Column to pass through; may be repeated.")] = None,
    input_format: Annotated[
        str | None, typer.Option(help="jsonl, csv, tsv, txt, parquet or arrow, whatever the names say.")
    ] = None,
    separator: Annotated[
        str | None, typer.Option(help="Line that parts the articles of a text file. Default: a file is one article.")
    ] = None,
    shard_articles: Annotated[
        int, typer.Option(help="Articles an output file holds, and a kill may cost.", min=1)
    ] = 100,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    strict: StrictOption = False,
) -> None:
    """Classify corpora of any size into a folder; the same command goes on where it was stopped.

    Reads JSONL, CSV, TSV, Parquet, Arrow, datasets folders and text, plain, compressed, in zip or tar. Bad rows go to
    the folder's `rejects` with file, row and reason, and stop nothing. Memory does not grow with the corpus.

    Examples:

        newsacts bulk archive/ --output labelled

        newsacts bulk 'archive/2017-*.jsonl.gz' --output labelled --articles --near-duplicates

        newsacts bulk stories.csv --text-field story --keep section --output labelled --format csv

        newsacts bulk archive/ --output labelled --dry-run

        zcat stories.jsonl.gz | newsacts bulk - --output labelled
    """
    from newsacts.bulk import BulkSettings, FieldNames, classify_corpus
    from newsacts.bulk.estimate import estimate_run
    from newsacts.bulk.plan import make_plan
    from newsacts.bulk.run import check_settings, open_inputs
    from newsacts.classifier import Classifier

    settings = BulkSettings(
        fields=FieldNames(text=text_field, title=title_field, date=date_field, source=source_field, id=id_field),
        keep=tuple(keep or ()),
        input_format=input_format,
        separator=separator,
        output_format=table_format.value,
        articles=articles,
        near_duplicates=near_duplicates,
        limit=limit,
        shard_articles=shard_articles,
    )
    # Before the model is loaded: a mistyped name should not cost a wait.
    found = open_inputs(inputs, settings, exclude=output)
    if not resume and (output / "plan.json").exists():
        raise UsageError(f"{output}: holds a run already and --no-resume was asked for; choose a new folder")
    show_choices()
    classifier = Classifier.from_pretrained(model, device=device, dtype=dtype)
    if dry_run:
        check_settings(settings, classifier)
        plan = make_plan(found, settings, classifier)
        _print_plan(plan, estimate_run(found, plan, settings, classifier), classifier.scheme.names)
        return
    try:
        with show_progress(classifier.scheme.names) as on_progress:
            show_choices()  # again, since the bar has taken standard error over
            result = classify_corpus(inputs, output, classifier=classifier, settings=settings, on_progress=on_progress)
    except KeyboardInterrupt as stop:
        fail(str(stop), code=STOPPED)
    _tell_result(result, classifier.scheme.names)
    typer.echo(result.folder)
    if result.rejected and strict:
        raise typer.Exit(1)


def _tell_result(result: "BulkResult", names: tuple[str, ...]) -> None:
    total = result.tally.total
    found = ", ".join(f"{name} {count:,}" for name, count in zip(names, total.labels, strict=True))
    tell(f"{result.articles:,} articles, {result.sentences:,} sentences: {found}, no label {total.unlabelled:,}")
    if result.rejected:
        tell(f"{result.rejected:,} rows were rejected; file, row and reason are in {result.folder / 'rejects'}")


def _print_plan(plan: "Plan", estimate: "Estimate", names: tuple[str, ...]) -> None:
    files = plan.files
    typer.echo(f"input: {files['files']:,} files, {files['bytes']:,} bytes")
    for label, size in files["first_files"][:10]:
        typer.echo(f"  {label}: {'a stream' if size is None else f'{size:,} bytes'}")
    if files["files"] > len(files["first_files"][:10]):
        typer.echo(f"  and {files['files'] - 10:,} more")
    for role, choices in estimate.choices.items():
        for choice in choices:
            typer.echo(f"{role}: {choice.value} ({choice.reason})")
    typer.echo(f"labels: {', '.join(names)}")
    typer.echo(f"plan: {plan.id}")
    typer.echo(
        f"probe: {estimate.probed_articles:,} articles, {estimate.probed_sentences:,} sentences, "
        f"{estimate.rejected:,} rows rejected; {estimate.sentences_a_second:,.0f} sentences a second"
    )
    if estimate.articles is None or estimate.seconds is None:
        typer.echo("estimate: none, the size of the input is not known")
        return
    about = "" if estimate.exact else "about "
    typer.echo(
        f"estimate: {about}{estimate.articles:,} articles, {about}{estimate.sentences:,} sentences, "
        f"{format_duration(estimate.seconds)}"
    )

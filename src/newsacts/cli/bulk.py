"""`newsacts bulk`: corpora in, a folder of labelled sentences out, resumable."""

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsacts.cli.decisions import PrecisionOption, PriorOption, RecallOption, adjust_decisions, check_decisions
from newsacts.cli.options import (
    BackendOption,
    CascadeOption,
    CodesOption,
    DeviceOption,
    DtypeOption,
    ModelOption,
    StrictOption,
)
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


class Engine(StrEnum):
    """What runs the work."""

    local = "local"
    ray = "ray"


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
    engine: Annotated[
        Engine, typer.Option(help="local: this process. ray: worker processes, also of many machines.")
    ] = Engine.local,
    address: Annotated[
        str | None,
        typer.Option(help="With --engine ray: cluster to join, auto or host:6379. Default: one of its own, here."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="With --engine ray: worker processes. Default: as many as fit.", min=1)
    ] = None,
    worker_cpus: Annotated[float, typer.Option(help="With --engine ray: CPUs a worker takes.")] = 1,
    worker_gpus: Annotated[
        float, typer.Option(help="With --engine ray: GPUs a worker takes; 0.5 lets two share one.")
    ] = 0,
    model: ModelOption = None,
    precision: PrecisionOption = None,
    recall: RecallOption = None,
    prior: PriorOption = None,
    codes: CodesOption = None,
    backend: BackendOption = "auto",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    cascade: CascadeOption = "off",
    strict: StrictOption = False,
) -> None:
    """Classify corpora of any size into a folder; the same command goes on where it was stopped.

    Reads JSONL, CSV, TSV, Parquet, Arrow, datasets folders and text, plain, compressed, in zip or tar. Bad rows go to
    the folder's `rejects` with file, row and reason, and stop nothing. Memory does not grow with the corpus.

    Examples:

        newsacts bulk archive/ --output labelled

        newsacts bulk 'archive/2017-*.jsonl.gz' --output labelled --articles --near-duplicates

        newsacts bulk stories.csv --text-field story --keep section --output labelled --format csv

        newsacts bulk archive/ --output labelled --codes cameo

        newsacts bulk archive/ --output labelled --cascade safe

        newsacts bulk archive/ --output labelled --dry-run

        zcat stories.jsonl.gz | newsacts bulk - --output labelled

        newsacts bulk archive/ --output labelled --engine ray --workers 4

        newsacts bulk s3://news/2017/ --output labelled --engine ray --address auto --worker-gpus 0.5
    """
    from newsacts.bulk import BulkResult, BulkSettings, FieldNames, classify_corpus
    from newsacts.bulk.estimate import estimate_run
    from newsacts.bulk.job import make_job, open_inputs
    from newsacts.classifier import Classifier

    settings = BulkSettings(
        fields=FieldNames(text=text_field, title=title_field, date=date_field, source=source_field, id=id_field),
        keep=tuple(keep or ()),
        input_format=input_format,
        separator=separator,
        output_format=table_format.value,
        articles=articles,
        near_duplicates=near_duplicates,
        codes=None if codes is None else codes.value,
        limit=limit,
        shard_articles=shard_articles,
    )
    check_decisions(precision, recall, prior)
    # Before the model is loaded: a mistyped name should not cost a wait.
    found = open_inputs(inputs, settings, exclude=output)
    if not resume and (output / "plan.json").exists():
        raise UsageError(f"{output}: holds a run already and --no-resume was asked for; choose a new folder")
    options = {"backend": backend, "device": device, "dtype": dtype, "cascade": cascade}
    pool: dict[str, Any] = {"address": address, "count": workers, "cpus": worker_cpus, "gpus": worker_gpus}
    if engine is Engine.local and pool != {"address": None, "count": None, "cpus": 1, "gpus": 0}:
        raise UsageError("--address, --workers, --worker-cpus and --worker-gpus are for --engine ray; add it")
    adjust = partial(adjust_decisions, precision=precision, recall=recall, prior=prior)
    show_choices()
    run: Callable[..., BulkResult]
    if engine is Engine.ray and not dry_run:
        from newsacts.bulk.ray_cluster import Workers
        from newsacts.bulk.ray_data import classify_corpus_on_ray, open_without_model

        classifier = adjust(open_without_model(model))
        crew = Workers(model=model, options=options, calibration=classifier.calibration, **pool)
        run = partial(classify_corpus_on_ray, workers=crew)
    else:
        classifier = adjust(Classifier.from_pretrained(model, **options))
        run = partial(classify_corpus, classifier=classifier)
    if dry_run:
        job = make_job(found, settings, classifier)
        _print_plan(job.plan, estimate_run(job.inputs, job.plan, settings, classifier), classifier.scheme.names)
        return
    try:
        with show_progress(classifier.scheme.names) as on_progress:
            show_choices()  # again, since the bar has taken standard error over
            result = run(inputs, output, settings=settings, on_progress=on_progress)
    except KeyboardInterrupt as stop:
        fail(str(stop) or "stopped; run the same command again to go on", code=STOPPED)
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

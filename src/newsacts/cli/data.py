"""`newsacts data`: audit labelled data, count what is in it, and join shipped labels with one's own texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from newsacts.cli.data_output import ReportFormat, make_parts_table, print_join, print_jsonl, print_report
from newsacts.cli.output import tell
from newsacts.errors import DataError, UsageError
from newsacts.labels import DEFAULT_SCHEME, LabelScheme

if TYPE_CHECKING:
    from newsacts.data.standoff import StandoffLabel

data_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Audit labelled data, count what is in it, and join the shipped labels with texts that you have.",
)


FilesArgument = Annotated[list[str], typer.Argument(metavar="FILE...", help="Labelled files; see docs/data-format.md.")]
LabelsOption = Annotated[
    str | None, typer.Option("--labels", help="The labels of the task, parted by commas. Default: the four acts.")
]
ExclusiveOption = Annotated[bool, typer.Option("--exclusive", help="Each row has exactly one of --labels.")]
AnyLabelOption = Annotated[bool, typer.Option("--any-label", help="Any label is good, and rows need none.")]
TextColumnOption = Annotated[
    str, typer.Option("--text-column", help="Column of the text; a number (from 1) where the table has no header.")
]
LabelsColumnOption = Annotated[str, typer.Option("--labels-column", help="Column of the labels, or its number.")]
IdColumnOption = Annotated[str | None, typer.Option("--id-column", help="Column of the id.")]
GroupColumnOption = Annotated[str | None, typer.Option("--group-column", help="Column of the article or group.")]
SplitColumnOption = Annotated[str | None, typer.Option("--split-column", help="Column of the split.")]
ReportFormatOption = Annotated[
    ReportFormat, typer.Option("--format", help="table for people; jsonl for programs.", case_sensitive=False)
]


@data_app.command()
def check(
    files: FilesArgument,
    labels: LabelsOption = None,
    exclusive: ExclusiveOption = False,
    any_label: AnyLabelOption = False,
    text_column: TextColumnOption = "text",
    labels_column: LabelsColumnOption = "labels",
    id_column: IdColumnOption = None,
    group_column: GroupColumnOption = None,
    split_column: SplitColumnOption = None,
    against: Annotated[
        list[str] | None, typer.Option("--against", help="Benchmark to find shared texts with; may be repeated.")
    ] = None,
    against_column: Annotated[
        str | None, typer.Option("--against-column", help="Its text column, or number. Default: text or sentence.")
    ] = None,
    near: Annotated[float, typer.Option("--near", help="Share of equal word n-grams that makes texts near.")] = 0.7,
    near_words: Annotated[int, typer.Option("--near-words", help="Words in an n-gram.")] = 3,
    no_near: Annotated[bool, typer.Option("--no-near", help="Do not search near-duplicates.")] = False,
    model_check: Annotated[
        bool, typer.Option("--model-check", help="Also list labels that a cross-validated model doubts.")
    ] = False,
    show: Annotated[int, typer.Option("--show", help="Findings of each kind to show in the table.", min=0)] = 3,
    output_format: ReportFormatOption = ReportFormat.table,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with code 1 where faults were found.")] = False,
) -> None:
    """Look for what spoils training or makes scores too good. Nothing is changed.

    Faults are bad rows, unknown labels, equal texts with different labels, texts or groups in two splits, and texts
    shared with a benchmark. A row belongs to the split it names, or else to its file.

    Examples:

        newsacts data check train.jsonl dev.jsonl --strict

        newsacts data check mine.csv --labels praise,blame --against benchmark_test.tsv --against-column sentence

        newsacts data check train.tsv test.tsv --text-column 1 --labels-column 2 --any-label --format jsonl

        newsacts data check train.jsonl --model-check --no-near --show 20
    """
    from newsacts.data.audit import AuditOptions, audit
    from newsacts.data.loaders import ColumnMap

    options = AuditOptions(
        columns=ColumnMap(text_column, labels_column, id_column, group_column, split_column),
        benchmark_column=against_column,
        near=None if no_near else near,
        near_words=near_words,
        model_check=model_check,
    )
    scheme = _choose_scheme(labels, exclusive=exclusive, any_label=any_label)
    report = audit(files, scheme, benchmarks=against or (), options=options)
    if output_format is ReportFormat.jsonl:
        print_jsonl(
            {"kind": finding.kind, "fault": finding.is_fault, "places": finding.places, "detail": finding.detail}
            for finding in report.findings
        )
    else:
        print_report(report, show)
    if strict and report.faults:
        raise typer.Exit(1)


@data_app.command()
def stats(
    files: FilesArgument,
    labels: LabelsOption = None,
    exclusive: ExclusiveOption = False,
    any_label: AnyLabelOption = False,
    text_column: TextColumnOption = "text",
    labels_column: LabelsColumnOption = "labels",
    group_column: GroupColumnOption = None,
    split_column: SplitColumnOption = None,
    output_format: ReportFormatOption = ReportFormat.table,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with code 1 where rows were left out.")] = False,
) -> None:
    """Count sentences, groups and labels of each split.

    Examples:

        newsacts data stats train.jsonl dev.jsonl

        newsacts data stats foreign.tsv --text-column 1 --labels-column 2 --any-label

        newsacts data stats corpus.jsonl --format jsonl | jq '{part, rows, labels}'
    """
    from dataclasses import asdict

    from newsacts.data.audit_rows import read_audit_rows
    from newsacts.data.loaders import ColumnMap
    from newsacts.data.statistics import count_parts

    scheme = _choose_scheme(labels, exclusive=exclusive, any_label=any_label)
    columns = ColumnMap(text_column, labels_column, None, group_column, split_column)
    read = [read_audit_rows(name, scheme, columns) for name in files]
    rows = [row for rows, _ in read for row in rows]
    faults = [fault for _, faults in read for fault in faults]
    names = scheme.names if scheme else tuple(sorted({name for row in rows for name in row.labels or ()}))
    parts = count_parts(rows, names)
    if output_format is ReportFormat.jsonl:
        print_jsonl(asdict(part) for part in parts)
    else:
        Console().print(make_parts_table(parts))
    for fault in faults[:3]:
        tell(f"{fault.kind}: {fault.path}: row {fault.row}: {fault.reason}")
    if faults:
        tell(f"{len(faults)} rows are no good for training; newsacts data check lists them")
    if strict and faults:
        raise typer.Exit(1)


@data_app.command()
def join(
    output: Annotated[Path, typer.Option("--output", help="JSONL file to write: labels with their texts.")],
    sources: Annotated[
        list[str], typer.Option("--from", help="File (or folder) that holds the texts; may be repeated.")
    ],
    label_files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LABELS]...", help="Stand-off files, or names of shipped ones. Default: all shipped."),
    ] = None,
    dataset: Annotated[
        str, typer.Option("--dataset", help="How --from is published: isot, bbc_news, plv, conflibert; or any table.")
    ] = "any",
    text_column: Annotated[str, typer.Option("--text-column", help="With --dataset any: column of the text.")] = "text",
    labels: LabelsOption = None,
    unjoined: Annotated[
        Path | None, typer.Option("--unjoined", help="JSONL file for the labels that got no text, with reasons.")
    ] = None,
    output_format: ReportFormatOption = ReportFormat.table,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with code 1 where a label got no text.")] = False,
) -> None:
    """Give stand-off labels their texts back, from copies of the datasets that you have.

    Texts are found and verified by hash, so a changed text never gets a label. No network is used.

    Examples:

        newsacts data join real_train --dataset isot --from True.csv --output isot_train.jsonl

        newsacts data join real_train --dataset conflibert --from train.tsv --from dev.tsv --output suite.jsonl

        newsacts data join real_train --from pool.jsonl --output train.jsonl --unjoined missing.jsonl --strict
    """
    from newsacts.data import joins, standoff

    scheme = _choose_scheme(labels, exclusive=False, any_label=False) or DEFAULT_SCHEME
    paths = [standoff.find_standoff(name) for name in label_files or [str(p) for p in standoff.find_shipped_labels()]]
    everything = _merge([joins.read_standoff(path, scheme) for path in paths], paths)
    wanted = joins.select_dataset(everything, dataset)
    if not wanted:
        raise UsageError(f"none of the {len(everything)} labels is of --dataset {dataset}")
    texts = [
        text for name in sources for text in joins.read_source_texts(name, dataset=dataset, text_column=text_column)
    ]
    result = joins.join_labels(wanted, texts)
    if not result.examples:
        reasons = "; ".join(f"{count} times: {reason}" for reason, count in result.count_reasons().items())
        raise DataError(
            f"none of {len(wanted)} labels found its text in {len(texts)} texts ({reasons})", path=sources[0]
        )
    joins.write_examples(result.examples, wanted, output)
    if unjoined is not None:
        joins.write_unjoined(result, unjoined)
    print_join(result, wanted, output_format)
    if strict and (result.missing or result.mismatched):
        raise typer.Exit(1)


def _choose_scheme(labels: str | None, *, exclusive: bool, any_label: bool) -> LabelScheme | None:
    if any_label and (labels or exclusive):
        raise UsageError("--any-label takes every label as good: give it without --labels and --exclusive")
    if any_label:
        return None
    if labels is None and not exclusive:
        return DEFAULT_SCHEME
    if labels is None:
        raise UsageError("--exclusive is about the labels of --labels: give them, parted by commas")
    return LabelScheme(tuple(name.strip() for name in labels.split(",")), exclusive)


def _merge(read: Sequence[list["StandoffLabel"]], paths: Sequence[Path]) -> list["StandoffLabel"]:
    first_paths: dict[str, Path] = {}
    for labels, path in zip(read, paths, strict=True):
        for label in labels:
            if label.id in first_paths:
                raise DataError(f"the id {label.id!r} stands in {first_paths[label.id]} too", path=path)
            first_paths[label.id] = path
    return [label for labels in read for label in labels]

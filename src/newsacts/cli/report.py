"""`newsacts report`: a finished bulk run in, one HTML file out."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from newsacts.cli.output import tell
from newsacts.errors import UsageError


def report(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="Folder that newsacts bulk wrote.")],
    output: Annotated[Path, typer.Option("--output", help="HTML file to write.")] = Path("report.html"),
    by: Annotated[
        list[str] | None, typer.Option("--by", help="Column kept by bulk --keep to show rates by; may be repeated.")
    ] = None,
    review: Annotated[
        Path | None, typer.Option("--review", help="File of newsacts review apply, to correct the rates with.")
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option("--threshold", metavar="LABEL=P", help="Another threshold for a label; may be repeated."),
    ] = None,
    period: Annotated[
        str | None, typer.Option("--period", help="day, week, month or year. Default: what suits the span.")
    ] = None,
    date_order: Annotated[
        Literal["day", "month"] | None,
        typer.Option("--date-order", help="What stands first in dates like 03/04/2017. Default: they are undated."),
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="Title of the page.")] = None,
) -> None:
    """Show what a bulk run found: rates over time and by outlet with error bars, surprising days, sentences.

    One HTML file that needs no network. Rates are corrected for the classifier's errors where a sheet of checked
    sentences is given (newsacts review).

    Examples:

        newsacts report labelled --output report.html

        newsacts report labelled --by section --period month --output report.html

        newsacts report labelled --date-order day --output report.html

        newsacts report labelled --review sheet.review.json --threshold denial=0.6 --output report.html
    """
    from newsacts.report.corpus import CorpusOptions, build_corpus_report

    options = CorpusOptions(
        by=tuple(by or ()),
        thresholds=parse_thresholds(threshold or []),
        period=period,
        date_order=date_order,
        review=review,
        title=title,
    )
    written = build_corpus_report(run_dir, output, options=options)
    whole = written.views[0].whole
    tell(f"{whole.articles:,} articles, {whole.sentences:,} sentences, {written.path.stat().st_size / 1e6:.1f} MB")
    typer.echo(written.path)


def parse_thresholds(pairs: list[str]) -> dict[str, float]:
    """Options like "denial=0.6" as numbers by label. Raises `UsageError`."""
    thresholds = {}
    for pair in pairs:
        name, equals, value = pair.rpartition("=")
        try:
            thresholds[name] = float(value)
        except ValueError as error:
            raise UsageError(f"--threshold {pair!r}: expected LABEL=P with a number, such as denial=0.6") from error
        if not equals or not name:
            raise UsageError(f"--threshold {pair!r}: expected LABEL=P, such as denial=0.6")
    return thresholds

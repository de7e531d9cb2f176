"""The corpus report: what a bulk run found, over time and by outlet, with error bars, as one HTML file.

    from newsacts.report.corpus import CorpusOptions, build_corpus_report

    build_corpus_report("labelled", "report.html", options=CorpusOptions(by=("section",)))

Puts together what its neighbours make: `corpus_gather` reads, `corpus_rates` and `corpus_days` reckon, `corpus_views`
lays out, and the template shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from newsacts.bulk.finished import FinishedRun, open_run
from newsacts.dates import DATE_ORDERS, DateOrder
from newsacts.errors import DataError, UsageError
from newsacts.prevalence import METHODS
from newsacts.report.corpus_cascade import describe_cascade
from newsacts.report.corpus_dates import PERIODS
from newsacts.report.corpus_gather import Articles, gather
from newsacts.report.corpus_rates import ErrorSource, find_errors
from newsacts.report.corpus_views import View, ViewSettings, make_view, tell_missing
from newsacts.report.page import render_page, style_labels, write_page
from newsacts.review.estimates import read_review
from newsacts.review.values import Review


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusOptions:
    """What a report shows. Raises `UsageError` for nonsense.

    `by` names kept columns to show rates by; `thresholds` other thresholds for some labels; `period` is day, week,
    month or year, by default what suits the span; `date_order` says what stands first in dates like 03/04/2017, which
    without it have no place in time; `review` is the file that `newsacts review apply` wrote.
    """

    by: tuple[str, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)
    period: str | None = None
    date_order: DateOrder | None = None
    review: str | Path | None = None
    title: str | None = None

    def __post_init__(self) -> None:
        if self.period is not None and self.period not in PERIODS:
            raise UsageError(f"period {self.period!r} is unknown; expected {', '.join(PERIODS)}")
        if self.date_order not in (None, *DATE_ORDERS):
            raise UsageError(f"date order {self.date_order!r} is unknown; expected {' or '.join(DATE_ORDERS)}")
        for label, value in self.thresholds.items():
            if not 0 < value < 1:
                raise UsageError(f"the threshold of {label!r} must lie between 0 and 1, got {value:g}")


@dataclass(frozen=True, slots=True)
class CorpusReport:
    """A written report: the file, and its views (as printed; and each story once, where clusters are known)."""

    path: Path
    views: tuple[View, ...]


def build_corpus_report(
    run_dir: str | Path, output: str | Path, *, options: CorpusOptions | None = None
) -> CorpusReport:
    """Write the report of a finished bulk run to an HTML file.

    Raises `DataError` for a folder that is no finished run and for a review of another run, `UsageError` for an
    unknown label or column, for too many periods, and where the file cannot be written.
    """
    options = options or CorpusOptions()
    run = open_run(run_dir)
    thresholds = _choose_thresholds(run, options.thresholds)
    review = _open_review(run, options.review)
    errors = find_errors(run, thresholds, review)
    articles, strongest = gather(run, thresholds, by=options.by, order=options.date_order)
    views = _make_views(run, articles, errors, review, options)
    html = render_page(
        "corpus.html.j2",
        title=options.title or f"Corpus report: {run.folder.resolve().name}",
        run=_describe_run(run, thresholds),
        cascade=describe_cascade(run, articles),
        looks=style_labels(run.scheme.names),
        views=views,
        strongest=strongest,
        missing=tell_missing(articles),
        errors=None if errors is None else errors.kind,
        checked=None if review is None else len(review.design.rows),
        methods=METHODS,
    )
    return CorpusReport(write_page(output, html), views)


def _make_views(
    run: FinishedRun, articles: Articles, errors: ErrorSource | None, review: Review | None, options: CorpusOptions
) -> tuple[View, ...]:
    settings = ViewSettings(run.scheme.names, errors, options.period, options.by)
    views = [make_view("all", articles, settings, review=review)]
    if run.has_clusters:
        # The sheet was drawn from everything that was printed, so its own rate is of that alone.
        views.append(make_view("once", articles.select(articles.first), settings, review=None))
    return tuple(views)


def _choose_thresholds(run: FinishedRun, changed: Mapping[str, float]) -> tuple[float, ...]:
    if changed and run.scheme.exclusive:
        raise UsageError("an exclusive scheme has no thresholds: the most probable label wins")
    thresholds = list(run.thresholds)
    for label, value in changed.items():
        thresholds[run.scheme.index(label)] = value
    return tuple(thresholds)


def _open_review(run: FinishedRun, path: str | Path | None) -> Review | None:
    if path is None:
        return None
    review = read_review(path)
    if review.design.run != run.digest:
        raise DataError(
            f"this review is of another run than {run.folder}; draw and fill a sheet of this one", path=path
        )
    return review


def _describe_run(run: FinishedRun, thresholds: tuple[float, ...]) -> dict[str, Any]:
    manifest = run.manifest
    return {
        "folder": run.folder.resolve().name,
        "exclusive": run.scheme.exclusive,
        "thresholds": dict(zip(run.scheme.names, thresholds, strict=True)),
        "changed": [
            name for name, now, then in zip(run.scheme.names, thresholds, run.thresholds, strict=True) if now != then
        ],
        "articles": manifest["counts"]["articles"],
        "rejected": manifest["counts"]["rejected"],
        "checkpoint": manifest["checkpoint"],
        "newsacts": manifest["newsacts"],
        "ended": manifest["timings"]["ended"],
        "clusters": manifest["counts"]["near_duplicates"],
    }

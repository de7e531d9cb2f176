"""A view of a run: every plot and table for one way of counting, all articles or each story once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from newsacts.errors import UsageError
from newsacts.prevalence import METHODS, Estimate
from newsacts.report.corpus_dates import (
    NO_PERIOD,
    choose_period,
    mark_central,
    name_period,
    number_periods,
)
from newsacts.report.corpus_days import SHOWN, DayReport, SurprisingDay, find_surprising_days
from newsacts.report.corpus_gather import Articles
from newsacts.report.corpus_plots import Bar, Panel, choose_top, describe_rate, draw_bar, draw_panel, format_rate
from newsacts.report.corpus_rates import Cell, ErrorSource, Pair, pair_labels, rate_cells, rate_whole
from newsacts.report.corpus_tables import Download, list_cells, list_pairs, make_download
from newsacts.review.values import Review

MOST_GROUPS = 25
MOST_PERIODS = 2_500
DAY_COLUMNS = ("date", "label", "labelled_sentences", "expected", "sentences", "false_discovery_rate")
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ViewSettings:
    """What every view of a report shows: labels, errors of the classifier, the period (None: what suits), columns."""

    names: tuple[str, ...]
    errors: ErrorSource | None
    period: str | None
    by: tuple[str, ...]

    @property
    def measures(self) -> tuple[str, ...]:
        """The rates that parts of the run have."""
        return ("counted",) if self.errors is None else ("counted", "adjusted")


@dataclass(frozen=True, slots=True)
class Shown:
    """A rate as text, as percent, and as a bar."""

    text: str
    percent: str
    bar: Bar | None


@dataclass(frozen=True, slots=True)
class TimePlot:
    """Rates over time, of the periods that have articles. `panels` by measure (counted, adjusted), one a label, show
    those from `first` to `last`; so many articles lie `outside`. `texts[measure][cell][label]` says each rate."""

    period: str
    first: str
    last: str
    outside: int
    cells: tuple[Cell, ...]
    panels: Mapping[str, tuple[Panel, ...]]
    texts: Mapping[str, tuple[Mapping[str, str], ...]]
    download: Download


@dataclass(frozen=True, slots=True)
class GroupTable:
    """Rates by the values of a column, by measure, and label: `shown[measure][row][label]`."""

    column: str
    cells: tuple[Cell, ...]
    shown: Mapping[str, tuple[Mapping[str, Shown], ...]]
    download: Download


@dataclass(frozen=True, slots=True)
class View:
    """Everything that is shown for one way of counting. `key` is "all" or "once"."""

    key: str
    whole: Cell
    unlabelled: int
    measures: tuple[str, ...]
    methods: tuple[str, ...]
    cards: Mapping[str, Mapping[str, Shown]]
    download: Download
    time: TimePlot | None
    groups: tuple[GroupTable, ...]
    pairs: Mapping[str, tuple[Pair, ...]]
    pair_downloads: Mapping[str, Download]
    days: DayReport
    day_rows: tuple[Mapping[str, Any], ...]
    days_download: Download


def make_view(key: str, articles: Articles, settings: ViewSettings, *, review: Review | None) -> View:
    """All plots and tables of these articles. Raises `UsageError` for a period that is too short for their dates."""
    names, errors = settings.names, settings.errors
    whole = rate_whole(articles, names, errors, review)
    cards = {name: _show_card(whole, name) for name in names}
    pairs = {unit: tuple(pair_labels(articles, names, unit=unit)) for unit in ("sentence", "article")}
    days = find_surprising_days(articles, names)
    day_rows = tuple(_show_day(day) for day in days.days)
    columns = [name for name in articles.groups if name in settings.by or (articles.groups[name] >= 0).any()]
    return View(
        key=key,
        whole=whole,
        unlabelled=int(articles.unlabelled.sum()),
        measures=settings.measures,
        methods=tuple(method for method in METHODS if any(method in shown for shown in cards.values())),
        cards=cards,
        download=make_download(f"rates-{key}.csv", *list_cells([whole], "part")),
        time=_plot_time(key, articles, settings),
        groups=tuple(_tabulate(key, column, articles, settings) for column in columns),
        pairs=pairs,
        pair_downloads={
            unit: make_download(f"together-{unit}-{key}.csv", *list_pairs(found, unit)) for unit, found in pairs.items()
        },
        days=days,
        day_rows=day_rows[:SHOWN],
        days_download=make_download(f"surprising-days-{key}.csv", DAY_COLUMNS, [
            [row[name] for name in DAY_COLUMNS] for row in day_rows
        ]),
    )  # fmt: skip


def tell_missing(articles: Articles) -> dict[str, int]:
    """How many articles with sentences lack a date, a day in it, or a value of a column."""
    missing = {
        "date": int((articles.months < 0).sum()),
        "day": int(((articles.days < 0) & (articles.months >= 0)).sum()),
    }
    return missing | {column: int((codes < 0).sum()) for column, codes in articles.groups.items()}


def _show_card(whole: Cell, name: str) -> dict[str, Shown]:
    estimates = whole.rates[name].estimates
    top = choose_top(list(estimates.values()))
    return {method: _show(one, top) for method, one in estimates.items()}


def _show(estimate: Estimate | None, top: float) -> Shown:
    if estimate is None or estimate.value is None:
        return Shown("not known", "–", None)
    return Shown(describe_rate(estimate), format_rate(estimate.value), draw_bar(estimate, top))


def _plot_time(key: str, articles: Articles, settings: ViewSettings) -> TimePlot | None:
    central = mark_central(articles.months)
    grain = settings.period or choose_period(articles.days[central], articles.months[central])
    numbers = number_periods(articles.days, articles.months, grain)
    occupied = np.unique(numbers[numbers >= 0])
    if not len(occupied):
        return None
    # Again, of those that this grain knows: by day, an article that names its month alone has no place.
    central = mark_central(np.where(numbers >= 0, articles.months, NO_PERIOD))
    first, last = int(numbers[central].min()), int(numbers[central].max())
    if (length := max(last - first + 1, len(occupied))) > MOST_PERIODS:
        raise UsageError(f"the dates of the run make {length:,} {grain}s, {MOST_PERIODS:,} at most can be shown; "
                         "choose a longer period")  # fmt: skip
    places = np.where(numbers >= 0, np.searchsorted(occupied, numbers), -1)
    names = [name_period(number, grain) for number in occupied.tolist()]
    cells = rate_cells(articles, settings.names, places, names, errors=settings.errors)
    titles = [name_period(number, grain) for number in range(first, last + 1)]
    by_place = dict(zip((occupied - first).tolist(), cells, strict=True))
    panels = {
        measure: tuple(_draw_label(name, by_place, measure, titles) for name in settings.names)
        for measure in settings.measures
    }
    texts = {
        measure: tuple({name: _tell(cell, name, measure) for name in settings.names} for cell in cells)
        for measure in settings.measures
    }
    download = make_download(f"by-{grain}-{key}.csv", *list_cells(cells, grain))
    outside = int(((numbers < first) & (numbers >= 0) | (numbers > last)).sum())
    return TimePlot(grain, titles[0], titles[-1], outside, tuple(cells), panels, texts, download)


def _tell(cell: Cell, name: str, measure: str) -> str:
    estimate = cell.rates[name].estimates.get(measure)
    return "not known" if estimate is None else describe_rate(estimate)


def _draw_label(name: str, cells: Mapping[int, Cell], measure: str, titles: Sequence[str]) -> Panel:
    estimates = [
        cells[place].rates[name].estimates.get(measure) if place in cells else None for place in range(len(titles))
    ]
    # One scale for both measures would press the smaller one flat.
    return draw_panel(name, titles, estimates, top=choose_top(estimates))


def _tabulate(key: str, column: str, articles: Articles, settings: ViewSettings) -> GroupTable:
    cells, titles = _rank(articles, column)
    rated = rate_cells(articles, settings.names, cells, titles, errors=settings.errors)
    shown = {}
    for measure in settings.measures:
        tops = {
            name: choose_top([cell.rates[name].estimates.get(measure) for cell in rated]) for name in settings.names
        }
        shown[measure] = tuple(
            {name: _show(cell.rates[name].estimates.get(measure), tops[name]) for name in settings.names}
            for cell in rated
        )
    return GroupTable(column, tuple(rated), shown, make_download(f"by-{column}-{key}.csv", *list_cells(rated, column)))


def _rank(articles: Articles, column: str) -> tuple[IntArray, list[str]]:
    """Cells of a column: its values by their sentences, the largest first, then all others, then those without."""
    codes, values = articles.groups[column], articles.group_names[column]
    sizes = np.bincount(codes[codes >= 0], articles.sizes[codes >= 0], len(values))
    order = [place for place in np.argsort(-sizes, kind="stable").tolist() if sizes[place] > 0]
    ranked = np.full(len(values) + 1, min(len(order), MOST_GROUPS), dtype=np.int64)
    ranked[order[:MOST_GROUPS]] = np.arange(min(len(order), MOST_GROUPS))
    titles = [values[place] for place in order[:MOST_GROUPS]]
    if others := len(order) - len(titles):
        titles.append(f"{others:,} others together")
    cells = ranked[codes]
    if (codes < 0).any():
        cells = np.where(codes < 0, len(titles), cells)
        titles.append(f"without {column}")
    return cells, titles


def _show_day(day: SurprisingDay) -> dict[str, Any]:
    figures = (name_period(day.day, "day"), day.label, day.count, round(day.expected, 1), day.sentences)
    return dict(zip(DAY_COLUMNS, (*figures, round(day.discovery_rate, 5)), strict=True))

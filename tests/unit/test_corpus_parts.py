"""Claims about the parts of the corpus report: dates, days, plots and downloads."""

import base64
import csv
import io
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsacts.dates import DateOrder
from newsacts.prevalence import Estimate
from newsacts.report.corpus_dates import choose_period, find_date, mark_central, name_period, number_periods
from newsacts.report.corpus_days import find_surprising_days
from newsacts.report.corpus_gather import Articles
from newsacts.report.corpus_plots import choose_top, describe_rate, draw_panel
from newsacts.report.corpus_rates import pair_labels
from newsacts.report.corpus_tables import make_download
from newsacts.tally import UNDATED, find_month

START = date(2017, 1, 1).toordinal()


def make_articles(days: list[int], counts: list[list[int]], size: int = 20) -> Articles:
    found = np.asarray(counts, dtype=np.int64)
    number, labels = found.shape
    return Articles(
        sizes=np.full(number, size, dtype=np.int64), counts=found, sums=found.astype(np.float64),
        unlabelled=np.zeros(number, dtype=np.int64), discarded=np.zeros(number, dtype=np.int64),
        pairs=np.zeros((number, labels * (labels - 1) // 2), dtype=np.int64),
        first=np.ones(number, dtype=np.bool_), days=np.asarray(days, dtype=np.int64),
        months=np.full(number, 2017 * 12, dtype=np.int64), groups={}, group_names={},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2017-05-03", date(2017, 5, 3)), ("2017-05-03T09:30:00Z", date(2017, 5, 3)), ("20170503", date(2017, 5, 3)),
        ("May 3, 2017", date(2017, 5, 3)), ("December 31, 2017 ", date(2017, 12, 31)),
        ("Wed, 03 May 2017 10:15:00 GMT", date(2017, 5, 3)), ("3rd May 2017", date(2017, 5, 3)),
        ("25/12/2017", date(2017, 12, 25)), ("12/25/2017", date(2017, 12, 25)), ("5/5/2017", date(2017, 5, 5)),
        ("10pm 3 May 2017", date(2017, 5, 3)), ("10.30 a.m., 3 May 2017", date(2017, 5, 3)),
        ("Updated 5 min ago, 3 May 2017", date(2017, 5, 3)), ("10:15 3rd of May, 2017", date(2017, 5, 3)),
        ("May 3 2017 10pm", date(2017, 5, 3)), ("Wed May  3 10:15:00 GMT 2017", date(2017, 5, 3)),
        ("3 May 10.30 a.m. 2017", date(2017, 5, 3)), ("03-May-2017", date(2017, 5, 3)),
        ("2017-5-3", date(2017, 5, 3)), ("2017/5/3", date(2017, 5, 3)), ("2017-5-3 10:15", date(2017, 5, 3)),
        ("20170503120000", date(2017, 5, 3)), ("20170503T120000Z", date(2017, 5, 3)),
        ("3.5.2017", date(2017, 5, 3)), ("5.13.2017", date(2017, 5, 13)), ("25-12-2017", date(2017, 12, 25)),
    ],
)  # fmt: skip
def test_a_day_that_is_certain_is_read(written: str, day: date) -> None:
    assert find_date(written) == (day.toordinal(), day.year * 12 + day.month - 1)


@pytest.mark.parametrize("written", [
    None, "", "03/04/2017", "03-04-2017", "3/4.2017", "yesterday", "2017", "0001-01-01", "9999-12-31", "20170503990000",
    "1493769600", "13/13/2017",
])  # fmt: skip
def test_a_date_that_is_not_certain_has_no_day_and_no_month(written: str | None) -> None:
    assert find_date(written) == (-1, -1)


def test_a_month_alone_has_no_day() -> None:
    assert find_date("2017-05") == (-1, 2017 * 12 + 4)
    assert find_date("May 2017") == (-1, 2017 * 12 + 4)
    assert find_date("2017-04-31")[0] == -1
    assert find_date("10 May 3, 2017") == (-1, 2017 * 12 + 4)


@pytest.mark.parametrize(("order", "day"), [("day", date(2017, 4, 3)), ("month", date(2017, 3, 4))])
def test_the_order_settles_dates_that_could_be_two_days_and_no_others(order: DateOrder, day: date) -> None:
    for written in ("03/04/2017", "3-4-2017", "3.4.2017"):
        assert find_date(written, order)[0] == day.toordinal()
    for written in ("25/12/2017", "12/25/2017", "2017-12-25", "Dec 25, 2017"):
        assert find_date(written, order)[0] == date(2017, 12, 25).toordinal()


def test_a_wrong_date_is_not_in_the_time_that_a_run_is_about() -> None:
    months = np.asarray([12 * 2017 + row % 3 for row in range(150)])
    months[:3] = 12 * 1970, 12 * 2016 + 11, -1
    assert np.flatnonzero(~mark_central(months)).tolist() == [0, 2]


@given(st.lists(st.integers(12 * 1500, 12 * 2100), min_size=1, max_size=200))
def test_at_least_98_of_a_hundred_dated_articles_are_shown(found: list[int]) -> None:
    months = np.asarray(found)
    central = mark_central(months)
    assert central.mean() >= (1 if len(found) < 20 else 0.98 - 2 / len(found))
    assert mark_central(12 * 2017 + np.arange(len(found))).all()


@settings(deadline=None)
@given(st.text(alphabet="0123456789-/., MayTue:", max_size=20))
def test_months_are_those_of_the_tally(written: str) -> None:
    day, month = find_date(written)
    assert (month == -1) == (find_month(written) == UNDATED)
    if day != -1:
        assert date.fromordinal(day).strftime("%Y-%m") == find_month(written)


def test_the_period_suits_the_span() -> None:
    def choose(days: int) -> str:
        found = START + np.arange(0, days)
        return choose_period(found, np.asarray([12 * date.fromordinal(int(day)).year for day in found]))

    assert [choose(days) for days in (30, 200, 1_000, 9_000)] == ["day", "week", "month", "year"]
    assert choose_period(np.asarray([START, -1]), np.asarray([24_204, 24_204])) == "month"


@settings(deadline=None)
@given(st.dates(min_value=date(1500, 1, 1)), st.sampled_from(["day", "week", "month", "year"]))
def test_a_period_is_named_by_its_beginning(day: date, period: str) -> None:
    months = np.asarray([day.year * 12 + day.month - 1])
    number = int(number_periods(np.asarray([day.toordinal()]), months, period)[0])
    name = name_period(number, period)
    assert name <= day.isoformat()
    assert name_period(number + 1, period) > day.isoformat() or day.isoformat().startswith(name)
    if period == "week":
        assert date.fromisoformat(name).weekday() == 0


def test_a_day_far_from_its_neighbours_is_found_and_quiet_days_are_not() -> None:
    generator = np.random.default_rng(3)
    days = np.repeat(START + np.arange(120), 30)
    counts = generator.binomial(20, generator.beta(2, 38, len(days)))[:, None]
    quiet = find_surprising_days(make_articles(days.tolist(), counts.tolist()), ["act"])
    assert quiet.tested == 120
    assert len(quiet.days) <= 1
    counts[days == START + 60] *= 4
    (found, *_) = find_surprising_days(make_articles(days.tolist(), counts.tolist()), ["act"]).days
    assert (found.day, found.label) == (START + 60, "act")
    assert found.count > 2 * found.expected


def test_a_label_that_no_neighbour_has_can_be_surprising() -> None:
    days = np.repeat(START + np.arange(60), 10)
    counts = np.zeros((600, 1), dtype=np.int64)
    counts[days == START + 30] = 2
    (found,) = find_surprising_days(make_articles(days.tolist(), counts.tolist()), ["act"]).days
    assert (found.day, found.count) == (START + 30, 20)


def test_too_few_days_are_not_tested() -> None:
    assert find_surprising_days(make_articles([START, START + 1], [[1], [2]]), ["act"]).tested == 0
    assert find_surprising_days(make_articles([-1], [[1]]), ["act"]).tested == 0


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=150))
def test_every_drawn_point_is_inside_the_panel(rates: list[float | None]) -> None:
    estimates = [None if rate is None else Estimate("counted", rate, rate / 2, min(1, rate * 2)) for rate in rates]
    panel = draw_panel("act", [str(place) for place in range(len(rates))], estimates, top=choose_top(estimates))
    for point in (*panel.points, *panel.lone):
        assert 46 <= point.x <= 628
        assert all(10 <= value <= 164 for value in (point.y, point.low, point.high))
        assert point.high <= point.y <= point.low
    assert sum(path.count(",") for path in panel.lines) + len(panel.lone) == sum(rate is not None for rate in rates)


def test_a_gap_parts_the_line() -> None:
    one = Estimate("counted", 0.1, 0.05, 0.2)
    panel = draw_panel("act", list("abcde"), [one, one, None, one, one], top=0.5)
    assert len(panel.lines) == len(panel.bands) == 2


def test_a_rate_says_its_interval() -> None:
    assert describe_rate(Estimate("counted", 0.032, 0.021, 0.0451)) == "3.2 % (2.1 to 4.5)"
    assert describe_rate(Estimate("counted", 0.0032, None, None)) == "0.32 %"
    assert describe_rate(Estimate("counted", 0.000041, 0.0, 0.01)) == "0.0041 % (0.0 to 1.0)"
    assert describe_rate(Estimate("counted", None, None, None)) == "unknown"


def test_a_download_is_csv_whose_cells_no_spreadsheet_runs() -> None:
    rows: list[list[object]] = [["=HYPERLINK(1)", 0.5], ['a "b", \u202ec\u202c', -1], ["+1", "😀"]]
    download = make_download("x.csv", ["source", "@rate"], rows)
    prefix = "data:text/csv;charset=utf-8;base64,"
    assert download.address.startswith(prefix)
    text = base64.b64decode(download.address.removeprefix(prefix)).decode("utf-8-sig")
    read = list(csv.reader(io.StringIO(text)))
    assert read == [["source", "'@rate"], ["'=HYPERLINK(1)", "0.5"], ['a "b", \u202ec\u202c', "-1"], ["'+1", "😀"]]


def test_labels_that_always_go_together_have_a_lift_of_one_over_their_share() -> None:
    articles = make_articles([START] * 4, [[2, 2], [0, 0], [1, 1], [0, 0]])
    (pair,) = pair_labels(articles, ["praise", "blame"], unit="article")
    assert (pair.count, pair.share_of_first, pair.lift.value) == (2, 1.0, 2.0)
    assert pair_labels(articles, ["praise", "blame"], unit="sentence") == []

"""The time axis of a report: days, weeks, months and years by number, and what span and grain suit the articles.

Dates are read as the tally reads them (`newsacts.dates`), so that both count the same where no order is given.
"""

from datetime import date
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from newsacts.calibration import BoolArray
from newsacts.dates import DateOrder, read_date

PERIODS = ("day", "week", "month", "year")
DAYS_OF_DAYS, DAYS_OF_WEEKS, MONTHS_OF_MONTHS = 92, 731, 240
"""Corpora that span more are shown by week, by month, by year."""
OUTER, LEAST_REACH, FEWEST = 0.01, 3, 20
NO_PERIOD = -1
WEEK, YEAR = 7, 12

IntArray = npt.NDArray[np.int64]


@lru_cache(maxsize=65_536)
def find_date(written: str | None, order: DateOrder | None = None) -> tuple[int, int]:
    """The day of a date as `date.toordinal` counts, and its month as year * 12 + month - 1; -1 where there is none."""
    found = read_date(written, order)
    if found is None:
        return NO_PERIOD, NO_PERIOD
    year, month, day = found
    try:
        ordinal = NO_PERIOD if day is None else date(year, month, day).toordinal()
    except ValueError:  # such as 31 April
        ordinal = NO_PERIOD
    return ordinal, YEAR * year + month - 1


def mark_central(months: IntArray) -> BoolArray:
    """Which articles lie in the time that the run is about, so that a wrong date does not decide how it is shown.

    That is from the 1st to the 99th percentile of their months, and as far again on either side, at least three
    months. Articles without a month (-1) are not in it; of fewer than twenty with one, all are.
    """
    dated = months >= 0
    if dated.sum() < FEWEST:
        return dated
    first = int(np.quantile(months[dated], OUTER, method="higher"))
    last = int(np.quantile(months[dated], 1 - OUTER, method="lower"))
    reach = max(last - first, LEAST_REACH)
    return np.asarray(dated & (months >= first - reach) & (months <= last + reach))


def choose_period(days: IntArray, months: IntArray) -> str:
    """The grain of a time axis: days for a quarter, weeks for two years, months for twenty, else years.

    Days and weeks only where every article names its day. `days` and `months` are those of the articles to show.
    """
    if (days >= 0).all() and len(days):
        span = int(days.max() - days.min()) + 1
        if span <= DAYS_OF_WEEKS:
            return "day" if span <= DAYS_OF_DAYS else "week"
    span = int(months.max() - months.min()) + 1 if len(months) else 0
    return "month" if span <= MONTHS_OF_MONTHS else "year"


def number_periods(days: IntArray, months: IntArray, period: str) -> IntArray:
    """The number of each article's period, counting on without gaps; -1 where its date does not tell."""
    if period in ("month", "year"):
        return np.where(months >= 0, months // (1 if period == "month" else YEAR), NO_PERIOD)
    # Day 1 of the calendar was a Monday.
    return np.where(days >= 0, days if period == "day" else (days - 1) // WEEK, NO_PERIOD)


def name_period(number: int, period: str) -> str:
    """A day as 2017-05-03, a week as its Monday, a month as 2017-05, a year as 2017."""
    if period == "year":
        return f"{number:04}"
    if period == "month":
        return f"{number // YEAR:04}-{number % YEAR + 1:02}"
    return date.fromordinal(WEEK * number + 1 if period == "week" else number).isoformat()

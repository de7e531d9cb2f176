"""Dates as articles carry them, to days, weeks and months; what cannot be told for certain has none.

Months are read as the tally reads them (`newsacts.tally.find_month`), so that both count the same.
"""

import re
from datetime import date
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from newsacts.tally import UNDATED, find_month

PERIODS = ("day", "week", "month", "year")
DAYS_OF_DAYS, DAYS_OF_WEEKS, MONTHS_OF_MONTHS = 92, 731, 240
"""Corpora that span more are shown by week, by month, by year."""
NO_PERIOD = -1
WEEK, YEAR = 7, 12

IntArray = npt.NDArray[np.int64]

_ISO = re.compile(r"\s*\d{4}([-/.]?)\d{2}\1(\d{2})(?!\d)")
_SLASHED = re.compile(r"\s*(\d{1,2})[/.](\d{1,2})[/.]\d{4}(?!\d)")
_NUMBER = re.compile(r"(?<![\d:.])(\d{1,2})(?:st|nd|rd|th)?(?![\d:])")


@lru_cache(maxsize=65_536)
def find_date(written: str | None) -> tuple[int, int]:
    """The day of a date as `date.toordinal` counts, and its month as year * 12 + month - 1; -1 where there is none."""
    month = find_month(written)
    if month == UNDATED or written is None:
        return NO_PERIOD, NO_PERIOD
    year, number = int(month[:4]), int(month[5:])
    day = _find_day(written, number)
    try:
        ordinal = NO_PERIOD if day is None else date(year, number, day).toordinal()
    except ValueError:  # such as 31 April
        ordinal = NO_PERIOD
    return ordinal, YEAR * year + number - 1


def choose_period(days: IntArray, months: IntArray) -> str:
    """The grain of a time axis: days for a quarter, weeks for two years, months for twenty, else years.

    Days and weeks only where every dated article names its day. `days` and `months` are those of dated articles.
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


def _find_day(written: str, month: int) -> int | None:
    if iso := _ISO.match(written):
        return int(iso[2])
    if slashed := _SLASHED.match(written):
        numbers = [int(slashed[1]), int(slashed[2])]
        # `find_month` has settled which of the two is the month.
        numbers.remove(month)
        return numbers[0]
    named = _NUMBER.search(written)
    return int(named[1]) if named and re.search("[A-Za-z]{3}", written) else None

"""Dates as articles carry them, to a month and a day where those can be told for certain.

    read_date("Wed, 03 May 2017 10:15:00 GMT")  # (2017, 5, 3)
    read_date("03/04/2017")                     # None, it could be two days
    read_date("03/04/2017", "day")              # (2017, 4, 3)

Years are those from 1500 to 2099. Left out: languages other than English, years of two digits, and time zones.
"""

import re
from typing import Literal

DateOrder = Literal["day", "month"]
DATE_ORDERS: tuple[DateOrder, ...] = ("day", "month")
"""What stands first in dates of numbers alone that end with the year."""
MONTHS, DAYS = 12, 31

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEARS = r"(?:1[5-9]|20)\d{2}"
_YEAR_FIRST = re.compile(rf"({_YEARS})([-/.])(\d{{1,2}})(?:\2(\d{{1,2}}))?(?!\d)")
# GDELT writes 20170503120000.
_PACKED = re.compile(rf"({_YEARS})(\d{{2}})(?:(\d{{2}})(?:(?:[01]\d|2[0-3])[0-5]\d[0-5]\d)?)?(?!\d)")
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2({_YEARS})(?!\d)")
_YEAR = re.compile(rf"(?<!\d){_YEARS}(?!\d)")
_MONTH = re.compile(rf"\b({'|'.join(_MONTHS)})[a-z]*\b\.?")
# The number next to the name of the month, and no part of a time or another number.
_DAY_BEFORE = re.compile(r"(?<![\w:])(?<!\d\.)(\d{1,2})(?:st|nd|rd|th)?(?:\s{1,3}of)?[\s,./-]{0,3}$")
_DAY_AFTER = re.compile(r"[\s,/-]{0,3}(\d{1,2})(?:st|nd|rd|th)?(?![\w:]|\.\d|\s?[ap]\.?m\b)")


def read_date(written: str | None, order: DateOrder | None = None) -> tuple[int, int, int | None] | None:
    """Year, month, and day where it is told; None where the month cannot be told for certain.

    `order` says what stands first in 03/04/2017; a date that makes sense in one order only is read in that one. Without
    it such a date is read where its numbers are parted by dots, as nearly nobody writes the month first with dots.
    """
    text = (written or "").strip().lower()
    if found := _YEAR_FIRST.match(text):
        return _check(found[1], found[3], found[4])
    if found := _PACKED.match(text):
        return _check(*found.groups())
    year, named = _YEAR.search(text), _MONTH.search(text)
    if year and named:
        return int(year[0]), _MONTHS.index(named[1]) + 1, _find_day(text, named)
    if found := _YEAR_LAST.match(text):
        first, mark, second, last = found.groups()
        chosen = order or ("day" if mark == "." or int(first) == int(second) else None)
        # Only one order makes sense where one of the two is no month.
        if int(first) > MONTHS or int(second) > MONTHS:
            chosen = "day" if int(first) > MONTHS else "month"
        if chosen is not None:
            return _check(last, *((second, first) if chosen == "day" else (first, second)))
    return None


def _find_day(text: str, named: re.Match[str]) -> int | None:
    around = (_DAY_BEFORE.search(text, 0, named.start()), _DAY_AFTER.match(text, named.end()))
    days = {day for found in around if found and 1 <= (day := int(found[1])) <= DAYS}
    return days.pop() if len(days) == 1 else None


def _check(year: str, month: str, day: str | None) -> tuple[int, int, int | None] | None:
    told = day is not None and 1 <= int(day) <= DAYS
    return (int(year), int(month), int(day or 0) if told else None) if 1 <= int(month) <= MONTHS else None

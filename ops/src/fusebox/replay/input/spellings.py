"""How a file spells its dates and numbers, decided over the whole file and never line by line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import groupby, pairwise

NUMERIC = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?!\d)(.*)", re.DOTALL | re.ASCII)
NAMED = re.compile(r"(\d{1,2})[ .-]+([A-Za-z]{3,9})\.?[ ,-]+(\d{2}|\d{4})(?!\d)(.*)", re.DOTALL)
TIME = re.compile(
    r"(?:[T, ]+(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,]\d+)?)?(?:\s*([AaPp])\.?[Mm]\.?)?)?"
    r"\s*(?:Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
# As Excel keeps a date, in days; here only those of 1954 to 2064.
SERIAL = re.compile(r"([2-5]\d{4})(?:[.,](\d{1,12}))?", re.ASCII)
SERIAL_BEGIN = datetime(1899, 12, 30)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# A two-digit year below this is one of this century (POSIX).
CENTURY = 69
# So large a share of the changes of day may go back in a file that is in the order of time.
MOST_BACKWARDS = 0.01
# Two days are in order every other time, so many as ENOUGH_DAYS once in 40,000 times.
FEWEST_DAYS = 3
ENOUGH_DAYS = 8
# Fewer days tell an order only when all others scatter them over so many times its span.
NARROWER = 10
# Three digits after it may be thousands, and say nothing.
DECIMAL_POINT = re.compile(r"-?[\d,]*\.(?:\d{1,2}|\d{4,})", re.ASCII)
DECIMAL_COMMA = re.compile(r"-?[\d.]*,(?:\d{1,2}|\d{4,})", re.ASCII)


class DateOrder(StrEnum):
    """In which order day, month and year stand."""

    DMY = "dmy"
    MDY = "mdy"
    YMD = "ymd"


YEAR_LAST = (DateOrder.DMY, DateOrder.MDY)


class AmbiguousDates(Exception):
    """The message shows a date, and what it may mean."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """Of one file.  Its methods raise ValueError for a text that is none."""

    order: DateOrder = DateOrder.DMY
    has_decimal_comma: bool = False

    def date(self, text: str) -> datetime:
        return _read(text.strip(), self.order)

    def number(self, text: str) -> str:
        """`text` as Python writes a number, without what groups its thousands."""
        decimal, grouping = (",", ".") if self.has_decimal_comma else (".", ",")
        whole, point, fraction = text.strip().partition(decimal)
        first, *groups = whole.removeprefix("-").split(grouping)
        if groups and (not 1 <= len(first) <= 3 or any(len(group) != 3 for group in groups)):
            raise ValueError(f"{text!r} is no number")
        return whole.replace(grouping, "") + (f".{fraction}" if point else "")


def of_file(
    dates: Iterable[str], prices: Iterable[str], delimiter: str, given: DateOrder | None = None
) -> Spelling:
    """Raises AmbiguousDates when the dates may be read in more than one way, unless `given`."""
    return Spelling(given or date_order(dates), has_decimal_comma(prices, delimiter))


def date_order(texts: Iterable[str]) -> DateOrder:
    """The only order in which all dates of a file are dates, or else go forward in time by more
    than chance.

    A date that says its order itself, and a text that is no date at all, have no vote.
    """
    telling = [text for text, _ in groupby(text.strip() for text in texts) if _votes(text)]
    possible = [order for order in YEAR_LAST if all(order in _orders(text) for text in telling)]
    year_first = bool(telling) and all(DateOrder.YMD in _orders(text) for text in telling)
    if not telling:
        return DateOrder.DMY
    readable = [*possible, DateOrder.YMD] if year_first else possible
    forward = [order for order in possible if _goes_forward(telling, order)]
    if year_first and not forward and _is_by_no_chance(telling, DateOrder.YMD, readable):
        return DateOrder.YMD
    if not possible and not year_first:
        raise AmbiguousDates(_contradiction(telling))
    decided = possible
    if len(possible) > 1:
        decided = [order for order in forward if _is_by_no_chance(telling, order, possible)]
    if len(decided) != 1 or (year_first and _is_less_likely(telling, decided[0])):
        raise AmbiguousDates(_alternatives(telling[0]))
    return decided[0]


def has_decimal_comma(texts: Iterable[str], delimiter: str) -> bool:
    """As most of the texts say; with none that says it, as a semicolon between fields does."""
    balance = 0
    for text in texts:
        number = text.strip()
        balance += bool(DECIMAL_COMMA.fullmatch(number)) - bool(DECIMAL_POINT.fullmatch(number))
    return balance > 0 if balance else delimiter == ";"


@lru_cache(maxsize=65_536)  # the lines of an invoice have one date
def _read(text: str, order: DateOrder) -> datetime:
    if match := NUMERIC.fullmatch(text):
        first, separator, middle, last, rest = match.groups()
        return _with_time(_day(first, middle, last, separator, order), rest)
    if match := NAMED.fullmatch(text):
        name = match[2][:3].lower()
        if name not in MONTHS:
            raise ValueError(f"{match[2]!r} is no month")
        return _with_time(date(_year(match[3]), MONTHS.index(name) + 1, int(match[1])), match[4])
    if match := SERIAL.fullmatch(text):
        seconds = float(f"0.{match[2] or 0}") * 86_400
        return SERIAL_BEGIN + timedelta(days=int(match[1]), seconds=round(seconds))
    return datetime.fromisoformat(text).replace(tzinfo=None)


def _day(first: str, middle: str, last: str, separator: str, order: DateOrder) -> date:
    if len(first) == 4:
        order = DateOrder.YMD
    elif separator == "." or len(last) == 4:
        # With dots nobody writes the month first, and four digits are a year.
        order = DateOrder.MDY if order is DateOrder.MDY and separator != "." else DateOrder.DMY
    year, month, day = {
        DateOrder.DMY: (last, middle, first),
        DateOrder.MDY: (last, first, middle),
        DateOrder.YMD: (first, middle, last),
    }[order]
    if len(month) > 2 or len(day) > 2:
        raise ValueError("a month or day has two digits at the most")
    return date(_year(year), int(month), int(day))


def _year(text: str) -> int:
    if len(text) not in (2, 4):
        raise ValueError(f"{text!r} is no year")
    year = int(text)
    return year if len(text) == 4 else year + (2000 if year < CENTURY else 1900)


def _with_time(day: date, rest: str) -> datetime:
    match = TIME.fullmatch(rest)
    if match is None:
        raise ValueError(f"{rest!r} is no time")
    hour, minute, second = (int(part or 0) for part in match.groups()[:3])
    if match[4]:
        if not 1 <= hour <= 12:
            raise ValueError(f"{rest!r} is no time")
        hour = hour % 12 + (12 if match[4] in "Pp" else 0)
    return datetime(day.year, day.month, day.day, hour, minute, second)


def _votes(text: str) -> bool:
    """Whether what it means depends on the order."""
    match = NUMERIC.fullmatch(text)
    return bool(match and match[2] != "." and len(match[1]) < 4 and _orders(text))


@lru_cache(maxsize=65_536)
def _orders(text: str) -> frozenset[DateOrder]:
    """Those in which it is a date."""
    match = NUMERIC.fullmatch(text)
    orders = YEAR_LAST if match and len(match[4]) == 4 else tuple(DateOrder)
    return frozenset(order for order in orders if _is_date(text, order))


def _is_date(text: str, order: DateOrder) -> bool:
    try:
        _read(text, order)
    except ValueError:
        return False
    return True


def _days(texts: Sequence[str], order: DateOrder) -> list[date]:
    return [day for day, _ in groupby(_read(text, order).date() for text in texts)]


def _goes_forward(texts: Sequence[str], order: DateOrder) -> bool:
    changes = [later > earlier for earlier, later in pairwise(_days(texts, order))]
    return bool(changes) and changes.count(False) <= MOST_BACKWARDS * len(changes)


def _is_by_no_chance(texts: Sequence[str], order: DateOrder, readable: Iterable[DateOrder]) -> bool:
    """Whether it goes forward over so many days, or through so few of the calendar, that dates
    in no order at all would not."""
    days = _days(texts, order)
    if not _goes_forward(texts, order) or len(days) < FEWEST_DAYS:
        return False
    others = [_span(_days(texts, other)) for other in readable if other is not order]
    return len(days) >= ENOUGH_DAYS or all(_span(days) * NARROWER <= span for span in others)


def _span(days: Sequence[date]) -> timedelta:
    return max(days) - min(days)


def _is_less_likely(texts: Sequence[str], order: DateOrder) -> bool:
    """Whether it scatters the dates over more years than the year at the front would."""

    def years(order: DateOrder) -> int:
        numbers = [_read(text, order).year for text in texts]
        return max(numbers) - min(numbers)

    return years(order) > years(DateOrder.YMD)


def _contradiction(texts: Sequence[str]) -> str:
    day_first = next(text for text in texts if DateOrder.MDY not in _orders(text))
    month_first = next(text for text in texts if DateOrder.DMY not in _orders(text))
    return f"its dates are written in more than one way: {day_first!r}, and {month_first!r}"


def _alternatives(text: str) -> str:
    meanings = [
        f"{order}: {_read(text, order):%d %B %Y}" for order in DateOrder if order in _orders(text)
    ]
    return f"its dates may be read in more than one way: {text!r} is {', or '.join(meanings)}"

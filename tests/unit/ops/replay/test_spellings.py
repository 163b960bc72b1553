"""How dates and numbers of a file are read: decided by all of it, and never guessed."""

from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from fusebox.replay.input import spellings
from fusebox.replay.input.spellings import AmbiguousDates, DateOrder, Spelling, date_order

MOMENT = datetime(2010, 12, 1, 8, 26)
FORMATS = {
    DateOrder.DMY: ("%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M", "%d/%m/%y %H:%M", "%d.%m.%Y %H:%M:%S"),
    DateOrder.MDY: ("%m/%d/%Y %H:%M", "%m-%d-%Y %I:%M %p", "%m/%d/%y %H:%M"),
    DateOrder.YMD: ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M", "%y-%m-%d %H:%M"),
}
WRITTEN = some.sampled_from([(order, form) for order, forms in FORMATS.items() for form in forms])
MINUTES = some.lists(some.integers(0, 2 * 365 * 24 * 60), min_size=1, max_size=60)


def moments(minutes: list[int]) -> list[datetime]:
    return [datetime(2010, 12, 1) + timedelta(minutes=minute) for minute in minutes]


@given(written=WRITTEN, minutes=MINUTES, in_time=some.booleans())
def test_dates_are_read_as_they_were_written_or_refused(
    written: tuple[DateOrder, str], minutes: list[int], in_time: bool
) -> None:
    _, form = written
    given = moments(sorted(minutes) if in_time else minutes)
    # Two-digit years at the front, in no order, could be days: nobody can tell.
    assume(not form.startswith("%y") or in_time)
    texts = [format(moment, form) for moment in given]

    try:
        spelling = Spelling(date_order(texts))
    except AmbiguousDates:
        return

    if form.startswith("%y") and len({moment.date() for moment in given}) < 30:
        return  # too few days to tell a year at the front from a day
    assert [spelling.date(text) for text in texts] == given


@given(
    order=some.sampled_from(spellings.YEAR_LAST),
    days=some.lists(some.integers(0, 700), min_size=1, max_size=50),
    form=some.sampled_from([0, 1, 2]),
)
def test_a_day_above_12_decides_wherever_it_stands(
    order: DateOrder, days: list[int], form: int
) -> None:
    given = [datetime(2010, 12, 1) + timedelta(days=day) for day in days]
    assume(any(moment.day > 12 for moment in given))
    texts = [format(moment, FORMATS[order][form]) for moment in given]
    assume("y" not in FORMATS[order][form])

    assert date_order(texts) is order


@given(some.lists(some.text(alphabet="0123456789/-.: apmTZ", max_size=18), max_size=8))
def test_any_texts_have_an_order_or_are_refused(texts: list[str]) -> None:
    try:
        spelling = Spelling(date_order(texts))
    except AmbiguousDates:
        return

    for text in texts:
        try:
            assert isinstance(spelling.date(text), datetime)
        except ValueError:
            continue


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("12/1/10 8:26", DateOrder.MDY),
        ("01-12-2010 08:26", DateOrder.DMY),
        ("1/12/2010 08:26", DateOrder.DMY),
        ("12/1/2010 8:26 AM", DateOrder.MDY),
        ("12/01/2010 08:26:00", DateOrder.MDY),
        ("1.12.2010 08:26", DateOrder.MDY),  # dots are never the American way
        ("2010-12-01 08:26", DateOrder.MDY),
        ("2010-12-01T08:26:00.000Z", DateOrder.MDY),
        ("2010/12/1 8:26", DateOrder.DMY),
        ("10-12-01 08:26", DateOrder.YMD),
        ("1-Dec-10 08:26", DateOrder.YMD),
        ("01 December 2010, 8.26", DateOrder.DMY),
        ("40513.3513888889", DateOrder.DMY),
        ("40513,3513888889", DateOrder.DMY),
    ],
)
def test_a_date_is_read(text: str, order: DateOrder) -> None:
    assert Spelling(order).date(text) == MOMENT


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "31/31/2010", "1/2", "1/2/201", "1/2/2010 25:00", "1/2/2010 13:00 PM",
     "30-Feb-10", "1-Foo-10", "1/2-2010", "99999", "12/1/2010 8:26 x", "٣/١٢/٢٠١٠"],
)  # fmt: skip
def test_what_is_no_date_is_refused(text: str) -> None:
    for order in DateOrder:
        with pytest.raises(ValueError, match=r"."):
            Spelling(order).date(text)


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["12/1/10 8:26", "12/13/10 9:00"], DateOrder.MDY),
        (["01-12-2010 08:26", "13-12-2010 08:26"], DateOrder.DMY),
        # Day by day over a month's end: the other way, time would go back.
        (["11/1/2010", "12/1/2010", "1/2/2010", "2/2/2010"], DateOrder.DMY),
        (["1/11/2010", "1/12/2010", "2/1/2010", "2/2/2010"], DateOrder.MDY),
        (["10/12/30", "10/12/31", "11/01/01"], DateOrder.YMD),
        (["13-01-10", "14-01-10"], DateOrder.DMY),
        (["12/1/2010", "2010-12-01", "nonsense", "12/31/2010"], DateOrder.MDY),
        # So many are in order by no chance, however far apart.
        ([f"{1 + month % 3}/{month}/2010" for month in range(1, 9)], DateOrder.DMY),
        (["2010-12-01"], DateOrder.DMY),
        ([], DateOrder.DMY),
    ],
)
def test_the_order_of_a_file(texts: list[str], order: DateOrder) -> None:
    assert date_order(texts) is order


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["1/12/2010 08:26"], "'1/12/2010 08:26' is dmy: 01 December 2010, or mdy: 12 January"),
        (["1/12/2010", "2/12/2010"], "more than one way"),
        (["12/1/10", "12/1/10"], "ymd: 10 January 2012"),
        (["13/1/2010", "1/13/2010"], "more than one way: '13/1/2010', and '1/13/2010'"),
        (["13/01/31", "13/01/05", "13/02/20"], "more than one way"),
        # In order one way only, as every other pair of dates is by chance.
        (["2/1/2010", "1/3/2010"], "mdy: 01 February 2010"),
        (["02/01/11", "05/06/10", "07/12/10"], "more than one way"),
    ],
)
def test_what_may_be_read_in_two_ways_is_refused(texts: list[str], said: str) -> None:
    with pytest.raises(AmbiguousDates) as refused:
        date_order(texts)

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("texts", "delimiter", "comma"),
    [
        (["2.55", "3"], ";", False),
        (["2,55", "3"], ",", True),
        (["1.234,56"], ",", True),
        (["1,234.56"], ";", False),
        (["2,55", "2,60", "2.55"], ",", True),
        (["1,234"], ",", False),
        (["1,234"], ";", True),
        (["3"], ";", True),
        ([], ",", False),
    ],
)
def test_a_decimal_comma_is_found(texts: list[str], delimiter: str, comma: bool) -> None:
    assert spellings.has_decimal_comma(texts, delimiter) is comma


@pytest.mark.parametrize(
    ("text", "comma", "number"),
    [
        ("2,55", True, "2.55"),
        ("1.234.567,8", True, "1234567.8"),
        ("-1.234", True, "-1234"),
        ("1,234.5", False, "1234.5"),
        (" 6 ", False, "6"),
        ("2.55", True, None),
        ("1,2", False, None),
        ("1,2345", False, None),
        (",123", False, None),
    ],
)
def test_a_number_is_read_by_the_files_spelling(text: str, comma: bool, number: str | None) -> None:
    spelling = Spelling(has_decimal_comma=comma)
    if number is None:
        with pytest.raises(ValueError, match="is no number"):
            spelling.number(text)
    else:
        assert spelling.number(text) == number

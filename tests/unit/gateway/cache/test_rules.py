"""What may be kept, for whom, how long (RFC 9111)."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.cache import rules
from gateway.cache.directives import directives

from ..cached_answers import asked, keep, kept


@pytest.mark.parametrize(
    ("said", "more", "wanted", "status", "lifetime"),
    [
        ("max-age=5", {}, {}, 200, 5),
        ("MAX-AGE = 5", {}, {}, 200, 5),
        ('max-age="5"', {}, {}, 200, 5),
        ("max-age=5, max-age=9", {}, {}, 200, 5),
        ("max-age=5, s-maxage=9", {}, {}, 200, 9),
        ("public, max-age=5", {}, {}, 404, 5),
        ("max-age=5", {"ETag": '"1"'}, {}, 200, 5),
        ("max-age=0", {"ETag": '"1"'}, {}, 200, 0),
        ("max-age=5, no-cache", {"ETag": '"1"'}, {}, 200, 0),
        ("public, max-age=5", {}, {"Authorization": "Bearer x"}, 200, 5),
        ("s-maxage=5", {}, {"Authorization": "Bearer x"}, 200, 5),
        ("max-age=5, must-revalidate", {}, {"Authorization": "Bearer x"}, 200, 5),
        ("max-age=5", {}, {"Authorization": "Bearer x"}, 200, None),
        ("max-age=5", {"Vary": "*"}, {}, 200, None),
        ("max-age=5", {"Set-Cookie": "a=1"}, {}, 200, None),
        ("max-age=5, no-store", {}, {}, 200, None),
        ("max-age=5, private", {}, {}, 200, None),
        ('max-age=5, private="set-cookie"', {}, {}, 200, None),
        ("max-age=0", {}, {}, 200, None),
        ("max-age=-5", {}, {}, 200, None),
        ("max-age=five", {}, {}, 200, None),
        ("max-age", {}, {}, 200, None),
        ("public", {}, {}, 200, None),
        ("", {"ETag": '"1"'}, {}, 200, None),
        ("max-age=5", {}, {}, 206, None),
        ("max-age=5", {}, {}, 500, None),
        ("max-age=5", {}, {}, 302, None),
        ("x-max-age=5", {}, {}, 200, None),
    ],
)
def test_what_an_answer_says_of_itself(
    said: str, more: dict[str, str], wanted: dict[str, str], status: int, lifetime: int | None
) -> None:
    entry = keep({"Cache-Control": said, **more}, asked(wanted), status)

    assert (entry and entry.lifetime) == lifetime


@pytest.mark.parametrize(
    ("method", "headers", "candidate"),
    [
        ("GET", {}, True),
        ("GET", {"Content-Length": "0"}, True),
        ("GET", {"Content-Length": "1"}, False),
        ("GET", {"Transfer-Encoding": "chunked"}, False),
        ("GET", {"Range": "bytes=0-1"}, False),
        ("GET", {"If-Match": "*"}, False),
        ("GET", {"Cache-Control": "No-Store"}, False),
        ("GET", {"Upgrade": "websocket"}, False),
        ("HEAD", {}, False),
        ("POST", {}, False),
    ],
)
def test_which_requests_a_kept_answer_may_be_given_to(
    method: str, headers: dict[str, str], candidate: bool
) -> None:
    assert rules.is_candidate(asked(headers, method=method)) == candidate


@pytest.mark.parametrize(
    ("wanted", "age", "fresh"),
    [
        ("", 4.9, True),
        ("", 5.0, False),
        ("no-cache", 0, False),
        ("max-age=3", 2.9, True),
        ("max-age=3", 3.0, False),
        ("max-age=0", 0, False),
        ("min-fresh=3", 1.9, True),
        ("min-fresh=3", 2.0, False),
        ("foo, NO-CACHE", 0, False),
        ('max-age="3"', 2.9, True),
        ('max-age="3"', 3.0, False),
        ("max-age = 3", 2.9, True),
        ("max-age=9, max-age=3", 3.0, False),
        ("max-age", 0, False),
        ("max-age=", 0, False),
        ("max-age=-1", 0, False),
        ("max-age=3.5", 0, False),
        ("max-age=" + "9" * 9_000, 4.9, True),
        ("max-age=5 no-cache", 0, False),
        ("max-age=5;no-cache", 0, False),
        ("no-cache max-age=5", 0, False),
        ('foo="no-cache"', 4.9, True),
        ('foo="a, no-cache"', 4.9, True),
        ('foo="a\\", no-cache"', 4.9, True),
        ('foo="a, no-cache', 4.9, False),
        ("x-no-cache, x_no-cache, no-cachex", 4.9, True),
        ("min-fresh", 0, False),
        ("min-fresh=x", 0, False),
        ("min-fresh=" + "9" * 9_000, 0, False),
        ('min-fresh="3"', 1.9, True),
        ("max-stale=3", 7.9, True),
        ("max-stale=3", 8.0, False),
        ("max-stale", 10_000, True),
        ("max-stale=x", 5.0, False),
        ("max-stale=-3", 5.0, False),
        ("max-stale=3, no-cache", 0, False),
        ("max-stale=3, max-age=2", 1.9, True),
        ("max-stale=3, max-age=2", 2.0, False),
        ("max-stale=3, max-age=7", 6.9, True),
        ("min-fresh=3, max-age=2", 1.9, True),
        ("max-stale=3, min-fresh=1", 4.0, False),
        ("only-if-cached", 4.9, True),
        (",, ,=,;", 4.9, True),
    ],
)
def test_how_fresh_a_client_wants_it(wanted: str, age: float, fresh: bool) -> None:
    entry = kept({"Cache-Control": "max-age=5"})

    assert entry.is_fresh(100.0 + age, asked({"Cache-Control": wanted})) == fresh


@pytest.mark.parametrize("strict", ["must-revalidate", "Proxy-Revalidate", "s-maxage=5"])
def test_what_a_service_wants_fresh_is_not_given_stale(strict: str) -> None:
    entry = kept({"Cache-Control": f"max-age=5, {strict}"})

    assert entry.is_fresh(104.9, asked({"Cache-Control": "max-stale"}))
    assert not entry.is_fresh(105.0, asked({"Cache-Control": "max-stale"}))


@pytest.mark.parametrize("second", ["no-cache", "max-age=0", "min-fresh=9"])
def test_the_lines_of_a_cache_control_are_one_list(second: str) -> None:
    lines = [("Cache-Control", "max-stale=1"), ("cache-control", second)]

    assert not kept({"Cache-Control": "max-age=5"}).is_fresh(100, asked(lines))


def test_no_store_on_another_line_counts_as_well() -> None:
    assert not rules.is_candidate(asked([("Cache-Control", "x"), ("Cache-Control", "no-store")]))


def test_pragma_counts_where_there_is_no_cache_control() -> None:
    assert not kept({"Cache-Control": "max-age=5"}).is_fresh(100, asked({"Pragma": "no-cache"}))


def test_an_age_that_it_had_before_counts_and_is_shown() -> None:
    entry = kept({"Cache-Control": "max-age=5", "Age": "3", "X": "1"})

    assert entry.is_fresh(101.9, asked())
    assert not entry.is_fresh(102.0, asked())
    assert entry.shown(101.9) == [("Cache-Control", "max-age=5"), ("X", "1"), ("Age", "4")]


@pytest.mark.parametrize(
    ("said", "until"),
    [
        ("max-age=5", 65),
        ("max-age=5, stale-if-error=10", 15),
        ("max-age=5, stale-if-error=0", 5),
        ("max-age=5, must-revalidate", 5),
        ("max-age=5, proxy-revalidate, stale-if-error=10", 5),
        ("s-maxage=5", 5),
    ],
)
def test_how_long_it_will_do_when_nobody_answers(said: str, until: float) -> None:
    entry = kept({"Cache-Control": said})

    assert entry.will_do(100 + until - 0.1)
    assert not entry.will_do(100 + until)
    if until > 5:
        assert ("Warning", '110 - "Response is Stale"') in entry.shown(106)


@given(
    some.integers(0, 100),
    some.none() | some.integers(0, 100),
    some.integers(0, 100),
    some.floats(0, 200, allow_nan=False),
)
def test_freshness_is_what_the_rules_say(
    max_age: int, shared: int | None, age: int, later: float
) -> None:
    said = f"max-age={max_age}" + ("" if shared is None else f", s-maxage={shared}")
    entry = kept({"Cache-Control": said, "Age": str(age), "ETag": '"1"'})

    lifetime = max_age if shared is None else shared
    assert entry.is_fresh(100.0 + later, asked()) == (age + (100.0 + later - 100.0) < lifetime)


def test_an_answer_is_for_those_who_ask_as_the_first_one_did() -> None:
    entry = kept(
        {"Cache-Control": "max-age=5", "Vary": "Accept, accept-language"},
        view=asked({"Accept": "text/html"}),
    )

    assert entry.is_for("r", asked({"accept": "text/html"}))
    assert not entry.is_for("other", asked({"Accept": "text/html"}))
    assert not entry.is_for("r", asked({"Accept": "text/plain"}))
    assert not entry.is_for("r", asked({"Accept": "text/html", "Accept-Language": "de"}))


def test_selecting_headers_are_compared_with_all_of_their_lines() -> None:
    both = [("Accept-Language", "de"), ("Accept-Language", "fr")]
    entry = kept({"Cache-Control": "max-age=5", "Vary": "Accept-Language"}, view=asked(both))

    assert entry.is_for("r", asked(both))
    assert entry.is_for("r", asked({"Accept-Language": "de, fr"}))
    assert not entry.is_for("r", asked({"Accept-Language": "de"}))
    assert not entry.is_for("r", asked({"Accept-Language": "fr"}))
    assert not entry.is_for("r", asked())


def test_etags_may_stand_on_several_lines_and_have_commas() -> None:
    entry = kept({"Cache-Control": "max-age=5", "ETag": '"a, b"'})

    assert entry.is_had_by(asked([("If-None-Match", '"x"'), ("If-None-Match", 'W/"a, b"')]))
    assert not entry.is_had_by(asked({"If-None-Match": '"a", "b"'}))


@pytest.mark.parametrize(("said", "age"), [("3, 4", 3), ("-3", 0), ("x", 0), ("", 0), ("3.5", 0)])
def test_of_several_ages_the_first_counts_and_one_that_is_no_number_is_none(
    said: str, age: int
) -> None:
    assert kept({"Cache-Control": "max-age=5", "Age": said}).age(100.0) == age


@given(some.text(alphabet='=,;" \\\tnoche-ax9', max_size=60) | some.text())
def test_any_cache_control_can_be_read(said: str) -> None:
    kept({"Cache-Control": "max-age=5"}).is_fresh(100.0, asked({"Cache-Control": said}))
    keep({"Cache-Control": said, "Age": said, "Vary": said, "ETag": '"1"'})


@given(some.sampled_from(['"', '"\\', '",', '\\"', ',"\\']))
def test_a_long_cache_control_is_read_in_no_time(part: str) -> None:
    began = time.perf_counter()
    directives(part * (16_000 // len(part)))

    assert time.perf_counter() - began < 0.2


@pytest.mark.parametrize(
    ("had", "has"),
    [
        ({"If-None-Match": '"1"'}, True),
        ({"If-None-Match": 'W/"1", "2"'}, True),
        ({"If-None-Match": "*"}, True),
        ({"If-None-Match": '"2"'}, False),
        ({"If-None-Match": '"2"', "If-Modified-Since": "today"}, False),
        ({"If-Modified-Since": "today"}, True),
        ({"If-Modified-Since": "yesterday"}, False),
        ({}, False),
    ],
)
def test_a_client_that_has_it_is_told_so(had: dict[str, str], has: bool) -> None:
    entry = kept({"Cache-Control": "max-age=5", "ETag": '"1"', "Last-Modified": "today"})

    assert entry.is_had_by(asked(had)) == has


def test_what_the_service_confirms_is_fresh_again_with_its_new_headers() -> None:
    old = kept({"Cache-Control": "max-age=5", "ETag": '"1"', "X": "old", "Content-Type": "a/b"})
    assert old.conditions == {"If-None-Match": '"1"'}

    new = rules.renewed(
        old, [("X", "new"), ("Content-Type", "c/d"), ("Content-Length", "0")], asked=200.0, grace=1
    )

    assert new.is_fresh(204.9, asked())
    assert new.body == b"body"
    assert dict(new.headers) == {
        "Cache-Control": "max-age=5",
        "ETag": '"1"',
        "X": "new",
        "Content-Type": "a/b",
    }

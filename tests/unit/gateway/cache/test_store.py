"""The store of kept answers finds what was put there and stays within its bounds."""

from hypothesis import given
from hypothesis import strategies as some

from chassis.core.live import Live
from gateway.cache.rules import CachedResponse
from gateway.cache.store import MOST_VARIANTS, CacheBounds, CacheKey, ResponseCache
from gateway.routing.request_view import RequestView

from ..cached_answers import asked, kept


def cache(
    max_bytes: int = 100_000, max_entries: int = 100, max_entry: int = 50_000
) -> ResponseCache:
    return ResponseCache(Live(CacheBounds(max_bytes, max_entries, max_entry)), lambda: 100.0)


def find(within: ResponseCache, view: RequestView) -> CachedResponse | None:
    return within.find(CacheKey.of(view), "r", view)


def put(into: ResponseCache, path: str, size: int = 10, **headers: str) -> RequestView:
    view = asked(headers, path)
    into.put(
        CacheKey.of(view),
        view,
        kept({"Cache-Control": "max-age=5", "Vary": "n"}, view=view, body=b"x" * size),
    )
    return view


def test_the_store_finds_what_was_put_and_puts_the_new_in_the_place_of_the_old() -> None:
    store = cache()
    put(store, "/a", 10)
    view = put(store, "/a", 20)

    again = find(store, view)
    assert again
    assert len(again.body) == 20
    assert (store.entries, store.bytes) == (1, again.size)
    assert find(store, asked(path="/b")) is None
    assert find(store, asked(path="/a", host="elsewhere")) is None


def test_the_least_lately_used_goes_first() -> None:
    store = cache(max_entries=2)
    first, second = put(store, "/a"), put(store, "/b")
    find(store, first)
    put(store, "/c")

    assert find(store, first)
    assert find(store, second) is None


def test_what_is_too_large_is_not_kept_nor_what_it_would_have_replaced() -> None:
    store = cache(max_entry=1000)
    put(store, "/a", 10)
    view = put(store, "/a", 1000)

    assert find(store, view) is None
    assert (store.entries, store.bytes) == (0, 0)


def test_a_change_forgets_all_that_was_kept_of_the_address() -> None:
    store = cache()
    view, other = put(store, "/a", n="1"), put(store, "/a", n="2")
    store.forget(CacheKey.of(view))

    assert find(store, other) is None
    assert (store.entries, store.bytes) == (0, 0)


def test_one_address_has_only_so_many_variants() -> None:
    store = cache()
    for i in range(MOST_VARIANTS + 5):
        put(store, "/a", n=str(i))

    assert store.entries == MOST_VARIANTS


def test_what_was_for_nobody_else_is_passed_by_until_something_is_kept_there() -> None:
    store = cache()
    view = asked(path="/a")
    store.pass_by(CacheKey.of(view))
    assert store.is_passed_by(CacheKey.of(view))

    put(store, "/a")
    assert not store.is_passed_by(CacheKey.of(view))


ACTIONS = some.lists(
    some.tuples(
        some.sampled_from(["put", "find", "forget"]),
        some.sampled_from(["/a", "/b", "/c", "/d"]),
        some.sampled_from(["1", "2"]),
        some.integers(0, 1500),
    ),
    max_size=40,
)


@given(ACTIONS)
def test_the_store_counts_right_and_stays_within_its_bounds(
    actions: list[tuple[str, str, str, int]],
) -> None:
    store = cache(max_bytes=4000, max_entries=4, max_entry=1600)
    for action, path, variant, size in actions:
        view = asked({"n": variant}, path)
        if action == "put":
            put(store, path, size, n=variant)
        elif action == "find":
            find(store, view)
        else:
            store.forget(CacheKey.of(view))
        pages = [kept for page in store._variants.values() for kept in page]
        assert store.entries == len(pages) <= 4
        assert store.bytes == sum(kept.size for kept in pages) <= 4000

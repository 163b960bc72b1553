"""Requests as nobody sensible sends them, for each service on its real database."""

import json
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# Names that mean something, so that nonsense gets past the door.
FIELDS = st.sampled_from(
    [
        *("productId", "qty", "unitPrice", "lines", "productName", "stock", "addStock"),
        *("email", "name", "password", "pwd"),
    ]
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([0, 1, 2**31, 2**63, 10**30, -1, 1e308])
TEXTS = st.text() | st.sampled_from(
    ["A", "", "\x00", "\ud800", "\u202e", "a@b.org", "long enough", "' OR 1=1 --", "%00", "A" * 300]
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS | TEXTS, inner, max_size=5),
    max_leaves=12,
)
BODIES = (
    JSON.map(lambda value: json.dumps(value).encode())
    | st.binary()
    | st.sampled_from(
        [
            b"",
            b"[" * 5_000,
            b'{"qty": 1, "qty": 2}',
            b'{"qty": 1e999}',
            b"9" * 5_000,
            b"\xef\xbb\xbf{}",
        ]
    )
)
TYPES = st.sampled_from(
    ["application/json"] * 6 + ["", "text/plain", "application/json; charset=utf-16", "a/b/c;;="]
)
SEGMENTS = TEXTS | st.sampled_from(
    ["orders", "users", "catalogs", "login", "cancel", "actuator", "health", "..", "a/b"]
)
QUERIES = st.dictionaries(
    st.sampled_from(["limit", "cursor", "productId", "x"])
    | TEXTS.filter(lambda text: text.isprintable()),
    st.text() | st.sampled_from(["1", "200", "AA==", "bm9ib2R5", "\x00", "٣"]),
    max_size=3,
)
# What a server hands on: latin-1 without line breaks.
VALUES = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\x00")) | st.sampled_from(
    [
        "wait=1; x",
        'wait="',
        "a,b",
        '"k"',
        "k" * 300,
        "Bearer x",
        "00-" + "0" * 32,
        "b3: 0",
        "9" * 16,
    ]
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            *("Prefer", "Idempotency-Key", "Authorization", "traceparent", "b3", "X-B3-TraceId"),
            *("X-Request-Timeout-Ms", "X-Request-Attempt", "Accept", "If-None-Match", "Range"),
            *("Expect", "X-Forwarded-For"),
        ]
    ),
    VALUES,
    max_size=4,
)
# Whole requests on a real database: few enough for a busy machine.
MANY = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def path_of(segments: list[str]) -> str:
    """Without an empty segment in front, which a client would read as a host."""
    quoted = [quote(segment, safe="", errors="surrogatepass") for segment in segments]
    return "/".join(quoted).lstrip("/")


def assert_answered(answer: Any) -> None:
    """As the contract has it: no fault of ours, and every error in its form."""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.content_type == "application/problem+json", answer.text
        document = answer.get_json()
        assert document["status"] == answer.status_code
        assert document["code"]
        assert document["detail"]

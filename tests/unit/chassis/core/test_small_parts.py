"""Settings, configuration, pages, balancing, workers, spans, events: each in a few lines."""

import json
import string
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from py_zipkin import Kind
from pydantic import BaseModel

from chassis.config import client
from chassis.config.client import ConfigClient, ConfigurationError
from chassis.config.settings import Settings, nested
from chassis.core.environment import Environment
from chassis.core.errors import CircuitOpen, Conflict, Invalid, Problem, TimedOut, Unavailable
from chassis.core.workers import Workers
from chassis.discovery.instances import Instance
from chassis.discovery.load_balancer import LoadBalancer
from chassis.messaging import cloudevents
from chassis.messaging.cloudevents import BadRecord
from chassis.observability import zipkin
from chassis.observability.tracing import Tracer
from chassis.observability.zipkin import ZipkinReporter
from chassis.web import pagination, problem_details

LEAVES = st.integers() | st.booleans() | st.text(max_size=5)
KEYS = st.text("abc-", min_size=1, max_size=4)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=12)
            | st.dictionaries(KEYS, inner, min_size=1, max_size=3)
        ),
        max_leaves=20,
    ),
    max_size=4,
)


def flatten(node: Any, path: str = "") -> dict[str, Any]:
    if isinstance(node, dict):
        pairs = [(f"{path}.{key}" if path else key, value) for key, value in node.items()]
    elif isinstance(node, list):
        pairs = [(f"{path}[{index}]", value) for index, value in enumerate(node)]
    else:
        return {path: node}
    return {key: leaf for where, value in pairs for key, leaf in flatten(value, where).items()}


@given(TREES)
def test_flat_keys_become_the_tree_they_came_from(tree: dict[str, Any]) -> None:
    assert nested(flatten(tree)) == tree


def environment(state: Path, **variables: str) -> Environment:
    return Environment.read("order-service", {"FUSEBOX_STATE": str(state), **variables})


def sources(**keys: Any) -> list[dict[str, Any]]:
    return [{"name": "application.yml", "source": keys}]


def test_placeholders_are_filled_from_the_environment_with_a_default(tmp_path: Path) -> None:
    filled = environment(tmp_path, KAFKA_PORT="19092")

    assert filled.fill("${HOST:here}:${KAFKA_PORT:9092}/${UNKNOWN}") == "here:19092/${UNKNOWN}"


def test_the_first_source_wins(tmp_path: Path) -> None:
    kept = ConfigClient(
        Settings,
        environment(tmp_path),
        lambda: [*sources(**{"fusebox.threads": 4}), *sources(**{"fusebox.threads": 9})],
    )

    kept.load()

    assert kept.current.fusebox.threads == 4


def test_without_a_server_the_last_known_good_copy_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PATIENCE_WITH_A_COPY", 0)
    monkeypatch.setattr(client, "PATIENCE_WITHOUT", 0)

    def nobody() -> list[dict[str, Any]]:
        raise requests.ConnectionError("refused")

    with pytest.raises(ConfigurationError, match="Is config-server running"):
        ConfigClient(Settings, environment(tmp_path), nobody).load()
    here = environment(tmp_path)
    ConfigClient(Settings, here, lambda: sources(**{"fusebox.threads": 4})).load()
    again = ConfigClient(Settings, here, nobody)
    again.load()

    assert (again.current.fusebox.threads, again.source) == (4, "last-known-good")


def test_a_wrong_value_is_refused_by_its_key(tmp_path: Path) -> None:
    wrong = lambda: sources(**{"fusebox.breaker.fail-max": 0})  # noqa: E731

    with pytest.raises(ConfigurationError, match=r"fusebox\.breaker\.fail-max"):
        ConfigClient(Settings, environment(tmp_path), wrong).load()


def test_a_refresh_names_what_changed_and_a_wrong_value_changes_nothing(tmp_path: Path) -> None:
    now: dict[str, Any] = {"fusebox.threads": 4, "gone": 1, "same": 2}
    kept = ConfigClient(Settings, environment(tmp_path), lambda: sources(**now))
    kept.load()

    now.update({"fusebox.threads": 9, "new": 1})
    del now["gone"]
    assert kept.refresh() == ["fusebox.threads", "gone", "new"]
    assert kept.current.fusebox.threads == 9
    assert kept.refresh() == []

    now["fusebox.threads"] = "many"
    with pytest.raises(ConfigurationError, match=r"fusebox\.threads"):
        kept.refresh()
    assert kept.current.fusebox.threads == 9


@given(st.text(string.ascii_letters + string.digits + "-._~ é", min_size=1, max_size=40))
def test_a_cursor_comes_back_as_the_key_it_was_made_of(key: str) -> None:
    link = pagination.next_link("/x", pagination.Page(limit=7), key)["Link"]
    query = urlsplit(link.partition("<")[2].partition(">")[0]).query
    args = dict(parse_qsl(query))

    assert pagination.requested(args) == pagination.Page(7, key)


@pytest.mark.parametrize(
    "args", [{"limit": "0"}, {"limit": "201"}, {"limit": "x"}, {"cursor": "!"}]
)
def test_a_wrong_page_names_the_field(args: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        pagination.requested(args)

    assert refused.value.errors[0]["field"] == next(iter(args))


ONE, TWO = (Instance(f"i-{n}", "svc", "127.0.0.1", n) for n in (1, 2))


def test_the_less_busy_of_two_is_chosen_and_a_refusing_one_passed_over() -> None:
    balancer = LoadBalancer(lambda: {"svc": (ONE, TWO)})

    with balancer.calling(ONE):
        assert balancer.choose("svc") == TWO
        balancer.refused(TWO)
        assert balancer.choose("svc") == ONE
    assert balancer.choose("svc", tried={ONE}) == TWO
    with pytest.raises(Unavailable):
        balancer.choose("svc", tried={ONE, TWO})


def test_workers_stop_in_reverse_and_a_dead_one_is_noticed() -> None:
    died, stopped = [], []
    told = threading.Event()

    def until_stopped(name: str) -> Any:
        def run(stop: threading.Event) -> None:
            stop.wait()
            stopped.append(name)

        return run

    def on_death(name: str) -> None:
        died.append(name)
        told.set()

    workers = Workers(on_death=on_death)
    workers.add("first", until_stopped("first"))
    workers.add("second", until_stopped("second"))
    workers.add("short-lived", lambda _stop: None)
    workers.start()
    assert told.wait(5)
    workers.stop()

    assert died == ["short-lived"]
    assert stopped == ["second", "first"]


def test_workers_that_do_not_stop_hold_up_the_end_no_longer_than_agreed() -> None:
    let_go, ended = threading.Event(), []

    def stubborn(_stop: threading.Event) -> None:
        let_go.wait(30)
        ended.append("stubborn")

    def willing(stop: threading.Event) -> None:
        stop.wait()
        ended.append("willing")

    workers = Workers()
    for run in (stubborn, stubborn, willing):
        workers.add(run.__name__, run)
    workers.start()
    workers.stop(timeout=1)

    assert ended == ["willing"]
    let_go.set()


def test_spans_that_do_not_fit_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipkin, "QUEUE_SIZE", 2)
    sender = ZipkinReporter(lambda: "http://127.0.0.1:1/api/v2/spans")
    tracer = Tracer("x", lambda: 1.0, sender.put)
    for _ in range(5):
        with tracer.span("work", Kind.CLIENT):
            pass
    assert sender.dropped == 3

    stop = threading.Event()
    stop.set()
    sender.run(stop)

    assert (sender.sent, sender.dropped) == (0, 5)


class Payload(BaseModel):
    name: str


def headers(**given: str) -> list[tuple[str, bytes]]:
    said = {"ce_id": str(uuid4()), "ce_type": "thing.done", "ce_source": "x", **given}
    return [(name, value.encode()) for name, value in said.items() if value]


WRONG = [
    (b"{", {}, "Invalid JSON"),
    (b"{}", {}, "name: Field required"),
    (None, {}, "Invalid JSON"),
    (b"{}", {"ce_id": ""}, "headers are missing: ce_id"),
    (b"{}", {"ce_id": "7"}, "ce_id is no UUID"),
]


@pytest.mark.parametrize(("value", "given", "reason"), WRONG)
def test_a_wrong_record_says_what_is_wrong(
    value: bytes | None, given: dict[str, str], reason: str
) -> None:
    with pytest.raises(BadRecord, match=reason):
        cloudevents.parse(b"k", value, headers(**given), {"thing.done": Payload})


def test_an_event_of_a_type_that_is_not_read_is_no_fault() -> None:
    assert (
        cloudevents.parse(b"k", b"{}", headers(ce_type="other.done"), {"thing.done": Payload})
        is None
    )


def test_every_problem_has_a_status_and_says_when_to_come_back() -> None:
    assert problem_details.status_of(CircuitOpen("x")) == 503
    assert problem_details.status_of(TimedOut("x")) == 504
    assert problem_details.status_of(Problem("x")) == 500
    assert problem_details.headers(Unavailable("x"))["Retry-After"] == "1"
    document = problem_details.document(Conflict("x", code="out-of-stock", products=["A"]), "abc")
    assert json.loads(json.dumps(document)) == {
        "type": "urn:fusebox:problem:out-of-stock",
        "title": "Conflict",
        "status": 409,
        "detail": "x",
        "code": "out-of-stock",
        "products": ["A"],
        "traceId": "abc",
    }

"""The panel of a real shop: what it shows of what is broken, and who may break it from there."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import requests

from ...running import RunningShop, processes_only

CATALOG = {"service": "catalog-service"}


class Panel:
    """As a browser of this machine asks it."""

    def __init__(self, shop: RunningShop) -> None:
        self.url = f"http://127.0.0.1:{shop.stack.port('panel')}"
        self.session = requests.Session()
        self.session.trust_env = False
        self._shop = shop
        self._csrf = ""

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.session.get(self.url + path, headers=headers, timeout=10)

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.get("/api/state").json()
        return state

    def sign_in(self) -> None:
        password = (self._shop.stack.secrets / "admin-password").read_text().strip()
        answer = self.session.post(f"{self.url}/api/session", json={"password": password})
        assert answer.status_code == 200, answer.text
        self._csrf = answer.json()["csrf"]

    def post(self, verb: str, body: dict[str, Any], **headers: str) -> requests.Response:
        return self.session.post(
            f"{self.url}/api/hands/{verb}",
            json=body,
            headers={"X-CSRF-Token": self._csrf, **headers},
            timeout=10,
        )

    def do(self, verb: str, **body: Any) -> dict[str, Any]:
        """Returns the job when it is done."""
        answer = self.post(verb, body)
        assert answer.status_code == 202, answer.text
        self._shop.until(lambda: self.job(answer.json()["job"])["state"] != "running", 120)
        return self.job(answer.json()["job"])

    def job(self, id: str) -> dict[str, Any]:
        [job] = [job for job in self.state()["jobs"] if job["job"] == id]
        return dict(job)

    def part(self, name: str) -> dict[str, Any]:
        [part] = [part for part in self.state()["parts"] if part["name"] == name]
        return dict(part)

    def order(self, order_id: str) -> dict[str, Any] | None:
        return next((one for one in self.state()["orders"] if one["orderId"] == order_id), None)

    def breaker(self, owner: str, name: str) -> str:
        return next(
            (
                one["state"]
                for one in self.state()["breakers"]
                if (one["owner"], one["name"]) == (owner, name)
            ),
            "",
        )

    def events(self, seconds: float) -> Iterator[tuple[float, dict[str, Any]]]:
        """The states that are sent, each with when it came."""
        end = time.monotonic() + seconds
        with self.session.get(f"{self.url}/api/events", stream=True, timeout=30) as stream:
            name = ""
            for line in stream.iter_lines():
                if line.startswith(b"event: "):
                    name = line.removeprefix(b"event: ").decode()
                elif line.startswith(b"data: ") and name == "state":
                    yield time.monotonic(), json.loads(line.removeprefix(b"data: "))
                if time.monotonic() > end:
                    return


@pytest.fixture
def panel(shop: RunningShop) -> Iterator[Panel]:
    """In front of a shop that is well, before and after."""
    panel = Panel(shop)
    shop.until(lambda: all(part["state"] == "up" for part in panel.state()["parts"]), 60)
    yield panel
    shop.run("heal")


@contextmanager
def open_page(panel: Panel) -> Iterator[list[tuple[float, dict[str, Any]]]]:
    """The states that a page gets meanwhile."""
    states: list[tuple[float, dict[str, Any]]] = []
    over = threading.Event()

    def read() -> None:
        for state in Panel(panel._shop).events(300):
            states.append(state)
            if over.is_set():
                return

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    panel._shop.until(lambda: states)
    try:
        yield states
    finally:
        over.set()
        reader.join(10)


def test_the_page_is_served_whole_and_fetches_nothing_from_elsewhere(panel: Panel) -> None:
    page = panel.get("/")

    assert page.status_code == 200
    assert "<title>" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_every_part_is_shown_with_its_instances(panel: Panel) -> None:
    shown = {
        part["name"]: [one["id"] for one in part["instances"]] for part in panel.state()["parts"]
    }

    assert shown["order-service"] == ["order-service-1"]
    assert set(shown) >= {"gateway", "discovery", "config-server", "kafka", "postgres", "zipkin"}
    assert all(shown.values())


@processes_only
def test_a_killed_catalog_is_seen_at_once_and_so_are_the_breaker_and_the_order(
    shop: RunningShop, panel: Panel
) -> None:
    customer = shop.customer()
    assert customer.place().status_code == 201
    with open_page(panel) as states:
        shop.kill("catalog-service")
        shop.until(
            lambda: any(
                part["name"] == "catalog-service" and part["state"] == "down"
                for part in states[-1][1]["parts"]
            ),
            20,
        )

        orders = [customer.place().json()["orderId"] for _ in range(6)]
        shop.until(lambda: panel.breaker("order-service-1", "catalog-service") == "OPEN", 20)

    shop.until(lambda: panel.order(orders[-1]), 20)
    pending = panel.order(orders[-1])
    assert pending is not None
    assert (pending["status"], pending["degraded"]) == ("PENDING", True)
    assert [fault["kind"] for fault in panel.state()["faults"]] == ["kill"]

    shop.start("catalog-service")
    shop.until(lambda: (panel.order(orders[-1]) or {}).get("status") == "CONFIRMED", 60)
    assert customer.place().status_code == 201
    shop.until(lambda: panel.breaker("order-service-1", "catalog-service") == "CLOSED", 60)
    life = panel.get(f"/api/orders/{orders[-1]}").json()
    names = [step["name"] for step in life["steps"]]
    assert names == ["placed", "published", "stock taken", "decided"]
    times = [step["at"] for step in life["steps"]]
    assert times[0] <= times[1] <= times[2]
    kinds = [event["kind"] for event in panel.state()["history"]]
    assert {"instance-gone", "breaker-opened", "breaker-closed", "instance-come"} <= set(kinds)


@processes_only
@pytest.mark.parametrize("part", ["kafka", "postgres"])
def test_what_stands_still_is_said_and_the_state_flows_on(
    shop: RunningShop, panel: Panel, part: str
) -> None:
    with open_page(panel) as states:
        shop.run("pause", part)
        shop.until(
            lambda: any(
                one["name"] == part and one["state"] in ("down", "paused")
                for one in states[-1][1]["parts"]
            ),
            20,
        )
        # The part still stands still: a page that waited for it would hear of nothing more.
        so_far = len(states)
        shop.until(lambda: len(states) >= so_far + 3, 30)
        shop.run("heal")
        shop.until(lambda: panel.part(part)["state"] == "up", 30)


@pytest.mark.parametrize("path", ["/", "/api/state", "/api/session", "/actuator/env"])
def test_another_host_and_another_origin_are_refused_on_everything(panel: Panel, path: str) -> None:
    for headers in (
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        assert panel.get(path, **headers).status_code == 403


def test_hands_need_the_session_its_token_and_our_own_page(panel: Panel) -> None:
    assert panel.post("kill", CATALOG).status_code == 401
    panel.sign_in()

    assert panel.post("kill", CATALOG, **{"X-CSRF-Token": "guessed"}).status_code == 403
    assert panel.post("kill", CATALOG, Origin="http://evil.example").status_code == 403
    assert panel.post("kill", {"service": "nobody"}).status_code == 422
    assert panel.part("catalog-service")["state"] == "up"
    wrong = requests.post(f"{panel.url}/api/session", json={"password": "guess"}, timeout=10)
    assert wrong.status_code == 401


@processes_only
def test_a_hand_does_what_its_make_command_does(shop: RunningShop, panel: Panel) -> None:
    panel.sign_in()

    assert panel.do("kill", **CATALOG)["command"] == "make kill SERVICE=catalog-service"
    assert shop.faults() == {"catalog-service-1": ["killed"]}
    assert panel.do("start", **CATALOG)["state"] == "done"
    assert "CONFIRMED" in panel.do("order", qty=2)["text"]
    assert panel.do("verify")["state"] == "done"


@processes_only
def test_a_steady_load_goes_on_until_it_is_ended(shop: RunningShop, panel: Panel) -> None:
    panel.sign_in()
    job = panel.post("traffic", {"rate": 10}).json()["job"]

    def rate() -> float:
        arrows = panel.state()["arrows"]
        return next(float(one["rate"] or 0) for one in arrows if one["from"] == "client")

    shop.until(lambda: rate() > 3, 30)
    assert panel.job(job)["state"] == "running"
    panel.post("traffic", {"rate": 0})
    shop.until(lambda: panel.job(job)["state"] != "running", 20)


@processes_only
def test_a_lesson_is_told_line_by_line(shop: RunningShop, panel: Panel) -> None:
    panel.sign_in()
    panel.do("lesson", name=1)

    lesson = panel.state()["lesson"]
    assert (lesson["step"], lesson["steps"]) == (1, 8)
    assert {"says", "does", "asserts"} <= {line["kind"] for line in lesson["lines"]}


def test_a_changed_key_of_the_configuration_is_told(shop: RunningShop, panel: Panel) -> None:
    key = "fusebox.breaker.fail-max"
    with open_page(panel):
        shop.run("set", key, "7", "--service", "order-service")
        try:
            shop.until(lambda: any(key in one["text"] for one in panel.state()["history"]), 15)
        finally:
            shop.run("set", key, "--service", "order-service")


def actuator_requests(shop: RunningShop, service: str) -> int:
    """How often it was asked so far for one of its inner pages."""
    page = requests.get(
        f"{shop.url_of(service)}/actuator/prometheus", headers=shop.operator(service), timeout=5
    )
    counts = [
        line
        for line in page.text.splitlines()
        if line.startswith("http_server_requests_seconds_count") and "/actuator" in line
    ]
    return sum(round(float(line.rpartition(" ")[2])) for line in counts)


def test_twenty_pages_cause_no_more_polls_than_one(shop: RunningShop, panel: Panel) -> None:
    def polls(seconds: float) -> int:
        before = actuator_requests(shop, "order-service")
        time.sleep(seconds)
        return actuator_requests(shop, "order-service") - before

    with ExitStack() as pages:
        pages.enter_context(open_page(panel))
        one = polls(6)
        for _ in range(19):
            pages.enter_context(open_page(panel))
        twenty = polls(6)

    assert 0 < twenty <= one * 1.5 + 3


@processes_only
def test_the_shop_does_not_notice_a_dead_panel(shop: RunningShop, panel: Panel) -> None:
    shop.kill("panel")
    try:
        assert shop.customer().place_order("CATALOG-0001", wait=5).status == "CONFIRMED"
    finally:
        shop.start("panel")


def test_watch_tells_the_essentials_in_plain_lines(shop: RunningShop, panel: Panel) -> None:
    watched = shop.run("watch", "--seconds", "1")

    assert "parts are up" in watched.stdout
    assert "\x1b" not in watched.stdout


@processes_only
def test_watch_says_what_to_do_without_a_panel(shop: RunningShop, panel: Panel) -> None:
    shop.run("stop", "panel")
    try:
        refused = shop.run("watch", "--seconds", "1", check=False)
    finally:
        shop.start("panel")

    assert refused.returncode == 1
    assert "make start SERVICE=panel" in refused.stderr

"""The page at `/` and the figures: what they say, and that names cannot do anything in them."""

import html.parser
import re
from dataclasses import replace

import pytest

from chassis.web import pages
from discovery.registry.models import DataCenter, InstanceInfo, InstanceStatus, RegistryClock
from discovery.registry.registry import Registry
from discovery.registry.rules import LeaseRules
from discovery.replication.peer_client import PeerSettings, Replica, Replicas
from discovery.replication.pending_changes import PendingChanges
from discovery.web.dashboard import INSTANCES_SHOWN, Dashboard
from discovery.web.metrics import RegistryMetrics

PROBE = InstanceInfo("PROBE", "h:1", "h", "127.0.0.1", DataCenter("MyOwn"))


class Page:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        clock = RegistryClock(lambda: self.now, lambda: self.now)
        self.registry = Registry(clock, lambda: LeaseRules(0, 180, 0.85))
        self.replicas = Replicas(self.registry, clock, PeerSettings, "127.0.0.1", 1)
        self.replica = Replica("http://other:8761/eureka/", PendingChanges(self.registry, clock))
        monkeypatch.setattr(self.replicas, "all", lambda: [self.replica])
        self.metrics = RegistryMetrics(self.registry, self.replicas)
        self.panel = ""
        self._dashboard = Dashboard(self.registry, self.replicas, clock, lambda: self.panel)

    def html(self) -> str:
        self.registry.sweep()
        return self._dashboard.html()

    def text(self) -> str:
        return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", self.html()))


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(monkeypatch)


class Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.started: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.started.append((tag, dict(attrs)))


def tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(text)
    return parser.started


def test_the_page_shows_instances_with_status_and_age_of_their_leases(page: Page) -> None:
    page.registry.register(PROBE)
    page.now += 7
    page.registry.renew("PROBE", "h:1")
    page.now += 5

    assert "PROBE h:1 UP 5 s ago 12 s ago" in page.text()


def test_an_overridden_status_is_marked_as_set_by_hand(page: Page) -> None:
    page.registry.register(PROBE)
    page.registry.override_status("PROBE", "h:1", InstanceStatus.OUT_OF_SERVICE)

    assert "OUT_OF_SERVICE (by hand)" in page.text()


def test_the_page_shows_who_registered_and_who_left_last(page: Page) -> None:
    for id_ in ("first", "second"):
        page.registry.register(replace(PROBE, instance_id=id_))
    page.registry.cancel("PROBE", "first")
    page.registry.register(replace(PROBE, instance_id="short", duration_seconds=1))
    page.now += 2

    _, _, lately = page.text().partition("Last registered")
    registered, _, gone = lately.partition("Last cancelled or evicted")

    assert [registered.index(id_) for id_ in ("short", "second", "first")] == sorted(
        registered.index(id_) for id_ in ("short", "second", "first")
    )
    assert re.search(r"PROBE short evicted .* PROBE first cancelled", gone)


def test_the_page_and_the_metrics_show_self_preservation(page: Page) -> None:
    for number in range(10):
        page.registry.register(replace(PROBE, instance_id=str(number), duration_seconds=5))
    assert "Self-preservation: not needed" in page.text()

    page.now += 60

    assert "nobody is evicted" in page.text()
    assert b"eureka_server_self_preservation 1.0" in page.metrics.exposition()
    assert b"eureka_server_leases_overdue 10.0" in page.metrics.exposition()


def test_the_page_shows_the_state_of_the_replicas(page: Page) -> None:
    assert "http://other:8761/eureka/ not contacted yet never 0" in page.text()

    page.replica.reached, page.replica.error = False, "ConnectionError(<gone>)"
    assert "unreachable: ConnectionError(&lt;gone&gt;)" in page.html()
    page.replica.reached = True
    assert "reached" in page.text()


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "\"><img src=x onerror='alert(1)'>",
        "</style><svg/onload=alert(1)>",
        "&lt;b&gt;",
    ],
)
def test_registered_names_are_escaped_in_the_page(page: Page, name: str) -> None:
    page.registry.register(
        replace(PROBE, app=name, instance_id=name, texts={"statusPageUrl": f"http://h/{name}"})
    )
    page.registry.register(replace(PROBE, instance_id="b"))
    page.registry.cancel("PROBE", "b")

    shown = tags(page.html())

    assert {tag for tag, _ in shown}.isdisjoint({"script", "img", "svg", "b"})
    assert [attributes["href"] for tag, attributes in shown if tag == "a"] == [f"http://h/{name}"]


def test_only_a_web_address_becomes_a_link(page: Page) -> None:
    page.registry.register(replace(PROBE, texts={"statusPageUrl": "javascript:alert(1)"}))

    assert "a" not in {tag for tag, _ in tags(page.html())}


def test_the_page_loads_nothing_and_its_policy_forbids_it(page: Page) -> None:
    page.registry.register(PROBE)

    [icon] = [attributes for tag, attributes in tags(page.html()) if tag == "link"]
    assert icon["rel"] == "icon"
    assert (icon["href"] or "").startswith("data:image/svg+xml,")
    assert {tag for tag, _ in tags(page.html())}.isdisjoint({"script", "img", "iframe"})
    assert "default-src 'none'" in pages.HEADERS["Content-Security-Policy"]


def test_the_page_shows_some_of_very_many_instances_and_counts_the_rest(page: Page) -> None:
    for number in range(INSTANCES_SHOWN + 10):
        page.registry.register(replace(PROBE, instance_id=f"h:{number}"))

    assert "… and 10 more" in page.text()


def test_the_metrics_count_instances_events_and_replicas(page: Page) -> None:
    page.registry.register(PROBE)
    page.registry.renew("PROBE", "h:1")

    exposed = page.metrics.exposition().decode()

    assert 'eureka_server_instances{application="PROBE",status="UP"} 1.0' in exposed
    assert "eureka_server_registrations_total 1.0" in exposed
    assert "eureka_server_renewals_last_minute 1.0" in exposed
    assert 'eureka_server_replica_reached{replica="http://other:8761/eureka/"} 0.0' in exposed
    page.now += 61
    assert b"eureka_server_renewals_last_minute 0.0" in page.metrics.exposition()


def test_the_page_leads_to_the_panel(page: Page) -> None:
    page.panel = "http://127.0.0.1:8080"

    assert '<a href="http://127.0.0.1:8080/">' in page.html()

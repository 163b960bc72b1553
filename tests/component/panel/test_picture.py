"""What the page shows of a shop: whether it works, its fuses, its orders, its words."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ...browser import needs_browser
from .snapshots import healthy, part_of, service, without_catalog
from .stage import Stage

pytestmark = needs_browser
MARKUP = "<img src=x onerror=alert(1)><b>bold</b>"


def fuse(page: Page, caller: str, called: str) -> Any:
    return page.get_by_role("button", name=f"Fuse from {caller} to {called}")


def test_a_healthy_shop_is_said_to_work(page: Page) -> None:
    expect(page.locator(".headline")).to_have_text("The shop works.")
    expect(page.locator(".figures")).to_contain_text("12.3/s")


def test_what_is_broken_is_said_in_sentences(page: Page, stage: Stage) -> None:
    stage.snapshot = without_catalog()

    expect(page.locator(".headline")).to_have_text(
        "Something is broken, and orders are still taken."
    )
    problems = page.locator(".problems")
    expect(problems).to_contain_text("catalog-service is down.")
    expect(problems).to_contain_text("The fuse from order-service to catalog-service is blown")
    expect(page.locator(".faults")).to_contain_text("killed, and it stays dead")


@pytest.mark.parametrize("name", ["gateway", "order-service", "postgres"])
def test_a_shop_that_takes_no_orders_says_so(page: Page, stage: Stage, name: str) -> None:
    snapshot = without_catalog()
    part_of(snapshot, name)["state"] = "paused"
    stage.snapshot = snapshot

    expect(page.locator(".headline")).to_have_text("Nobody can order.")


def test_a_part_that_only_starts_is_not_called_broken(page: Page, stage: Stage) -> None:
    snapshot = healthy()
    part_of(snapshot, "zipkin")["state"] = "starting"
    stage.snapshot = snapshot

    expect(page.locator(".headline")).to_have_text(
        "The shop takes orders, and is not all there yet."
    )
    expect(page.locator(".problems")).to_contain_text("zipkin is starting.")


def test_fuses_are_told_apart_by_shape_and_by_word(page: Page, stage: Stage) -> None:
    stage.snapshot = without_catalog()
    states = {
        "whole": fuse(page, "gateway", "user-service"),
        "BLOWN": fuse(page, "order-service", "catalog-service"),
        "on trial": fuse(page, "user-service", "order-service"),
    }

    for word, drawn in states.items():
        expect(drawn).to_contain_text(word)
    shapes = {drawn.locator(".fuse").inner_html() for drawn in states.values()}
    assert len(shapes) == len(states)


def test_a_fuse_shows_the_reason_its_count_and_the_wait_for_the_trial(
    page: Page, stage: Stage
) -> None:
    stage.snapshot = without_catalog()

    blown = fuse(page, "order-service", "catalog-service")
    expect(blown).to_contain_text("trial in 8 s")
    expect(blown).to_contain_text("trial in 6 s")  # it counts down between two snapshots
    expect(blown).to_have_attribute("aria-label", contains("connection refused by 127.0.0.1:41000"))
    expect(fuse(page, "gateway", "catalog-service").locator(".dots .filled")).to_have_count(3)


def contains(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text))


def test_of_several_instances_the_blown_fuses_are_counted(page: Page, stage: Stage) -> None:
    snapshot = without_catalog()
    second = next(fuse for fuse in snapshot["breakers"] if fuse["owner"] == "order-service-2")
    second["state"] = "CLOSED"
    stage.snapshot = snapshot

    expect(fuse(page, "order-service", "catalog-service")).to_contain_text("1 of 2 BLOWN")


def test_a_call_for_keys_alone_is_drawn_once_its_fuse_is_not_whole(
    page: Page, stage: Stage
) -> None:
    expect(fuse(page, "order-service", "user-service")).to_have_count(0)

    snapshot = without_catalog()
    upwards = next(
        fuse
        for fuse in snapshot["breakers"]
        if (fuse["owner"], fuse["name"]) == ("order-service-1", "user-service")
    )
    upwards.update(state="OPEN", nextTrialIn=9.0)
    stage.snapshot = snapshot

    expect(fuse(page, "order-service", "user-service")).to_contain_text("BLOWN")


def test_a_service_that_a_reader_adds_is_drawn_with_whom_it_calls(page: Page, stage: Stage) -> None:
    snapshot = without_catalog()
    snapshot["parts"].append(service("review-service"))
    snapshot["arrows"].append(
        {**snapshot["arrows"][0], "from": "review-service", "to": "catalog-service"}
    )
    stage.snapshot = snapshot

    expect(page.get_by_role("button", name="review-service. up")).to_be_visible()
    expect(fuse(page, "review-service", "catalog-service")).to_be_visible()


def test_a_topic_shows_the_lag_of_its_reader(page: Page, stage: Stage) -> None:
    stage.snapshot = without_catalog()

    expect(page.locator(".topic", has_text="orders")).to_contain_text("lag 37")


def test_orders_move_as_they_are_decided(page: Page, stage: Stage) -> None:
    stage.snapshot = without_catalog()
    first = page.locator(".orders > li").first
    expect(first).to_contain_text("PENDING")
    expect(first).to_contain_text("degraded")

    snapshot = without_catalog()
    snapshot["orders"][0].update(status="CONFIRMED", decidedAt=snapshot["at"])
    stage.snapshot = snapshot

    expect(first).to_contain_text("CONFIRMED")
    expect(page.locator(".tally")).to_contain_text("3 PENDING")


def test_a_click_on_an_order_tells_its_life(page: Page, stage: Stage) -> None:
    order = stage.snapshot["orders"][0]
    stage.life = {
        "orderId": order["orderId"],
        "status": "CONFIRMED",
        "degraded": False,
        "steps": [
            {"name": "placed", "at": "2026-03-01T09:30:00.000Z"},
            {"name": "published", "at": "2026-03-01T09:30:00.012Z"},
            {"name": "stock taken", "at": "2026-03-01T09:30:00.030Z"},
            {"name": "decided", "at": None},
        ],
        "traceUrl": order["traceUrl"],
    }

    page.locator(".order").first.click()

    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(order["orderId"])
    expect(dialog.locator(".steps li")).to_have_count(4)
    expect(dialog.locator(".steps")).to_contain_text("stock taken")
    expect(dialog.locator(".steps")).to_contain_text("+30 ms")
    expect(dialog.locator(".steps li").last).to_contain_text("not yet")
    expect(dialog.get_by_role("link", name="Its trace in Zipkin")).to_have_attribute(
        "href", order["traceUrl"]
    )


def test_an_order_of_which_nothing_is_known_says_so(page: Page) -> None:
    page.locator(".order").first.click()

    expect(page.get_by_role("dialog")).to_contain_text("Nothing more is known of this order.")


def test_what_customers_wrote_is_shown_as_text(page: Page, stage: Stage) -> None:
    snapshot = without_catalog()
    snapshot["orders"][0]["lines"][0]["productName"] = MARKUP
    snapshot["orders"][0]["traceUrl"] = "javascript:alert(1)"
    snapshot["history"][0]["text"] = MARKUP
    snapshot["faults"][0]["text"] = MARKUP
    part_of(snapshot, "catalog-service")["reason"] = MARKUP
    part_of(snapshot, "kafka")["topics"][0]["name"] = MARKUP
    stage.snapshot = snapshot

    expect(page.locator(".order").first).to_contain_text(MARKUP)
    expect(page.locator(".history")).to_contain_text(MARKUP)
    expect(page.locator(".faults")).to_contain_text(MARKUP)
    page.locator(".order").first.click()
    expect(page.get_by_role("dialog")).to_contain_text(MARKUP)
    assert page.locator("main img, dialog img, [onerror]").count() == 0
    assert page.locator("a[href^=javascript]").count() == 0


def test_a_part_tells_of_itself_and_offers_what_can_be_done_to_it(page: Page, stage: Stage) -> None:
    part_of(stage.snapshot, "zipkin")["addresses"] = [
        {"label": "Traces", "url": "http://127.0.0.1:9411/zipkin/"}
    ]
    page.get_by_role("button", name="zipkin. up").click()

    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("link", name="Traces")).to_be_visible()
    expect(dialog.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    expect(dialog.get_by_role("button", name="Scale", exact=True)).to_have_count(0)


def test_a_lost_panel_is_said_at_once_and_comes_back_by_itself(page: Page, stage: Stage) -> None:
    stage.go()
    expect(page.locator(".headline")).to_contain_text("does not answer", timeout=1_000)
    expect(page.locator("#picture-frame")).to_have_css("opacity", "0.55")

    stage.come()
    expect(page.locator(".headline")).to_have_text("The shop works.")


def test_a_panel_that_holds_its_connections_and_says_nothing_is_noticed(
    page: Page, stage: Stage
) -> None:
    stage.is_silent = True
    expect(page.locator(".headline")).to_contain_text("does not answer", timeout=8_000)

    stage.is_silent = False
    stage.snapshot = without_catalog()
    expect(page.locator(".headline")).to_contain_text("orders are still taken", timeout=8_000)


def test_the_invariants_are_told_with_their_figures(page: Page, stage: Stage) -> None:
    snapshot = without_catalog()
    snapshot["invariants"][1].update(holds=False, figures="least stock: -2")
    stage.snapshot = snapshot

    broken = page.locator(".invariants .broken")
    expect(broken).to_contain_text("no stock below zero")
    expect(broken).to_contain_text("BROKEN")
    expect(broken).to_contain_text("least stock: -2")


def test_a_lesson_is_told_beside_the_picture(page: Page, stage: Stage) -> None:
    snapshot = without_catalog()
    snapshot["lesson"] = {
        "running": True,
        "step": 2,
        "steps": 8,
        "title": "catalog-service is killed",
        "lines": [
            {"kind": "does", "text": "kill catalog-service"},
            {"kind": "asserts", "text": "Orders are still accepted."},
        ],
    }
    stage.snapshot = snapshot

    lesson = page.locator("#lesson")
    expect(lesson).to_contain_text("2 of 8: catalog-service is killed")
    expect(lesson).to_contain_text("✓Orders are still accepted.")
    expect(lesson.get_by_role("button", name="Stop the lesson")).to_be_visible()
    assert is_beside(page, "#lesson", "#picture")


def is_beside(page: Page, one: str, other: str) -> bool:
    left, right = page.locator(other).bounding_box(), page.locator(one).bounding_box()
    assert left
    assert right
    return left["x"] + left["width"] <= right["x"] and right["y"] < left["y"] + left["height"]

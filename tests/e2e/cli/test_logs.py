"""The story of one order, told by the logs of all processes."""

import json
from typing import Any


def test_an_order_leads_to_its_lines_in_every_process_in_the_order_of_time(shop: Any) -> None:
    answer = shop.customer().place(wait=5)
    order_id, trace_id = answer.json()["orderId"], answer.headers["X-Trace-Id"]

    def events(option: str, value: str) -> list[dict[str, Any]]:
        done = shop.run("logs", option, value, "--json", check=False)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def actions() -> set[tuple[str, str]]:
        story = events("--order", order_id)
        return {(event["service.name"], event["event.action"]) for event in story}

    whole = {
        ("gateway", "request"),
        ("order-service", "request"),
        ("catalog-service", "request"),
        ("order-service", "order.placed"),
        ("catalog-service", "order.placed"),
        ("order-service", "stock.reserved"),
    }
    shop.until(lambda: whole <= actions(), 20)
    story = events("--order", order_id)
    times = [event["@timestamp"] for event in story]
    assert times == sorted(times)
    assert {json.dumps(event) for event in events("--trace", trace_id)} == {
        json.dumps(event) for event in story
    }
    assert "ms" in shop.run("logs", "--trace", trace_id).stdout

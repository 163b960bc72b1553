"""The page as a program: small, quick, from one place, and no larger after a day than at first."""

from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page

from ...browser import needs_browser, opened_page
from .snapshots import ago, healthy, order, without_catalog
from .stage import Stage

pytestmark = needs_browser
MOST_BYTES = 200_000
FIRST_PAINT_SECONDS = 0.5
SNAPSHOTS = 120


def show(page: Page, stage: Stage, number: int) -> None:
    """One more of many: new orders, new events, and a fuse that blows every other time."""
    snapshot = without_catalog() if number % 2 else healthy()
    snapshot["orders"] = [order(1000 * number + index) for index in range(50)]
    snapshot["history"] = [
        {"at": ago(index), "kind": "instance-come", "subject": f"i-{number}-{index}", "text": "…"}
        for index in range(200)
    ]
    stage.snapshot = snapshot
    page.wait_for_function(
        "number => document.querySelector('.history').textContent.includes(`i-${number}-0 `) ||"
        " document.querySelector('.history').textContent.includes(`i-${number}-0`)",
        arg=number,
    )


def footprint(page: Page) -> tuple[int, int]:
    """Nodes of the document with all that is kept of those removed, and bytes of the heap."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("HeapProfiler.collectGarbage")
    metrics = {
        metric["name"]: int(metric["value"])
        for metric in session.send("Performance.getMetrics")["metrics"]
    }
    session.detach()
    return metrics["Nodes"], metrics["JSHeapUsedSize"]


def test_a_page_left_open_does_not_grow(page: Page, stage: Stage) -> None:
    for number in range(20):
        show(page, stage, number)
    nodes, heap = footprint(page)

    for number in range(20, 20 + SNAPSHOTS):
        show(page, stage, number)

    nodes_after, heap_after = footprint(page)
    assert nodes_after < 1.2 * nodes
    assert heap_after < 1.5 * heap


def test_the_page_is_small_and_all_of_it_is_the_panels(browser: Browser, stage: Stage) -> None:
    context = browser.new_context()
    page = context.new_page()
    sizes: dict[str, int] = {}
    page.on(
        "response",
        lambda answer: sizes.update({answer.url: int(answer.headers.get("content-length", 0))}),
    )
    page.goto(stage.url)
    page.wait_for_selector(".shop")

    assert {urlsplit(url).netloc for url in sizes} == {urlsplit(stage.url).netloc}
    assert sum(sizes.values()) < MOST_BYTES
    context.close()


def test_the_page_is_painted_at_once(browser: Browser, stage: Stage) -> None:
    with opened_page(browser, stage.url) as page:
        page.reload()
        page.wait_for_selector(".shop")
        seconds = [
            page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            / 1000
        ]

        assert min(seconds) < FIRST_PAINT_SECONDS

"""The panel of a running shop in a browser: break it from the page, and see it come back.

With FUSEBOX_PICTURES=1 the pictures of the README are made on the way: `docs/pictures`.
"""

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from ...browser import needs_browser, opened_browser, opened_page
from ...running import RunningShop, processes_only

# In containers the hands are off.
pytestmark = [needs_browser, processes_only]
CALLER, CALLED = "order-service", "catalog-service"
RECOVERED_WITHIN_MS = 60_000
MARKUP = "<img src=x onerror=alert(1)>"
PICTURES = Path(__file__).resolve().parents[3] / "docs" / "pictures"
PICTURES_ARE_WANTED = "FUSEBOX_PICTURES" in os.environ


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, shop: RunningShop) -> Iterator[Page]:
    with opened_page(browser, address(shop)) as opened:
        yield opened
    shop.run("heal")


def address(shop: RunningShop) -> str:
    host, port = shop.address("panel")
    return f"http://{host}:{port}/"


def password(shop: RunningShop) -> str:
    return (shop.stack.secrets / "admin-password").read_text().strip()


def fuse(page: Page) -> Locator:
    return page.get_by_role("button", name=f"Fuse from {CALLER} to {CALLED}")


def press(page: Page, shop: RunningShop, name: str) -> None:
    """A hand; the first asks who it is."""
    page.locator("#hands").get_by_role("button", name=name, exact=True).click()
    field = page.get_by_label("Password of the admin")
    if field.is_visible():
        field.fill(password(shop))
        page.keyboard.press("Enter")
        expect(page.locator("#dialog")).to_be_hidden()


def picture(page: Page, name: str) -> None:
    """What is seen now, in light and in dark, for the README."""
    if not PICTURES_ARE_WANTED:
        return
    PICTURES.mkdir(exist_ok=True)
    page.evaluate("window.scrollTo(0, 0)")
    page.locator("#toast").wait_for(state="hidden")
    session = page.context.new_cdp_session(page)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(300)
        shot = session.send("Page.captureScreenshot", {"format": "webp", "quality": 80})
        (PICTURES / f"{name}-{scheme}.webp").write_bytes(base64.b64decode(shot["data"]))
    page.emulate_media(color_scheme="light")


def test_a_service_killed_from_the_page_blows_a_fuse_that_is_whole_again_when_it_is_back(
    page: Page, shop: RunningShop
) -> None:
    press(page, shop, "Steady load")
    first_order = page.locator(".orders > li").first
    expect(first_order).to_contain_text("CONFIRMED", timeout=20_000)
    expect(fuse(page)).to_contain_text("whole", timeout=20_000)
    expect(page.locator(".shop .flow").first).to_be_attached(timeout=20_000)
    if PICTURES_ARE_WANTED:
        page.wait_for_selector(".orders > li:nth-child(12)", timeout=60_000)
    picture(page, "panel-healthy")

    page.get_by_role("button", name=f"{CALLED}. up").click()
    page.get_by_role("dialog").get_by_role("button", name="Kill", exact=True).click()
    shop.until(lambda: shop.breaker(CALLER, CALLED)["state"] == "OPEN", 30)
    expect(fuse(page)).to_contain_text("BLOWN", timeout=20_000)
    expect(page.locator(".headline")).to_contain_text("orders are still taken")
    expect(page.locator(".faults")).to_contain_text(CALLED)
    expect(first_order).to_contain_text("PENDING")
    expect(first_order).to_contain_text("degraded")
    picture(page, "panel-blown")

    press(page, shop, "Stop the load")
    waiting = shop.customer().place_order("CATALOG-0001").order_id
    decided = page.locator(f'.orders > li[data-order="{waiting}"]')
    expect(decided).to_contain_text("PENDING")
    press(page, shop, "Start")
    expect(decided).to_contain_text("CONFIRMED", timeout=RECOVERED_WITHIN_MS)
    shop.customer().place_order("CATALOG-0001")
    expect(fuse(page)).to_contain_text("whole", timeout=RECOVERED_WITHIN_MS)


def test_an_order_of_the_page_can_be_followed_to_its_trace(page: Page, shop: RunningShop) -> None:
    press(page, shop, "Place an order")
    row = page.locator(".order").first
    expect(row).to_contain_text("CONFIRMED", timeout=20_000)

    row.click()

    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".steps .reached")).to_have_count(4, timeout=10_000)
    trace = dialog.get_by_role("link", name="Its trace in Zipkin").get_attribute("href")
    assert trace
    assert "/zipkin/traces/" in trace


def test_what_a_customer_can_write_is_shown_as_text(page: Page, shop: RunningShop) -> None:
    product = {"productId": "MARKUP-1", "productName": MARKUP, "unitPrice": 5, "stock": 10}
    assert shop.admin().call("POST", "/catalog-service/catalogs", json=product).ok
    shop.until(lambda: shop.customer().place("MARKUP-1").ok)

    expect(page.locator(".order").first).to_contain_text(MARKUP)
    assert page.locator("main img").count() == 0


def test_the_keyboard_alone_kills_and_heals(page: Page, shop: RunningShop) -> None:
    page.keyboard.press("3")
    go_to(page, "Kill")
    page.keyboard.press("Enter")
    page.keyboard.type(password(shop))
    page.keyboard.press("Enter")
    expect(page.locator(".faults")).to_contain_text(CALLED, timeout=10_000)

    page.keyboard.press("3")
    go_to(page, "Heal everything")
    page.keyboard.press("Enter")

    expect(page.locator(".faults")).to_have_count(0, timeout=30_000)


def go_to(page: Page, button: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == button:
            return
    raise AssertionError(f"Tab does not come to {button}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_rule_of_axe_finds_anything_serious_on_the_page_of_a_shop(
    page: Page, scheme: str
) -> None:
    page.locator("summary").click()
    # Contrast is that of what has faded in; what moves on and on is never at its end.
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page.wait_for_timeout(1_000)

    found = Axe().run(page).response["violations"]
    assert [rule["id"] for rule in found if rule["impact"] in ("serious", "critical")] == []

"""A real Chromium for the tests of the panel's page; without one they are skipped."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium here: apt-get install chromium"
)
# As root, and in most containers, Chromium has no sandbox; it loads nothing but the page.
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]
LAPTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
LONGEST_WAIT_MS = 8_000


@contextmanager
def opened_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def opened_page(browser: Browser, url: str, **wishes: Any) -> Iterator[Page]:
    """The page as a reader with these `wishes` sees it; what it complains of fails the test."""
    complaints: list[str] = []
    context = browser.new_context(**{"viewport": LAPTOP, "locale": "en-GB", **wishes})
    page = context.new_page()
    page.set_default_timeout(LONGEST_WAIT_MS)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if is_complaint(message) else None,
    )
    page.goto(url)
    page.wait_for_selector(".shop")
    yield page
    context.close()
    assert not complaints, complaints


def is_complaint(message: Any) -> bool:
    """A panel that is away, or refuses, is told of on the page; the console says it as well."""
    return message.type in ("error", "warning") and "Failed to load resource" not in message.text

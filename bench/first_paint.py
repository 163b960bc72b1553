"""How soon the panel's page is painted in a browser that has it in its cache."""

import shutil
import statistics

from playwright.sync_api import sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TIMES = 9
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"
DRAWN = ".shop"


def seconds(url: str) -> tuple[float, float] | None:
    """Until something is painted, and until the shop is drawn: medians; None without a browser."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = browser.new_page()
        painted, drawn = [], []
        for _ in range(TIMES + 1):
            page.goto(url)
            page.wait_for_selector(DRAWN)
            drawn.append(page.evaluate("performance.now() / 1000"))
            painted.append(page.evaluate(PAINTED))
        browser.close()
    # The first one fills the cache.
    return statistics.median(painted[1:]), statistics.median(drawn[1:])

"""The page in a browser, before a stage that shows it what a test wishes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from ...browser import opened_browser, opened_page
from .stage import Stage, opened_stage


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not for the session: while it is there, no other test can run an event loop of its own.
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def stage() -> Iterator[Stage]:
    with opened_stage() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, stage: Stage) -> Iterator[Page]:
    with opened_page(browser, stage.url) as opened:
        yield opened

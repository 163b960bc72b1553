"""The page for whoever reads it: keyboard, screen reader, phone, hall, night, no motion, Korean."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from ...browser import PHONE, needs_browser, opened_page
from .snapshots import without_catalog
from .stage import Stage

pytestmark = needs_browser
SEVERE = ("serious", "critical")
LARGEST_STEPS = 6
# By its outline, or in the picture by the thick edge of its box.
FOCUS_IS_SEEN = """() => {
  const focused = document.activeElement;
  const box = focused.querySelector(".box, .back");
  const edge = box && getComputedStyle(box).strokeWidth === "4px";
  return edge || getComputedStyle(focused).outlineStyle !== "none";
}"""
READERS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": PHONE},
    "Korean": {"locale": "ko-KR"},
    "no motion": {"reduced_motion": "reduce"},
}


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest, browser: Browser, stage: Stage) -> Iterator[Page]:
    stage.snapshot = without_catalog()
    with opened_page(browser, stage.url, **READERS[request.param]) as page:
        yield page


# What moves on and on, as the flow on an arrow does, is never at its end.
AT_REST = """Promise.all(
    document.getAnimations()
        .filter((one) => one.effect.getComputedTiming().iterations !== Infinity)
        .map((one) => one.finished.catch(() => null))
)"""


def findings(page: Page) -> list[str]:
    """What axe-core holds to be serious, of all its rules, once nothing fades in any more."""
    page.evaluate(AT_REST)
    results = Axe().run(page).response
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in results["violations"]
        if violation["impact"] in SEVERE
        for node in violation["nodes"]
    ]


def test_no_reader_is_shut_out(reader: Page) -> None:
    reader.locator("summary").click()

    assert findings(reader) == []


def test_no_dialog_shuts_a_reader_out(reader: Page) -> None:
    for opener in (".part.service", ".holder", ".order"):
        reader.locator(opener).first.click()
        expect(reader.locator("#dialog")).to_be_visible()
        assert findings(reader) == []
        reader.keyboard.press("Escape")
    reader.keyboard.press("?")
    assert findings(reader) == []


@pytest.mark.parametrize("steps", range(LARGEST_STEPS + 1))
def test_a_phone_never_scrolls_sideways(browser: Browser, stage: Stage, steps: int) -> None:
    stage.snapshot = without_catalog()
    with opened_page(browser, stage.url, viewport=PHONE) as page:
        page.locator("summary").click()
        for _ in range(steps):
            page.keyboard.press("+")

        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize(
    "viewport", [PHONE, {"width": 1280, "height": 800}], ids=["phone", "laptop"]
)
def test_no_text_of_the_picture_leaves_it(
    browser: Browser, stage: Stage, viewport: dict[str, int]
) -> None:
    stage.snapshot = without_catalog()
    with opened_page(browser, stage.url, viewport=viewport) as page:
        outside = page.evaluate(
            """() => {
              const frame = document.querySelector(".shop").getBoundingClientRect();
              return [...document.querySelectorAll(".shop text")]
                .filter((text) => {
                  const box = text.getBoundingClientRect();
                  return box.left < frame.left - 1 || box.right > frame.right + 1;
                })
                .map((text) => text.textContent);
            }"""
        )

        assert outside == []


def test_plus_makes_the_text_larger_and_the_page_remembers_it(page: Page) -> None:
    size = "getComputedStyle(document.documentElement).fontSize"
    drawn = "document.querySelector('.shop .name').getBoundingClientRect().height"
    before, drawn_before = page.evaluate(size), page.evaluate(drawn)

    for _ in range(4):
        page.keyboard.press("+")
    larger = page.evaluate(size)
    page.wait_for_function(f"{drawn} > {drawn_before} * 1.2")
    page.reload()
    page.wait_for_selector(".shop")

    assert float(larger.removesuffix("px")) == 1.5 * float(before.removesuffix("px"))
    assert page.evaluate(size) == larger
    for _ in range(4):
        page.keyboard.press("-")
    assert page.evaluate(size) == before


def luminance(page: Page) -> float:
    color = page.evaluate("getComputedStyle(document.body).backgroundColor")
    red, green, blue = (int(part) for part in re.findall(r"\d+", color)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_page_is_dark_where_the_system_is(browser: Browser, stage: Stage) -> None:
    with opened_page(browser, stage.url, color_scheme="dark") as page:
        assert luminance(page) < 60


def test_a_switch_makes_the_page_light_or_dark(page: Page) -> None:
    switch = page.get_by_role("button", name="Auto")
    assert luminance(page) > 200

    switch.click()
    page.get_by_role("button", name="Light").click()

    expect(page.get_by_role("button", name="Dark")).to_be_visible()
    assert luminance(page) < 60


def moving(page: Page) -> int:
    count: int = page.evaluate("document.getAnimations().length")
    return count


def test_requests_are_seen_to_move(page: Page) -> None:
    assert moving(page) > 0


def test_nothing_moves_where_the_system_asks_for_it(browser: Browser, stage: Stage) -> None:
    with opened_page(browser, stage.url, reduced_motion="reduce") as page:
        assert moving(page) == 0


def test_motion_can_be_switched_off(page: Page) -> None:
    page.get_by_role("button", name="Motion").click()
    page.wait_for_function("document.getAnimations().length === 0")


def test_a_korean_browser_reads_korean(browser: Browser, stage: Stage) -> None:
    with opened_page(browser, stage.url, locale="ko-KR") as page:
        expect(page.locator(".headline")).to_have_text("상점이 잘 돌아갑니다.")
        expect(page.locator("html")).to_have_attribute("lang", "ko")
        expect(page.locator(".figures")).to_contain_text("34ms")
        assert page.title() == "Fusebox: 지금 이 순간의 상점"


def test_the_language_can_be_chosen_and_is_remembered(page: Page) -> None:
    page.get_by_label("Language").select_option("ko")
    expect(page.locator("#hands-title")).to_have_text("조작")

    page.reload()

    expect(page.locator("#hands-title")).to_have_text("조작")
    page.get_by_label("언어").select_option("en")
    expect(page.locator("#hands-title")).to_have_text("Hands")


def focused(page: Page) -> str:
    name: str = page.evaluate(
        "document.activeElement.ariaLabel || document.activeElement.textContent"
        " || document.activeElement.tagName"
    )
    return name.strip()


def test_the_first_stops_of_the_keyboard_skip_to_what_matters(page: Page) -> None:
    page.keyboard.press("Tab")
    assert focused(page) == "To the picture"
    assert page.locator(":focus").bounding_box()["y"] >= 0  # type: ignore[index]

    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate("document.activeElement.closest('#picture') !== null")


def test_everything_is_reached_by_the_keyboard_alone_and_seen_to_be(page: Page) -> None:
    stops: list[str] = []
    page.keyboard.press("Tab")
    while (name := focused(page)) and len(stops) < 300 and name not in stops[:1]:
        stops.append(name)
        outline = page.evaluate(FOCUS_IS_SEEN)
        assert outline, f"the focus is not seen on {name}"
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break

    reached = "\n".join(stops)
    for wanted in ("catalog-service. up", "Fuse from order-service", "CONFIRMED", "Kill", "Verify"):
        assert wanted in reached


def test_a_dialog_opens_and_closes_by_keyboard_and_gives_the_focus_back(page: Page) -> None:
    page.get_by_role("button", name="catalog-service. up").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()

    page.keyboard.press("Escape")

    expect(page.locator("#dialog")).to_be_hidden()
    assert focused(page).startswith("catalog-service. up")


def test_the_shortcuts_are_listed_and_can_be_switched_off(page: Page) -> None:
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("kbd")).to_have_count(12)

    dialog.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")

    expect(page.locator("#dialog")).to_be_hidden()


def test_a_number_goes_to_a_section(page: Page) -> None:
    page.keyboard.press("3")
    assert page.evaluate("document.activeElement.id") == "hands"


def test_who_types_into_a_field_uses_no_shortcut(page: Page) -> None:
    page.get_by_label("Pieces").focus()
    page.keyboard.press("3")
    assert page.evaluate("document.activeElement.tagName") == "INPUT"


def test_the_picture_has_a_table_behind_it(page: Page, stage: Stage) -> None:
    stage.snapshot = without_catalog()
    page.locator("summary").click()

    fuses = page.get_by_role("table", name="Fuses")
    blown = fuses.get_by_role("row", name="order-service-1 catalog-service")
    expect(blown).to_contain_text("BLOWN (OPEN)")
    expect(blown).to_contain_text("5 of 5 failures in a row")
    expect(blown).to_contain_text("connection refused")
    parts = page.get_by_role("table", name="Parts")
    expect(parts.get_by_role("row", name=re.compile("^catalog-service"))).to_contain_text("DOWN")


def test_a_screen_reader_hears_what_matters_and_nothing_else(page: Page, stage: Stage) -> None:
    spoken = page.locator("#live")
    snapshot = without_catalog()
    stage.snapshot = snapshot
    expect(spoken).to_contain_text("catalog-service is down.")
    expect(spoken).to_contain_text("Fuse from order-service to catalog-service: BLOWN.")
    heard = spoken.text_content()

    changed = without_catalog()
    changed["orders"] = changed["orders"][1:]
    changed["arrows"][0]["rate"] = 13.1
    stage.snapshot = changed
    expect(page.locator(".figures")).to_contain_text("13.1/s")

    assert spoken.text_content() == heard


def test_a_dialog_that_asks_has_the_focus_where_the_answer_goes(page: Page) -> None:
    page.keyboard.press("3")
    page.locator("#hands").get_by_role("button", name="Kill", exact=True).press("Enter")

    page.keyboard.type("d1l")

    expect(page.get_by_label("Password of the admin")).to_have_value("d1l")


def test_what_scrolls_in_the_page_is_scrolled_by_the_keyboard(page: Page, stage: Stage) -> None:
    snapshot = without_catalog()
    snapshot["history"] *= 100
    snapshot["jobs"] = [
        {"job": "1", "command": "make traffic", "state": "running", "text": "line\n" * 100}
    ]
    stage.snapshot = snapshot
    expect(page.locator(".history li")).to_have_count(200)

    assert findings(page) == []

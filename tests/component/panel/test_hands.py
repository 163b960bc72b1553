"""The hands of the page: what they ask the panel for, and for whom."""

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from ...browser import needs_browser, opened_page
from .stage import PASSWORD, Stage

pytestmark = needs_browser


def hands(page: Page) -> Locator:
    return page.locator("#hands")


def press(page: Page, name: str) -> None:
    hands(page).get_by_role("button", name=name, exact=True).click()


def wait_for(stage: Stage, verb: str, body: dict[str, object], page: Page) -> None:
    for _ in range(100):
        if (verb, body) in stage.asked:
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"asked was {stage.asked}")


def test_who_has_not_signed_in_is_asked_for_the_password_and_then_it_is_done(
    page: Page, stage: Stage
) -> None:
    press(page, "Kill")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Password of the admin").fill("a guess")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("not the admin's password")
    assert not stage.asked

    dialog.get_by_label("Password of the admin").fill(PASSWORD)
    page.keyboard.press("Enter")

    wait_for(stage, "kill", {"service": "catalog-service"}, page)
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


ON = {"service": "order-service"}


@pytest.mark.parametrize(
    ("button", "verb", "body", "command"),
    [
        ("Kill", "kill", ON, "make kill SERVICE=order-service"),
        ("Stop", "stop", ON, "make stop SERVICE=order-service"),
        ("Pause", "pause", ON, "make pause SERVICE=order-service"),
        ("Slow", "slow", {**ON, "ms": 800}, "make slow SERVICE=order-service MS=800"),
        ("Fail", "fail", {**ON, "percent": 50}, "make fail SERVICE=order-service RATE=0.5"),
        ("Start", "start", ON, "make start SERVICE=order-service"),
        ("Heal everything", "heal", {}, "make heal"),
        ("Verify", "verify", {}, "make verify"),
        ("Replay dead letters", "replay", {}, "make replay-dead"),
        ("Scale", "scale", {**ON, "n": 2}, "make scale SERVICE=order-service N=2"),
        ("Roll", "roll", ON, "make roll SERVICE=order-service"),
        ("Canary", "canary", {**ON, "weight": 10}, "make canary SERVICE=order-service WEIGHT=10"),
        (
            "Place an order",
            "order",
            {"product": "CATALOG-0001", "qty": 2},
            "make order PRODUCT=CATALOG-0001 QTY=2",
        ),
        ("Steady load", "traffic", {"rate": 5}, "make traffic RATE=5"),
        ("Stop the load", "traffic", {"rate": 0}, "make traffic RATE=5"),
    ],
)
def test_each_hand_does_what_the_command_beside_it_says(
    browser: Browser, stage: Stage, button: str, verb: str, body: dict[str, object], command: str
) -> None:
    stage.is_signed_in = True
    with opened_page(browser, stage.url) as page:
        page.get_by_role("combobox", name="Part", exact=True).select_option("order-service")
        press(page, button)

        wait_for(stage, verb, body, page)
        told = [code.strip() for code in hands(page).locator("code").all_inner_texts()]
        assert command in told


def test_one_instance_can_be_chosen(browser: Browser, stage: Stage) -> None:
    stage.is_signed_in = True
    with opened_page(browser, stage.url) as page:
        page.get_by_role("combobox", name="Part", exact=True).select_option("order-service")
        page.get_by_role("combobox", name="Instance", exact=True).select_option("order-service-2")
        press(page, "Kill")

        wait_for(stage, "kill", {"service": "order-service", "instance": 2}, page)
        expect(hands(page)).to_contain_text("make kill SERVICE=order-service INSTANCE=2")


def test_a_lesson_is_started_from_the_page(browser: Browser, stage: Stage) -> None:
    stage.is_signed_in = True
    with opened_page(browser, stage.url) as page:
        page.get_by_role("combobox", name="Lesson", exact=True).select_option("2")
        page.locator("#lesson").get_by_role("button", name="Start").click()

        wait_for(stage, "lesson", {"name": 2}, page)


def test_hands_that_are_off_are_disabled_with_a_word(browser: Browser, stage: Stage) -> None:
    stage.hands_are_on = False
    with opened_page(browser, stage.url) as page:
        expect(hands(page)).to_contain_text("The hands are off here")
        expect(hands(page).locator(".act:enabled")).to_have_count(0)
        expect(hands(page).get_by_role("button", name="Copy make heal")).to_be_enabled()


def test_what_does_not_fit_a_part_is_disabled(page: Page) -> None:
    page.get_by_role("combobox", name="Part", exact=True).select_option("kafka")

    expect(hands(page).get_by_role("button", name="Roll", exact=True)).to_be_disabled()
    expect(hands(page).get_by_role("button", name="Pause", exact=True)).to_be_enabled()


def test_a_command_is_copied(browser: Browser, stage: Stage) -> None:
    with opened_page(browser, stage.url, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.get_by_role("button", name="Copy make verify").click()

        expect(page.locator("#toast")).to_have_text("Copied: make verify")
        assert page.evaluate("navigator.clipboard.readText()") == "make verify"


def test_what_came_of_it_is_told(page: Page, stage: Stage) -> None:
    command = "make kill SERVICE=catalog-service"
    running = {"job": "1", "command": command, "state": "running", "text": ""}
    stage.snapshot = {**stage.snapshot, "jobs": [running]}
    expect(page.locator(".jobs")).to_contain_text("running")

    failed = {**running, "state": "failed", "text": "it is dead already"}
    stage.snapshot = {**stage.snapshot, "jobs": [failed]}

    expect(page.locator(".jobs")).to_contain_text("it is dead already")
    expect(page.locator("#live")).to_contain_text(f"{command} failed.")


def test_after_a_press_in_the_dialog_of_a_part_the_picture_is_seen_again(
    browser: Browser, stage: Stage
) -> None:
    stage.is_signed_in = True
    with opened_page(browser, stage.url) as page:
        page.get_by_role("button", name="user-service. up").click()
        page.get_by_role("dialog").get_by_role("button", name="Kill", exact=True).click()

        expect(page.locator("#dialog")).to_be_hidden()
        wait_for(stage, "kill", {"service": "user-service"}, page)

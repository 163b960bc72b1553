"""Another key takes over the signing while customers come, order and stay logged in."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jwt
import pytest
import requests

from fusebox.runtime.shop_client import Customer

CALM_SECONDS = 2


@contextmanager
def repeated(*visits: Callable[[], list[requests.Response]]) -> Iterator[list[requests.Response]]:
    """All `visits` again and again, side by side; yields the answers."""
    answers: list[requests.Response] = []
    over = threading.Event()

    def repeat(visit: Callable[[], list[requests.Response]]) -> None:
        while not over.is_set():
            answers.extend(visit())

    threads = [threading.Thread(target=repeat, args=(visit,)) for visit in visits]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()


def key_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def published(shop: Any) -> set[str]:
    answer = requests.get(f"{shop.gateway}/user-service/.well-known/jwks.json", timeout=10)
    return {key["kid"] for key in answer.json()["keys"]}


def post(shop: Any, path: str, body: dict[str, str]) -> requests.Response:
    return requests.post(f"{shop.gateway}/user-service/{path}", json=body, timeout=10)


@pytest.mark.parametrize("time_of_many", ["first", "second"])
def test_keys_rotate_and_no_request_fails(shop: Any, time_of_many: str) -> None:
    ann = shop.customer()
    credentials = {"email": f"rotation-{time_of_many}@fusebox.example", "password": "keys go round"}
    assert post(shop, "users", credentials | {"name": "Bob"}).status_code == 201
    session = [post(shop, "login", credentials).json()["refreshToken"]]

    def stay() -> list[requests.Response]:
        return [ann.page(), ann.place()]

    def come() -> list[requests.Response]:
        answer = post(shop, "login", credentials)
        token = answer.json()["accessToken"]
        newcomer = Customer(shop.gateway, answer.json()["userId"], token)
        time.sleep(0.05)
        return [answer, newcomer.page(), newcomer.place()]

    def go_on() -> list[requests.Response]:
        answer = post(shop, "token", {"refreshToken": session[0]})
        session[0] = answer.json()["refreshToken"]
        time.sleep(0.05)  # a busy customer, and no flood, of which the gateway refuses a part
        return [answer]

    old = key_of(ann.token)
    with repeated(stay, come, go_on) as answers:
        time.sleep(CALM_SECONDS)
        shop.run("rotate-keys")
        new = key_of(post(shop, "login", credentials).json()["accessToken"])
        time.sleep(CALM_SECONDS)

    failed = [f"{a.request.method} {a.url}: {a.status_code} {a.text}" for a in answers if not a.ok]
    assert not failed
    assert len(answers) > 20
    assert new != old
    assert {old, new} <= published(shop)
    assert ann.page().status_code == 200
    # The verbs that act as an admin sign with the new key.
    shop.run("slow", "catalog-service", "1")
    shop.run("heal", "catalog-service")
    secrets = [file for file in shop.stack.secrets.iterdir() if file.name.startswith("token-")]
    assert sorted(file.name for file in secrets) == [
        "token-retired-keys.json",
        "token-signing-key.pem",
    ]
    if shop.stack.mode == "native":
        assert {file.stat().st_mode & 0o777 for file in secrets} == {0o600}

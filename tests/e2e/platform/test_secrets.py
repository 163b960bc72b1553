"""No secret of a shop is in a log, a trace, an answer or the list of processes."""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit
from uuid import uuid4

import psutil
import pytest
import requests

from fusebox.core.stack import Stack
from fusebox.core.topology import PARTS

from ...running import MODE, RunningShop, processes_only

OURS = tuple(part.name for part in PARTS if part.is_ours)
PAGES = (
    *("", "health", "info", "env", "configuration-metadata", "loggers", "prometheus", "openapi"),
    *("circuitbreakers", "circuitbreakerevents", "chaosmonkey/status", "gateway/routes"),
)
# They are public, or say nothing.
PUBLIC = ("service-keys.json", "token-retired-keys.json", ".gitkeep")
PASSWORD = 'Pässw0rd "for" \\one/run+%41 & more?'
PLAINTEXT = "http://plain-text-of-a-cipher.example/"


@dataclass
class Evidence:
    """Secrets by what they are, and what was said where."""

    secrets: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    answers: int = 0

    def answered(self, answer: requests.Response) -> requests.Response:
        self.answers += 1
        # Where, without what may stand in the address.
        place = f"answer {self.answers}, {answer.request.method} {urlsplit(answer.url).path}"
        self.said[place] = f"{answer.headers}\n{answer.text}"
        return answer

    def leaks(self) -> list[str]:
        forms = {name: list(forms_of(secret)) for name, secret in self.secrets.items()}
        return [
            f"{name} in {place}"
            for place, text in self.said.items()
            for name, spellings in forms.items()
            if any(spelling in text for spelling in spellings)
        ]


def forms_of(secret: str) -> Iterator[str]:
    """As it is, in JSON, in an address, and in base64 wherever it may stand in a longer text."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield quote(secret)
    yield quote(secret, safe="")
    yield quote_plus(secret)
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret.encode())
        inner = encoded[-(-before * 8 // 6) :].rstrip(b"=")[:-1].decode()
        yield inner
        yield inner.replace("+", "-").replace("/", "_")


@pytest.mark.parametrize("before", ["", "x", "xy", "user:"])
def test_a_secret_is_found_in_each_of_its_forms(before: str) -> None:
    encoded = base64.b64encode(f"{before}{PASSWORD} and so on".encode()).decode()

    for text in (PASSWORD, json.dumps([PASSWORD]), quote_plus(f"{before}{PASSWORD}"), encoded):
        assert any(form in text for form in forms_of(PASSWORD)), text


def files_of(stack: Stack) -> dict[str, str]:
    """The content of each secret file; of a key the lines that are its own."""
    folder = stack.handed if MODE == "docker" else stack.secrets
    found = {
        str(path.relative_to(folder)): path.read_text().strip()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in PUBLIC
    }
    return {
        f"{name} {number}": line
        for name, content in found.items()
        for number, line in enumerate(content.splitlines())
        # The first line of a private key begins as that of every other.
        if not line.startswith("-----")
    }


class Customer:
    """Somebody whose password and tokens are in every kind of request, good and bad."""

    def __init__(self, shop: RunningShop, evidence: Evidence) -> None:
        self._shop = shop
        self._evidence = evidence
        self._email = f"{uuid4().hex}@fusebox.example"

    def call(self, method: str, path: str, **given: Any) -> requests.Response:
        return requests.request(method, f"{self._shop.gateway}{path}", timeout=10, **given)

    def say(self, method: str, path: str, **given: Any) -> requests.Response:
        return self._evidence.answered(self.call(method, path, **given))

    def live(self) -> None:
        new = {"email": self._email, "name": "Ann", "password": PASSWORD}
        assert self.say("POST", "/user-service/users", json=new).status_code == 201
        login = self.call(
            "POST", "/user-service/login", json={"email": self._email, "password": PASSWORD}
        ).json()
        renewed = self.call(
            "POST", "/user-service/token", json={"refreshToken": login["refreshToken"]}
        ).json()
        tokens = {f"token {number}": answer for number, answer in enumerate((login, renewed))}
        for name, answer in tokens.items():
            self._evidence.secrets[f"access {name}"] = answer["accessToken"]
            self._evidence.secrets[f"refresh {name}"] = answer["refreshToken"]
        self._err(new, login["refreshToken"])
        self._order(login["userId"], renewed["accessToken"])
        self._stray(renewed["accessToken"])

    def _err(self, new: dict[str, str], spent: str) -> None:
        """Password and refresh token where they are refused."""
        users, login = "/user-service/users", "/user-service/login"
        self.say("POST", users, json=new)
        self.say("POST", users, json={**new, "more": PASSWORD})
        self.say("POST", users, json={**new, "name": PASSWORD * 100})
        self.say("POST", users, json={**new, "email": PASSWORD})
        self.say("POST", users, data=json.dumps(new)[:-1], headers=JSON)
        self.say("POST", users, data=new)
        self.say("POST", login, json={"email": self._email, "password": f"{PASSWORD}!"})
        self.say("POST", login, json={"email": self._email, "password": [PASSWORD]})
        self.say("POST", "/user-service/token", json={"refreshToken": spent})
        self.say("POST", "/user-service/token", json={"refreshToken": f"{spent}x"})

    def _order(self, user_id: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}", "Prefer": "wait=5"}
        orders = f"/order-service/{user_id}/orders"
        self.say("POST", orders, json={"productId": "CATALOG-0001", "qty": 1}, headers=headers)
        self.say("POST", orders, json={"productId": "CATALOG-0001", "qty": "x"}, headers=headers)
        self.say("GET", f"/user-service/users/{user_id}", headers=headers)
        self.say("GET", "/user-service/users", headers=headers)
        change = {"name": "Bo", "password": PASSWORD, "x": 1}
        self.say("PATCH", f"/user-service/users/{user_id}", json=change, headers=headers)

    def _stray(self, token: str) -> None:
        """The token where no token belongs."""
        for headers in (
            {"Authorization": f"Bearer {token}x"},
            {"Authorization": f"Basic {token}"},
            {"Authorization": token},
            {"Cookie": f"token={token}"},
            {"Service-Assertion": token},
            {"X-Request-Deadline": token, "X-B3-TraceId": token, "traceparent": token},
        ):
            self.say("GET", "/order-service/x/orders", headers=headers)
        self.say("GET", "/order-service/orders", params={"access_token": token, "pwd": PASSWORD})


JSON = {"Content-Type": "application/json"}


def be_a_guest(shop: RunningShop, evidence: Evidence) -> None:
    addresses = shop.guest_addresses()
    config, eureka = addresses["config"], addresses["eureka"]

    def ask(method: str, url: str, **given: Any) -> None:
        with suppress(requests.RequestException):
            evidence.answered(requests.request(method, url, timeout=10, **given))

    ask("GET", f"{config}/order-service/native")
    ask("GET", f"{config}/gateway-native.yml")
    ask("GET", config.replace("guest:", "guest:x"))
    ask("POST", f"{config}/encrypt", data=PASSWORD.encode())
    ask("POST", f"{config}/decrypt", data=PASSWORD.encode())
    ask("GET", f"{config}/actuator/env")
    ask("POST", f"{eureka}/apps/GUEST", json={"instance": {"app": "GUEST"}})
    ask("POST", f"{eureka}/apps/ORDER-SERVICE", data="{")
    ask("GET", f"{eureka}/apps")
    ask("GET", f"{eureka.removesuffix('/eureka')}/")


def break_and_mend(shop: RunningShop) -> None:
    """Errors quote more than anything else."""
    for part in ("postgres", "config-server", "discovery"):
        shop.kill(part)
        with suppress(requests.RequestException):
            requests.get(f"{shop.gateway}/catalog-service/{uuid4()}", timeout=10)
        shop.start(part)


def look_around(shop: RunningShop, evidence: Evidence) -> None:
    for verb in (["status"], ["status", "--json"], ["verify"], ["set"]):
        evidence.said[f"fusebox {verb}"] = shop.run(*verb, check=False).stdout
    for part in OURS:
        url, headers = shop.url_of_instance(f"{part}-1"), shop.operator(part)
        for page in PAGES:
            with suppress(requests.RequestException):
                answer = requests.get(f"{url}/actuator/{page}", headers=headers, timeout=10)
                evidence.said[f"{part}/actuator/{page}"] = f"{answer.headers}\n{answer.text}"
    for instance in shop.rows():
        evidence.said[f"log of {instance}"] = shop.log(instance)
    evidence.said["spans"] = json.dumps(spans(shop))


def spans(shop: RunningShop) -> list[Any]:
    url = (
        f"http://127.0.0.1:{shop.stack.port('zipkin')}/api/v2/traces?limit=10000&lookback=86400000"
    )
    traces: list[Any] = []

    def are_there() -> bool:
        with suppress(requests.RequestException):
            traces[:] = requests.get(url, timeout=30).json()
        return bool(traces)

    shop.until(are_there, 60)
    return traces


@pytest.fixture(scope="module")
def evidence(shop: Any) -> Evidence:
    gathered = Evidence(secrets={"the password": PASSWORD, **files_of(shop.stack)})
    Customer(shop, gathered).live()
    be_a_guest(shop, gathered)
    break_and_mend(shop)
    look_around(shop, gathered)
    return gathered


def test_there_is_something_to_look_through(evidence: Evidence) -> None:
    assert len(evidence.secrets) > 15
    assert evidence.answers > 30
    text = "\n".join(evidence.said.values())
    assert all(part in text for part in OURS)
    assert "propertySources" in text
    assert "post /user-service/users" in evidence.said["spans"]


def test_no_secret_was_said_anywhere(evidence: Evidence) -> None:
    assert evidence.leaks() == []


@processes_only
def test_no_log_and_no_run_file_has_a_secret(shop: Any, evidence: Evidence) -> None:
    folders: list[Path] = [shop.stack.logs, shop.stack.run, shop.stack.home / "config"]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    evidence.said = {str(path): path.read_text(errors="replace") for path in files}

    assert len(files) > 10
    assert evidence.leaks() == []


@processes_only
def test_no_list_of_processes_has_a_secret(shop: Any, evidence: Evidence) -> None:
    home, ours = str(shop.stack.home), 0
    evidence.said = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            command, environment = " ".join(process.cmdline()), process.environ()
            evidence.said[f"command line of {process.pid}"] = command
            if environment.get("FUSEBOX_HOME") == home or home in command:
                evidence.said[f"environment of {process.pid}"] = str(environment)
                ours += 1

    assert ours > len(OURS)
    assert evidence.leaks() == []


@processes_only
def test_secrets_are_for_their_owner_alone(shop: Any) -> None:
    assert shop.stack.secrets.stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in shop.stack.secrets.iterdir()}
    assert set(modes.values()) == {0o600}, modes
    contents = [path.read_bytes() for path in shop.stack.secrets.iterdir()]
    assert len(set(contents)) == len(contents), "one secret has two purposes"


def zipkin_ui(shop: RunningShop) -> str:
    answer = requests.get(f"{shop.gateway}/catalog-service/catalogs", timeout=5)
    return re.sub(r"zipkin/traces/.*", "", answer.headers["X-Trace-Url"])


def encrypted(config: str, text: str) -> str:
    answer = requests.post(f"{config}/encrypt", data=text, headers=PLAIN, timeout=5)
    answer.raise_for_status()
    return f"{{cipher}}{answer.text}"


PLAIN = {"Content-Type": "text/plain"}


def test_an_encrypted_value_reaches_its_process_and_is_shown_nowhere(shop: Any) -> None:
    """From /encrypt by way of a file in the configuration to what the gateway does with it."""
    before, config = zipkin_ui(shop), shop.guest_addresses()["config"]
    value = encrypted(config, PLAINTEXT.rstrip("/"))
    shop.edit("gateway.properties", f"fusebox.gateway.zipkin-ui={value}\n")
    try:
        shop.until(lambda: zipkin_ui(shop) == PLAINTEXT)

        url, headers = shop.url_of_instance("gateway-1"), shop.operator("gateway")
        env = requests.get(f"{url}/actuator/env", headers=headers, timeout=5)
        assert PLAINTEXT.rstrip("/") not in env.text
        page = requests.get(
            f"{url}/actuator/env/fusebox.gateway.zipkin-ui", headers=headers, timeout=5
        )
        assert page.json()["property"]["value"] == "******"
        assert value not in env.text
        assert PLAINTEXT.rstrip("/") not in shop.log("gateway-1")
        assert PLAINTEXT.rstrip("/") not in shop.log("config-server-1")
        served = requests.get(f"{config}/gateway/native", timeout=5)
        assert PLAINTEXT.rstrip("/") in served.text
    finally:
        shop.edit("gateway.properties", None)
    shop.until(lambda: zipkin_ui(shop) == before)


def test_a_value_of_another_key_is_left_out_and_what_was_there_stays(shop: Any) -> None:
    key, before = "fusebox.gateway.zipkin-ui", zipkin_ui(shop)
    url, headers = shop.url_of_instance("gateway-1"), shop.operator("gateway")
    shop.edit("gateway.properties", f"{key}={{cipher}}{'00' * 32}\n")
    try:
        page = f"{url}/actuator/env/invalid.{key}"
        shop.until(lambda: requests.get(page, headers=headers, timeout=5).ok)
        assert zipkin_ui(shop) == before
    finally:
        shop.edit("gateway.properties", None)

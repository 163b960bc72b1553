"""What a monkey is told over the wire, and how its answers are read."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest

from chassis.web.auth import TokenVerifier
from fusebox.core import secrets
from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.topology import BY_NAME
from fusebox.runtime import chaos_monkey_client, credentials
from fusebox.runtime.actuator_client import ActuatorClient
from user_service.signing import Signer, SigningKeys

HARMLESS = {
    "level": 1,
    "latencyActive": False,
    "latencyRangeStart": 1000,
    "latencyRangeEnd": 3000,
    "exceptionsActive": False,
    "exceptionRate": 1.0,
    "killAt": None,
}


STACK = Stack(home=Path("/nowhere"), clone=Path("/nowhere"))


class MonkeyEndpoint(ThreadingHTTPServer):
    """Stands for a process with faults on demand; `refusal` is answered instead when it is set."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.assaults: dict[str, Any] = dict(HARMLESS)
        self.enabled = True
        self.refusal: tuple[int, dict[str, Any]] | None = None
        self.tokens: list[str | None] = []

    @property
    def actuator(self) -> ActuatorClient:
        url = f"http://127.0.0.1:{self.server_address[1]}"
        return ActuatorClient(STACK, url, BY_NAME["order-service"])


class Handler(BaseHTTPRequestHandler):
    server: MonkeyEndpoint

    def do_GET(self) -> None:
        document = {
            "chaosMonkeyProperties": {"enabled": self.server.enabled},
            "assaultProperties": self.server.assaults,
        }
        breakers = {"circuitBreakers": {"catalog-service": {"state": "OPEN"}}}
        self._answer(breakers if self.path.endswith("/circuitbreakers") else document)

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/actuator/chaosmonkey/enable":
            self.server.enabled = True
        elif self.server.refusal is None:
            assert self.path == "/actuator/chaosmonkey/assaults"
            self.server.assaults |= given
        self._answer(self.server.assaults)

    def _answer(self, document: dict[str, Any]) -> None:
        self.server.tokens.append(self.headers["Authorization"])
        status, body = self.server.refusal or (200, document)
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def monkey() -> Iterator[MonkeyEndpoint]:
    with MonkeyEndpoint() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def test_a_delay_is_the_same_for_every_request(monkey: MonkeyEndpoint) -> None:
    chaos_monkey_client.assault(
        monkey.actuator, "order-service-1", chaos_monkey_client.latency(300)
    )

    assert monkey.assaults["latencyRangeStart"] == monkey.assaults["latencyRangeEnd"] == 300
    assert chaos_monkey_client.read(monkey.actuator) == ["slow 300 ms"]


def test_a_share_of_failures_is_told_in_percent(monkey: MonkeyEndpoint) -> None:
    chaos_monkey_client.assault(
        monkey.actuator, "order-service-1", chaos_monkey_client.exceptions(0.5)
    )

    assert chaos_monkey_client.read(monkey.actuator) == ["fail 50 %"]


def test_the_two_stand_side_by_side(monkey: MonkeyEndpoint) -> None:
    chaos_monkey_client.assault(monkey.actuator, "order-service-1", chaos_monkey_client.latency(5))
    chaos_monkey_client.assault(
        monkey.actuator, "order-service-1", chaos_monkey_client.exceptions(1)
    )

    assert chaos_monkey_client.read(monkey.actuator) == ["slow 5 ms", "fail 100 %"]


def test_failing_at_rate_0_is_no_fault(monkey: MonkeyEndpoint) -> None:
    chaos_monkey_client.assault(
        monkey.actuator, "order-service-1", chaos_monkey_client.exceptions(0)
    )

    assert chaos_monkey_client.read(monkey.actuator) == []


def test_a_monkey_that_was_switched_off_is_let_loose(monkey: MonkeyEndpoint) -> None:
    monkey.enabled = False
    chaos_monkey_client.assault(
        monkey.actuator, "order-service-1", chaos_monkey_client.latency(300)
    )

    assert chaos_monkey_client.read(monkey.actuator) == ["slow 300 ms"]


def test_a_monkey_that_is_switched_off_does_nothing(monkey: MonkeyEndpoint) -> None:
    monkey.enabled = False
    monkey.assaults["latencyActive"] = True

    assert chaos_monkey_client.read(monkey.actuator) == []


def test_what_others_have_ordered_is_shown_too(monkey: MonkeyEndpoint) -> None:
    monkey.assaults |= {"latencyActive": True, "level": 3, "killAt": "request.after-commit"}

    assert chaos_monkey_client.read(monkey.actuator) == [
        "slow 1000 to 3000 ms, 1 request in 3",
        "kill at request.after-commit",
    ]


def test_calming_takes_every_assault_off_and_says_which(monkey: MonkeyEndpoint) -> None:
    monkey.assaults |= {"latencyActive": True, "exceptionsActive": True, "killAt": "x"}

    calmed = chaos_monkey_client.calm(monkey.actuator, "order-service-1")

    assert calmed == ["slow 1000 to 3000 ms", "fail 100 %", "kill at x"]
    assert chaos_monkey_client.calm(monkey.actuator, "order-service-1") == []
    assert monkey.assaults["killAt"] is None


def test_a_process_without_faults_on_demand_has_none_to_take_off(monkey: MonkeyEndpoint) -> None:
    monkey.refusal = 404, {}

    assert chaos_monkey_client.calm(monkey.actuator, "order-service-1") == []
    assert chaos_monkey_client.read(monkey.actuator) == []


def test_a_process_without_faults_on_demand_says_what_to_configure(monkey: MonkeyEndpoint) -> None:
    monkey.refusal = 404, {}
    with pytest.raises(Fault, match="order-service-1 takes no faults") as refusal:
        chaos_monkey_client.assault(
            monkey.actuator, "order-service-1", chaos_monkey_client.latency(1)
        )

    assert "config/application.yml" in refusal.value.remedy


def test_a_refusal_is_passed_on_with_its_reason(monkey: MonkeyEndpoint) -> None:
    monkey.refusal = 422, {"detail": "latencyRangeStart is too high"}
    with pytest.raises(Fault, match="422: latencyRangeStart is too high"):
        chaos_monkey_client.assault(
            monkey.actuator, "order-service-1", chaos_monkey_client.latency(1)
        )


def test_a_process_that_is_silent_is_named() -> None:
    nobody = ActuatorClient(STACK, "http://127.0.0.1:1", BY_NAME["order-service"])
    with pytest.raises(Fault, match="order-service-1 does not answer"):
        chaos_monkey_client.calm(nobody, "order-service-1")
    assert chaos_monkey_client.read(nobody) == []


def test_the_breakers_are_read_off_their_page(monkey: MonkeyEndpoint) -> None:
    [breaker] = monkey.actuator.breakers()

    assert (breaker.name, breaker.state) == ("catalog-service", "OPEN")


def test_only_the_gateway_is_shown_an_admins_token(monkey: MonkeyEndpoint, stack: Stack) -> None:
    stack.make_folders()
    secrets.make_missing(stack)

    for name in ("gateway", "order-service"):
        ActuatorClient(stack, monkey.actuator.url, BY_NAME[name]).problems()

    shown, none = monkey.tokens
    assert none is None
    assert shown is not None
    assert shown.startswith("Bearer ")


def test_the_token_is_one_that_user_services_keys_verify(stack: Stack) -> None:
    stack.make_folders()
    secrets.make_missing(stack)

    token = credentials.token_for(stack)

    [published] = Signer(SigningKeys(stack.secrets), lambda: 60).jwks()["keys"]
    assert jwt.get_unverified_header(token)["kid"] == published["kid"]
    tokens = TokenVerifier(lambda: {"keys": [published]})
    tokens.refresh()
    caller = tokens.caller_of(f"Bearer {token}")
    assert caller.is_admin
    assert 55 <= caller.expires - time.time() <= 60


def test_without_a_key_there_is_no_token(stack: Stack) -> None:
    assert credentials.token_for(stack) == ""

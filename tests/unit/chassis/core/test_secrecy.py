"""What a process knows as secret stays out of its log, its spans, its errors and its actuator."""

import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.config.client import ConfigClient, ConfigurationError
from chassis.config.settings import Settings
from chassis.core import secrecy
from chassis.core.environment import Environment
from chassis.core.live import Live
from chassis.core.secrecy import MASK, masked
from chassis.observability import logging as process_log
from chassis.observability.sampling import Sampler, SamplingRules
from chassis.observability.tracing import Kind, Tracer
from chassis.observability.zipkin import ZipkinReporter
from chassis.runtime.service import Process

SECRET = 'Tr0ub4dor&"3\\ü'


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    (tmp_path / "order-service-db-password").write_text(SECRET)
    folders = {"FUSEBOX_SECRETS": str(tmp_path), "FUSEBOX_STATE": str(tmp_path)}
    environment = Environment.read("order-service", folders)
    assert environment.secret("order-service-db-password") == SECRET
    return environment


@given(st.text(min_size=6), st.text(), st.text())
def test_a_remembered_text_is_masked_wherever_it_stands(
    secret: str, before: str, after: str
) -> None:
    lines = [line for line in secret.splitlines() if len(line) >= secrecy.SHORTEST]
    known = set(secrecy._known)
    try:
        secrecy.remember(secret)
        text = masked(before + secret + after)
        quoted = masked(json.dumps(before + secret + after))
    finally:
        secrecy._known.clear()
        secrecy._known.update(known)

    for line in lines:
        if not line.startswith("-----"):
            assert line not in text.replace(MASK, "")
            assert json.dumps(line)[1:-1] not in quoted.replace(MASK, "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "http://ann:pw@host:8761/eureka answered 401",
            "http://******@host:8761/eureka answered 401",
        ),
        ("jdbc:postgresql://ann@db/x", "jdbc:postgresql://******@db/x"),
        ("//u:p%40q@h", "//******@h"),
        ("http://host/a@b", "http://host/a@b"),
        ("mail ann@example.org // and so on", "mail ann@example.org // and so on"),
    ],
)
def test_names_and_passwords_in_addresses_are_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_a_line_of_the_log_has_no_secret(environment: Environment) -> None:
    stream, root = io.StringIO(), logging.getLogger()
    handlers = list(root.handlers)
    try:
        process_log.configure(environment, stream)
        try:
            raise ValueError(f"cannot log in with {SECRET}")
        except ValueError:
            logging.getLogger("x").exception("refused: %s", SECRET, extra={"more": SECRET})
    finally:
        root.handlers[:] = handlers

    line = json.loads(stream.getvalue())
    assert SECRET not in str(line)
    assert line["message"] == f"refused: {MASK}"
    assert line["more"] == MASK
    assert line["error.message"] == f"cannot log in with {MASK}"
    assert MASK in line["error.stack_trace"]


def test_a_span_has_no_secret(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = ZipkinReporter(Live("http://127.0.0.1:1/api/v2/spans"))
    tracer = Tracer("order-service", Sampler(Live(SamplingRules())), reporter.put)
    with tracer.span("get /x", Kind.CLIENT) as span:
        span.tags["http.path"] = f"/x/{SECRET}"
        span.fail(f"http://ann:{SECRET}@host does not answer")
    posted: list[str] = []

    class Pool:
        def request(self, *_: Any, body: str, **__: Any) -> Any:
            posted.append(body)
            return type("Answer", (), {"status": 202})

    monkeypatch.setattr(reporter, "_pool_of", lambda _url: Pool())
    assert reporter._post_all()

    [sent] = json.loads(posted[0])
    assert sent["tags"]["http.path"] == f"/x/{MASK}"
    assert SECRET not in str(sent)


def process(environment: Environment, **source: Any) -> Process[Any]:
    sources = [{"name": "file", "source": source, "encrypted": ["shop.greeting", "short"]}]
    configuration = ConfigClient(Settings, environment, lambda: sources)
    configuration.load()
    return Process(environment, configuration)


def test_the_actuator_shows_no_secret_whatever_its_key_is_called(environment: Environment) -> None:
    running = process(
        environment,
        **{
            "shop.greeting": "what was encrypted",
            "short": "x",
            "copied": "it says what was encrypted",
            "spring.datasource.url": "jdbc:postgresql://db/x?user=ann&password=hunter22&ssl=true",
            "other.url": f"http://ann:{SECRET}@db/x",
            "app.passwd": "a",
            "app.private-pem": "b",
            "plain": "shown",
        },
    )
    running.actuator.health.add(
        "db", lambda: {"status": "DOWN", "details": {"error": f"no login with {SECRET}"}}
    )

    env = json.loads(running.actuator.answer("GET", "env").body)
    health = json.loads(running.actuator.answer("GET", "health").body)
    one = json.loads(running.actuator.answer("GET", "env/shop.greeting").body)

    values = {key: entry["value"] for key, entry in env["propertySources"][0]["properties"].items()}
    assert values == {
        "shop.greeting": MASK,
        "short": MASK,
        "copied": f"it says {MASK}",
        "spring.datasource.url": f"jdbc:postgresql://db/x?user=ann&password={MASK}&ssl=true",
        "other.url": f"http://{MASK}@db/x",
        "app.passwd": MASK,
        "app.private-pem": MASK,
        "plain": "shown",
    }
    assert one["property"]["value"] == MASK
    assert health["components"]["db"]["details"]["error"] == f"no login with {MASK}"


def test_a_refused_value_that_was_encrypted_is_not_quoted(environment: Environment) -> None:
    sources = [
        {
            "name": "file",
            "source": {"logging.level.root": "VERY-SECRET-LEVEL"},
            "encrypted": ["logging.level.root"],
        }
    ]
    with pytest.raises(ConfigurationError) as refused:
        ConfigClient(Settings, environment, lambda: sources).load()

    assert "logging.level.root" in str(refused.value)
    assert "VERY-SECRET-LEVEL" not in str(refused.value)

"""The facts as the document that the page draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from panel.model.facts import Facts, InstanceFacts, PartFacts
from panel.model.orders import OrderEntry
from panel.model.states import instances_of, part_state
from panel.model.windows import NO_FIGURES, CallFigures

CLIENT, GATEWAY, KAFKA, POSTGRES, ZIPKIN = "client", "gateway", "kafka", "postgres", "zipkin"


def picture(facts: Facts, now: float) -> dict[str, Any]:
    """Without history, lesson and jobs, which are kept elsewhere."""
    return {
        "at": rfc3339(now),
        "age": {"registry": _age(facts.registry_at, now), "metrics": _age(facts.metrics_at, now)},
        "parts": [_part(facts, part, now) for part in facts.parts],
        "arrows": _arrows(facts, now),
        "breakers": _breakers(facts),
        "faults": faults(facts, now),
        "orders": [_order(facts, entry) for entry in facts.orders.newest_first()],
        "invariants": facts.invariants,
    }


def rfc3339(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _age(at: float | None, now: float) -> float | None:
    return None if at is None else round(max(0.0, now - at), 1)


def _part(facts: Facts, part: PartFacts, now: float) -> dict[str, Any]:
    instances = instances_of(facts, part)
    state, reason = part_state(instances)
    known = [facts.instances[one["id"]] for one in instances if one["id"] in facts.instances]
    return {
        "name": part.name,
        "kind": part.kind,
        "state": state,
        "reason": reason,
        "traffic": merged(one.requests.figures(now) for one in known).document(),
        "instances": instances,
        "outbox": _outbox(facts, part.name),
        "consumers": [
            {
                "topic": topic.name,
                "group": part.name,
                "lag": facts.lags.get((topic.name, part.name)),
            }
            for topic in facts.topics
            if part.name in topic.read_by
        ],
        "topics": [
            {
                "name": topic.name,
                "rate": _published(facts, topic.name, now).document()["rate"],
                "dead": facts.dead.get(topic.name) if topic.dead_letter_topic else None,
            }
            for topic in (facts.topics if part.name == KAFKA else ())
        ],
        "addresses": [{"label": label, "url": url} for label, url in part.addresses],
    }


def _outbox(facts: Facts, service: str) -> dict[str, Any] | None:
    if service not in facts.outboxes:
        return None
    rows, age = facts.outboxes[service]
    return {"rows": rows, "oldest": round(age, 1)}


def merged(several: Iterable[CallFigures]) -> CallFigures:
    """Of several processes together: the slowest one's p99 stands for all."""
    figures = [one for one in several if one.rate is not None]
    if not figures:
        return NO_FIGURES
    rate = sum(one.rate or 0.0 for one in figures)
    if not rate:
        return CallFigures(rate=0.0)
    errors = sum((one.errors or 0.0) * (one.rate or 0.0) for one in figures) / rate
    slowest = [one.p99 for one in figures if one.p99 is not None]
    return CallFigures(rate, errors, max(slowest, default=None))


def _published(facts: Facts, topic: str, now: float) -> CallFigures:
    window = facts.published.get(topic)
    return window.figures(now) if window else NO_FIGURES


def _arrows(facts: Facts, now: float) -> list[dict[str, Any]]:
    arrows = [_arrow(CLIENT, GATEWAY, "http", _requests(facts, GATEWAY, now))]
    calls = _calls(facts, now)
    arrows += [_arrow(*way, "http", figures) for way, figures in sorted(calls.items())]
    for topic in facts.topics:
        figures = _published(facts, topic.name, now)
        arrows += [_arrow(name, KAFKA, "kafka", figures, topic.name) for name in topic.published_by]
        arrows += [_arrow(KAFKA, name, "kafka", figures, topic.name) for name in topic.read_by]
    for part in facts.parts:
        if part.has_database:
            arrows.append(_arrow(part.name, POSTGRES, "sql", NO_FIGURES))
        if part.is_ours and part.name != "panel":
            spans = merged(one.spans.figures(now) for one in _instances(facts, part.name))
            arrows.append(_arrow(part.name, ZIPKIN, "spans", spans))
    return arrows


def _arrow(
    source: str, target: str, kind: str, figures: CallFigures, topic: str | None = None
) -> dict[str, Any]:
    return {"from": source, "to": target, "kind": kind, "topic": topic, **figures.document()}


def _instances(facts: Facts, part: str) -> list[InstanceFacts]:
    return [known for name, known in facts.instances.items() if name.rpartition("-")[0] == part]


def _requests(facts: Facts, part: str, now: float) -> CallFigures:
    return merged(one.requests.figures(now) for one in _instances(facts, part))


def _calls(facts: Facts, now: float) -> dict[tuple[str, str], CallFigures]:
    """Who calls whom over HTTP, as the callers' circuit breakers count it."""
    services = [part.name for part in facts.parts if part.kind == "service"]
    ways: dict[tuple[str, str], list[CallFigures]] = {(GATEWAY, name): [] for name in services}
    for instance, known in facts.instances.items():
        for name, window in known.calls.items():
            way = (instance.rpartition("-")[0], _called(name, services))
            ways.setdefault(way, []).append(window.figures(now))
    return {way: merged(figures) for way, figures in ways.items()}


def _called(breaker: str, services: Iterable[str]) -> str:
    """A canary has a breaker of its own."""
    return next((name for name in services if breaker.startswith(name)), breaker)


def _breakers(facts: Facts) -> list[dict[str, Any]]:
    return [
        _breaker(owner, name, breaker, known.last_failures.get(name))
        for owner, known in sorted(facts.instances.items())
        for name, breaker in sorted(known.breakers.items())
    ]


def _breaker(
    owner: str, name: str, breaker: Mapping[str, Any], last_failure: str | None
) -> dict[str, Any]:
    return {
        "owner": owner,
        "name": name,
        "state": breaker.get("state"),
        "failures": breaker.get("failuresInARow"),
        "failMax": breaker.get("failMax"),
        "calls": breaker.get("bufferedCalls"),
        "failureRate": _percent(breaker.get("failureRate")),
        "threshold": _percent(breaker.get("failureRateThreshold")),
        "minimumCalls": breaker.get("minimumNumberOfCalls"),
        "nextTrialIn": breaker.get("secondsToProbe") if breaker.get("state") == "OPEN" else None,
        "lastFailure": last_failure,
    }


def _percent(text: object) -> float | None:
    """`22.2%` as a number; resilience4j's -1 stands for too few calls."""
    try:
        value = float(str(text).rstrip("%"))
    except ValueError:
        return None
    return value if value >= 0 else None


def faults(facts: Facts, now: float) -> list[dict[str, Any]]:
    """What is broken on purpose, in words, with the command that does it."""
    current = [*_process_faults(facts), *_throttles(facts), *_assaults(facts)]
    keys = {(service, text) for service, _, text, _ in current}
    for key in [key for key in facts.faults_since if key not in keys]:
        del facts.faults_since[key]
    return [
        {
            "service": service,
            "kind": kind,
            "text": text,
            "since": facts.faults_since.setdefault((service, text), rfc3339(now)),
            "command": f"make {command}",
        }
        for service, kind, text, command in sorted(current)
    ]


FaultFacts = tuple[str, str, str, str]


def _process_faults(facts: Facts) -> Iterable[FaultFacts]:
    for instance, process in (facts.processes or {}).items():
        service, _, number = instance.rpartition("-")
        target = f"SERVICE={service} INSTANCE={number}"
        if process.is_paused and service not in facts.throttles:
            yield service, "pause", f"{instance} is paused", f"pause {target}"
        elif process.ended_by == "killed":
            yield service, "kill", f"{instance} was killed", f"kill {target}"
        elif process.ended_by == "stopped":
            yield service, "stop", f"{instance} was stopped", f"stop {target}"


def _throttles(facts: Facts) -> Iterable[FaultFacts]:
    for part, milliseconds in facts.throttles.items():
        text = f"{part} stands still for {milliseconds} ms again and again"
        yield part, "slow", text, f"slow SERVICE={part} MS={milliseconds}"


def _assaults(facts: Facts) -> Iterable[FaultFacts]:
    for instance, known in facts.instances.items():
        service, _, number = instance.rpartition("-")
        target = f"SERVICE={service} INSTANCE={number}"
        for assault in known.assaults:
            verb, _, argument = assault.partition(" ")
            if verb == "slow":
                milliseconds = argument.partition(" ")[0]
                text = f"{instance} answers {argument} late"
                yield service, "slow", text, f"slow {target} MS={milliseconds}"
            elif verb == "fail":
                percent = argument.partition(" ")[0]
                text = f"{instance} fails {argument} of its requests"
                yield service, "fail", text, f"fail {target} RATE={_share(percent)}"
            else:
                yield service, "kill", f"{instance}: {assault}", f"heal SERVICE={service}"


def _share(percent: str) -> str:
    try:
        return f"{float(percent) / 100:g}"
    except ValueError:
        return "1"


def _order(facts: Facts, entry: OrderEntry) -> dict[str, Any]:
    return {
        "orderId": entry.order_id,
        "status": entry.status,
        "placedAt": entry.placed_at,
        "decidedAt": None if entry.decided_at is None else rfc3339(entry.decided_at),
        "degraded": entry.degraded,
        "lines": [
            {**line, "productName": facts.orders.product_names.get(line["productId"])}
            for line in entry.lines
        ],
        "total": entry.total,
        "traceUrl": trace_url(facts, entry),
    }


def trace_url(facts: Facts, entry: OrderEntry) -> str | None:
    return f"{facts.zipkin}/zipkin/traces/{entry.trace_id}" if entry.trace_id else None


def order_life(facts: Facts, entry: OrderEntry) -> dict[str, Any]:
    """Its steps so far, with their times."""
    steps = [
        ("placed", entry.placed_at),
        ("published", rfc3339(entry.published_at)),
        ("stock taken", entry.stock_taken_at if entry.decision == "CONFIRMED" else None),
        ("decided", None if entry.decided_at is None else rfc3339(entry.decided_at)),
        ("cancelled", entry.cancelled_at),
    ]
    return {
        "orderId": entry.order_id,
        "status": entry.status,
        "degraded": entry.degraded,
        "steps": [{"name": name, "at": at} for name, at in steps if at],
        "traceUrl": trace_url(facts, entry),
    }

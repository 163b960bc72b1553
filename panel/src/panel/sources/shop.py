"""The parts and topics of this shop, as the topology declares them."""

from __future__ import annotations

from collections.abc import Iterable

from fusebox.core.stack import Stack
from fusebox.core.topology import BY_NAME, PARTS, TOPICS, Part
from panel.model.facts import PartFacts, Registration, TopicFacts

OWN_NAME = "panel"
PATHS = {"zipkin": "/zipkin/"}
WITHOUT_A_PAGE = ("postgres", "kafka")


def parts(stack: Stack) -> tuple[PartFacts, ...]:
    return tuple(
        PartFacts(
            name=part.name,
            kind="service" if part.kind == "service" else part.name,
            addresses=_addresses(stack, part),
            fixed=() if part.kind == "service" else (part.instance(),),
            has_database=bool(part.database),
            is_ours=part.is_ours,
        )
        for part in PARTS
    )


def topics() -> tuple[TopicFacts, ...]:
    return tuple(
        TopicFacts(
            topic.name,
            topic.published_by,
            topic.read_by,
            topic.dead_letter_topic if topic.dead_letters else None,
        )
        for topic in TOPICS
        if topic.read_by
    )


def trusted_urls(registry: Iterable[Registration]) -> dict[str, str]:
    """Where our own services are, by what discovery lists.

    Anybody may register an application of another name, and under any id: such a one is not shown
    who asks, for it could ask the others with that.
    """
    return {
        one.instance: one.url
        for one in registry
        if one.service in BY_NAME
        and BY_NAME[one.service].is_ours
        and one.service != OWN_NAME
        and one.instance.rpartition("-")[0] == one.service
    }


def fixed_urls(stack: Stack) -> dict[str, str]:
    """Where our processes of one fixed port are, whatever discovery says."""
    return {
        part.instance(): stack.url(part.name)
        for part in PARTS
        if part.is_ours and part.kind != "service" and part.name != OWN_NAME
    }


def _addresses(stack: Stack, part: Part) -> tuple[tuple[str, str], ...]:
    """What a person may open in a browser."""
    if part.port is None or part.name in WITHOUT_A_PAGE:
        return ()
    if stack.mode != "native" and not part.published:
        return ()
    return (("page", f"{page_url(stack, part.name)}{PATHS.get(part.name, '/')}"),)


def page_url(stack: Stack, name: str) -> str:
    """As a browser on this machine reaches it, also from inside a container."""
    return f"http://{stack.host}:{stack.port(name)}"

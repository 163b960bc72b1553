"""Draws docs/images/shop.svg from topology.toml and the services' sources.

`python docs/picture.py` writes it, there or into the file that it is given; standard library only.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TOPOLOGY = ROOT / "ops" / "src" / "fusebox" / "topology.toml"
PICTURE = ROOT / "docs" / "images" / "shop.svg"

FILL = {"service": "#fff3d6", "platform": "#e3eefc", "infrastructure": "#eeeeee", "": "#ffffff"}
FOOT = (
    "Every process of ours registers with discovery, takes its configuration from config-server, "
    "live, and reports its spans to Zipkin."
)
# What a part is for, where its name alone does not say it.
SUBJECTS = {
    "gateway": "routes, tokens, limits, canaries, cache",
    "discovery": "the registry, in Eureka's protocol",
    "config-server": "in Spring Cloud Config's protocol",
    "panel": "the shop as a live page",
    "zipkin": "traces, Kafka included",
    "postgres": "a database and a role a service",
    "kafka": "topics: from whom to whom",
}
ROW, GAP, LINE = 62, 34, 18
CLIENT_X, GATEWAY_X, SERVICE_X, KAFKA_X, RIGHT = 20, 150, 430, 720, 1060


@dataclass(frozen=True)
class Box:
    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        return self.y + self.height // 2

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height


@dataclass
class Drawing:
    elements: list[str] = field(default_factory=list)

    def box(self, box: Box, kind: str, title: str, lines: Iterable[str] = ()) -> None:
        self.elements.append(
            f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="8" '
            f'fill="{FILL[kind]}" stroke="#555555"/>'
        )
        self.text(box.x + 12, box.y + 24, title, weight="bold", size=15)
        for number, line in enumerate(lines):
            self.text(box.x + 12, box.y + 24 + LINE * (number + 1), line)

    def text(self, x: int, y: int, text: str, weight: str = "normal", size: int = 12) -> None:
        self.elements.append(
            f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}">{escape(text)}</text>'
        )

    def arrow(self, path: str) -> None:
        self.elements.append(
            f'<path d="{path}" fill="none" stroke="#333333" stroke-width="1.5" '
            'marker-end="url(#tip)"/>'
        )

    def svg(self, width: int, height: int) -> str:
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            'font-family="sans-serif" fill="#222222">\n'
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
            'markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#333333"/>'
            "</marker></defs>\n"
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n'
        )
        return head + "\n".join(self.elements) + "\n</svg>\n"


def calls(parts: dict[str, Any]) -> set[tuple[str, str]]:
    """Who calls whom over HTTP: a service's source names the services that it calls."""
    services = [name for name, part in parts.items() if part["kind"] == "service"]
    return {
        (caller, called)
        for caller in services
        for called in _strings(ROOT / parts[caller]["source"] / "src") & set(services)
        if called != caller
    }


def _strings(folder: Path) -> set[str]:
    return {
        node.value
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def callers_first(services: list[str], edges: set[tuple[str, str]]) -> list[str]:
    """So that most calls go one step down; those that call nobody and are not called come last."""

    def depth(service: str) -> int:
        callers = [caller for caller, called in edges if called == service]
        return 1 + max(map(depth, callers), default=-1)

    connected = {name for edge in edges for name in edge}
    return sorted(services, key=lambda name: (name not in connected, depth(name), name))


def draw(declared: dict[str, Any]) -> str:
    parts, topics = declared["parts"], declared["topics"]
    edges = calls(parts)
    names = callers_first([n for n, part in parts.items() if part["kind"] == "service"], edges)
    services = {
        name: Box(SERVICE_X, 20 + number * (ROW + GAP), 180, ROW)
        for number, name in enumerate(names)
    }
    height = len(names) * (ROW + GAP) - GAP
    drawing = Drawing()
    _draw_gateway(drawing, parts["gateway"], services, height)
    _draw_services(drawing, parts, services, edges)
    _draw_kafka(drawing, parts["kafka"], topics, services, height)
    bottom = _draw_platform(drawing, parts, height + 50)
    return drawing.svg(RIGHT + 20, bottom + 20)


def _draw_gateway(drawing: Drawing, gateway: Any, services: dict[str, Box], height: int) -> None:
    client = Box(CLIENT_X, 20 + height // 2 - 25, 80, 50)
    box = Box(GATEWAY_X, 20, 210, height)
    drawing.box(client, "", "client")
    words = SUBJECTS["gateway"].split(", ")
    drawing.box(box, "platform", f"gateway :{gateway['port']}", [*words, "", "begins the trace"])
    drawing.arrow(f"M{client.right} {client.middle} H{box.x}")
    for service in services.values():
        drawing.arrow(f"M{box.right} {service.middle} H{service.x}")


def _draw_services(
    drawing: Drawing, parts: Any, services: dict[str, Box], edges: set[tuple[str, str]]
) -> None:
    for name, box in services.items():
        database = parts[name].get("database")
        drawing.box(box, "service", name, [f"database {database}"] if database else [])
    for caller, called in sorted(edges):
        above, below = services[caller], services[called]
        if above.bottom + GAP == below.y:
            x = above.x + above.width // 2
            drawing.arrow(f"M{x} {above.bottom} V{below.y}")
            drawing.text(x + 8, above.bottom + 21, "HTTP, circuit breaker")
        else:
            bend = above.x - 26
            drawing.arrow(f"M{above.x} {above.middle + 12} H{bend} V{below.y + 14} H{below.x}")


def _draw_kafka(
    drawing: Drawing, kafka: Any, topics: Any, services: dict[str, Box], height: int
) -> None:
    box = Box(KAFKA_X, 20, RIGHT - KAFKA_X, height)
    lines = [SUBJECTS["kafka"], ""]
    for name, topic in topics.items():
        first, *others = topic.get("read-by", ["whoever listens"])
        *more, writer = topic["published-by"]
        lines += [f"{name}: {one} and" for one in more]
        lines.append(f"{'    ' if more else f'{name}: '}{writer} → {first}")
        lines += [f"    and {reader}" for reader in others]
    drawing.box(
        box, "infrastructure", f"Kafka :{kafka['port']}", [*lines, "", "TOPIC.dead: dead letters"]
    )
    writers = {writer for topic in topics.values() for writer in topic["published-by"]}
    readers = {reader for topic in topics.values() for reader in topic.get("read-by", ())}
    for name, service in services.items():
        middle = service.middle
        if name in writers:
            drawing.text(service.right + 10, middle - 14, "outbox →")
            drawing.arrow(f"M{service.right} {middle - 8} H{box.x}")
        if name in readers:
            drawing.text(service.right + 10, middle + 24, "← inbox")
            drawing.arrow(f"M{box.x} {middle + 8} H{service.right}")


def _draw_platform(drawing: Drawing, parts: Any, top: int) -> int:
    names = [
        name
        for name in ("discovery", "config-server", "zipkin", "postgres", "panel")
        if name in parts
    ]
    width = (RIGHT - CLIENT_X - 20 * (len(names) - 1)) // len(names)
    for number, name in enumerate(names):
        box = Box(CLIENT_X + number * (width + 20), top, width, ROW)
        title = {"zipkin": "Zipkin", "postgres": "PostgreSQL"}.get(name, name)
        drawing.box(box, parts[name]["kind"], f"{title} :{parts[name]['port']}", [SUBJECTS[name]])
    drawing.text(CLIENT_X, top + ROW + 26, FOOT)
    return top + ROW + 26


def main() -> None:
    drawn = draw(tomllib.loads(TOPOLOGY.read_text()))
    Path(sys.argv[1] if sys.argv[1:] else PICTURE).write_text(drawn)


if __name__ == "__main__":
    main()

"""Names in the sources are the field's: private words of our own do not come back."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCES = (
    "chassis/src",
    "services/user/src",
    "services/order/src",
    "services/catalog/src",
    "gateway/src",
    "discovery/src",
    "config-server/src",
    "ops/src",
    "panel/src",
)
# As a whole name, with or without underscores around it: the word, and what says it better.
PRIVATE = {
    "hops": "deadline",
    "neighbour": "service client",
    "neighbours": "service clients",
    "neighbourhood": "peers",
    "protection": "resilience policy",
    "admitted": "permit",
    "admission": "permit",
    "points": "kill points",
    "reach": "kill point, or what may be accessed",
    "listing": "instances",
    "refreshing": "refresh",
    "bell": "wake-up",
    "ring": "notify",
    "bury": "dead-letter",
    "told": "notified, published, recorded",
    "tell": "notify, record, publish",
    "said": "outcome, text",
    "cause": "trace context",
    "wanted": "requested, order lines",
    "offer": "product snapshot",
    "heard": "last known",
    "dearer": "price changed",
    "judge": "check",
    "errand": "exchange",
    "seen": "request view",
    "asked": "upstream request",
    "kept": "cached response",
    "shelf": "document cache, products",
    "flight": "coalesced request",
    "flights": "request coalescing",
    "board": "join",
    "land": "complete",
    "door": "HTTP server",
    "front": "HTTP server",
    "patience": "timeouts",
    "word": "filter definition",
    "lot": "random draw",
    "relapse": "canary rollback",
    "trial": "canary route",
    "trials": "canary routes",
    "shadowing": "mirror",
    "guard": "authentication",
    "blocking": "blocklist",
    "locating": "discovery locator",
    "note": "replication event",
    "places": "slots",
    "question": "config query",
    "reply": "upstream response",
    "kinds": "filter factories",
    "away": "unavailable",
    "aside": "run in thread",
    "families": "process tree",
    "marks": "stamps",
    "inside": "remote",
    "asking": "http",
    "launching": "launcher",
    "ending": "stopper",
    "assaults": "chaos monkey client",
    "training": "AOT cache",
    "brake": "throttle",
    "brakes": "throttles",
    "stage": "console",
    "scene": "context",
    "trading": "shop actions",
    "looking": "inspection",
    "promises": "assertions",
    "breakage": "faults",
    "crowd": "load",
    "hand": "client",
    "crew": "worker pool",
    "fates": "order outcomes",
    "reckoning": "reconciliation",
    "performance": "runner",
    "playing": "player",
    "script": "plan",
    "each": "what it is: for product in products",
    "found": "what it is: orders, instance, cached",
}

# Everyday words for what one line or function deals with; the name of a class, a type, a module or
# a package has to say more.
TOO_GENERAL = {
    "answer": "upstream response, request outcome",
    "children": "subprocesses",
    "done": "stamps",
    "kind": "filter factory, part kind",
    "levels": "log levels",
    "parts": "topology",
    "spans": "Zipkin reporter",
    "steps": "task graph",
    "waiting": "long poll",
    "zone": "Eureka zone",
}

# Where a word has the meaning that everybody gives it, and which.
MEANT = {
    "assaults": {
        "chassis/": "Chaos Monkey for Spring Boot calls its faults so",
        "ops/": "Chaos Monkey for Spring Boot calls its faults so",
        "panel/": "Chaos Monkey for Spring Boot calls its faults so",
    },
    "cause": {
        "chassis/src/chassis/resilience/service_client.py": "of an exception",
    },
    "ending": {
        "ops/src/fusebox/scaffold/": "of a file's name",
    },
    "guard": {
        "chassis/src/chassis/core/workers.py": "what runs a thread and sees to its death",
    },
    "note": {
        "chassis/src/chassis/resilience/circuit_breaker.py": "writes an event down",
        "ops/src/fusebox/demo/": "a remark to the reader",
    },
    "reach": {
        "services/user/": "whom a caller may get at",
    },
    "refreshing": {
        "chassis/src/chassis/config/client.py": "the lock of a refresh",
    },
    "shelf": {
        "services/catalog/": "the products that are there, by their ids",
    },
    "steps": {
        "ops/src/fusebox/demo/steps/": "those of the guided tour, a module each",
    },
    "training": {
        "ops/src/fusebox/core/topology.py": "a training run of the JVM (JEP 483)",
    },
    "wanted": {
        "ops/src/fusebox/replay/outcome/report.py": "a key of replay's JSON report",
    },
    "word": {
        "ops/src/fusebox/scaffold/": "what a name is made of",
    },
}


def names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Classes, functions, arguments, variables, attributes and aliases, with their lines."""
    for node in ast.walk(tree):
        match node:
            case (
                ast.ClassDef(name=str(name))
                | ast.FunctionDef(name=str(name))
                | ast.AsyncFunctionDef(name=str(name))
                | ast.arg(arg=str(name))
                | ast.Name(id=str(name), ctx=ast.Store())
                | ast.Attribute(attr=str(name), ctx=ast.Store())
                | ast.alias(asname=str(name))
                | ast.MatchAs(name=str(name))
                | ast.ExceptHandler(name=str(name))
            ):
                yield name, getattr(node, "lineno", 0)


def sources() -> Iterator[tuple[str, str, ast.Module]]:
    """Each file: its path, the name of its module or package, what it holds."""
    for source in SOURCES:
        for file in sorted((ROOT / source).rglob("*.py")):
            module = file.parent.name if file.stem == "__init__" else file.stem
            yield str(file.relative_to(ROOT)), module, ast.parse(file.read_text())


def places_of_names() -> dict[str, list[str]]:
    """Where each name is given, modules and packages included."""
    places = defaultdict(list)
    for file, module, tree in sources():
        places[module.strip("_").lower()].append(file)
        for name, line in names(tree):
            places[name.strip("_").lower()].append(f"{file}:{line}")
    return places


def places_of_big_names() -> dict[str, list[str]]:
    """Where each class, named type, module and package is."""
    places = defaultdict(list)
    for file, module, tree in sources():
        places[module.strip("_").lower()].append(file)
        for node in ast.walk(tree):
            match node:
                case ast.ClassDef(name=str(name)) | ast.Assign(targets=[ast.Name(id=str(name))]):
                    # PEP 8: what begins in upper and goes on in lower case is a type.
                    if name.strip("_")[:1].isupper() and not name.isupper():
                        places[name.strip("_").lower()].append(f"{file}:{node.lineno}")
    return places


PLACES = places_of_names()
BIG_NAMES = places_of_big_names()


@pytest.mark.parametrize("word", PRIVATE)
def test_a_private_word_is_no_name(word: str) -> None:
    places = [place for place in PLACES[word] if not place.startswith(tuple(MEANT.get(word, {})))]

    assert places == [], f"say: {PRIVATE[word]}"


@pytest.mark.parametrize("word", TOO_GENERAL)
def test_a_word_for_everything_names_no_class_and_no_module(word: str) -> None:
    meant = tuple(MEANT.get(word, {}))

    assert [place for place in BIG_NAMES[word] if not place.startswith(meant)] == [], (
        f"say: {TOO_GENERAL[word]}"
    )


# Each service has its own, and it is the same in each: it shares no module with the others.
SIBLINGS = {"Base", "Body", "LinesColumn", "Payload", "ServerSection", "StatusColumn"}


def test_a_class_name_means_one_thing_in_the_whole_repository() -> None:
    places = defaultdict(list)
    for file, _, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{file}:{node.lineno}")

    several = {name: where for name, where in places.items() if len(where) > 1}
    assert {name: where for name, where in several.items() if name not in SIBLINGS} == {}
    assert set(several) == SIBLINGS


def test_the_names_of_classes_types_and_modules_are_looked_at() -> None:
    names = {"class": "order", "type": "partkind", "module": "topology", "package": "routing"}

    assert [name for name in names.values() if name not in BIG_NAMES] == []


def test_every_kind_of_name_is_looked_at() -> None:
    kinds = {"module": "circuit_breaker", "class": "order", "function": "place", "field": "version"}

    assert [name for name in kinds.values() if name not in PLACES] == []

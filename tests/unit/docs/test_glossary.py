"""docs/glossary.md is held against the code: what it links to is there, and no term is missing."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "glossary.md"
# The terms that a reader of the code meets, and has to find here.
TERMS = """
    AOT cache, Zipkin reporter, actuator, blocklist, bulkhead, canary, canary rollback, chaos
    monkey, circuit breaker, dead letter, dead letter limit, deadline, discovery locator,
    driver, examination, exchange, filter, group commit, half-open, housekeeping, idempotency
    key, inbox, invariant, kill points, last known, last known good, lease, live value, load
    shedding, long poll, mirror, outbox, peers, pending changes, permit, problem details,
    process tree, refresh, registry snapshot, relay, request coalescing, resilience policy,
    response cache, retry budget, sampling, service client, sliding window, state machine, task
    graph, throttle, topology, trace context, transactional outbox, wake-up, zone
"""


def rows() -> dict[str, list[str]]:
    """The cells of every row, by its term."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {term: others for term, *others in cells if term != "term"}


@pytest.mark.parametrize("term", rows())
def test_a_term_has_a_sentence_a_source_and_modules_that_exist(term: str) -> None:
    sentence, source, modules = rows()[term]
    links = re.findall(r"\]\(\.\./([^)]+)\)", modules)

    assert sentence.endswith(".")
    assert source
    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_the_terms_of_the_code_are_explained() -> None:
    explained = " ".join(rows())
    terms = [" ".join(term.split()) for term in TERMS.split(",")]

    assert [term for term in terms if term not in explained] == []


def test_a_term_is_explained_once() -> None:
    terms = re.findall(r"^\| ([^|]+) \|", PAGE.read_text(), re.MULTILINE)

    assert [term for term, times in Counter(terms).items() if times > 1 and term != "term"] == []


def test_the_terms_are_in_the_order_of_the_alphabet() -> None:
    for section in PAGE.read_text().split("\n## ")[1:]:
        terms = re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)[1:]

        assert terms == sorted(terms, key=str.lower)

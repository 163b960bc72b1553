"""Asks OSV (https://osv.dev) for the advisories that concern a pinned package; any fails.

Without a network, or where the service does not answer, it says so and does not fail: a build must
not depend on a service of others, and one that does reach it tells.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

import requests

from fusebox.supply_chain.pins import LOCK, Pin, pinned

URL = "https://api.osv.dev"
TIMEOUT_SECONDS = 10
# An advisory that does not concern us, and why; each is looked at again when its package changes.
ACCEPTED: dict[str, str] = {}


class NotAudited(Exception):
    """Nobody could be asked."""


def advisories(pins: Sequence[Pin], url: str) -> dict[Pin, list[str]]:
    """The ids of those that concern a package, by package.  Raises NotAudited."""
    queries = [
        {"package": {"name": pin.name, "ecosystem": "PyPI"}, "version": pin.version} for pin in pins
    ]
    affected: dict[Pin, list[str]] = {}
    pending = list(zip(pins, queries, strict=True))
    while pending:
        results = _results(url, [query for _, query in pending])
        if len(results) != len(pending):
            raise NotAudited("its answer is none to the question")
        further = []
        for (pin, query), result in zip(pending, results, strict=True):
            ids = [entry["id"] for entry in result.get("vulns", ())]
            affected.setdefault(pin, []).extend(name for name in ids if name not in ACCEPTED)
            if token := result.get("next_page_token"):
                further.append((pin, {**query, "page_token": token}))
        pending = further
    return {pin: ids for pin, ids in affected.items() if ids}


def _results(url: str, queries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    try:
        answer = requests.post(
            f"{url}/v1/querybatch", json={"queries": queries}, timeout=TIMEOUT_SECONDS
        )
        answer.raise_for_status()
        results: list[dict[str, Any]] = answer.json()["results"]
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise NotAudited(type(error).__name__) from error
    return results


def main() -> None:
    pins, url = pinned(LOCK.read_text()), os.environ.get("OSV_URL", URL)
    try:
        affected = advisories(pins, url)
    except NotAudited as reason:
        print(f"The packages were not audited: {url} does not answer ({reason}).")
        return
    if not affected:
        print(f"No advisory concerns one of the {len(pins)} packages.")
        return
    for pin, ids in affected.items():
        links = " ".join(f"https://osv.dev/vulnerability/{name}" for name in ids)
        print(f"{pin.name} {pin.version}: {links}")
    sys.exit(
        f"{len(affected)} of {len(pins)} packages have known vulnerabilities. Update them with"
        " `make lock`, or say in ACCEPTED of this module why one does not concern the shop."
    )


if __name__ == "__main__":
    main()

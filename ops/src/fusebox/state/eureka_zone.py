"""Where the replicas of discovery are, as all processes of this stack are told."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fusebox.core.stack import Stack
from fusebox.core.topology import BY_NAME
from fusebox.state import config_overlay

KEY = "eureka.client.service-url.defaultZone"
DISCOVERY = BY_NAME["discovery"]
PATH = "/eureka/"


def urls(stack: Stack) -> dict[str, str]:
    """The address of each, by its instance's name."""
    zone = config_overlay.read(config_overlay.file(stack)).get(KEY, "")
    named = [url.removesuffix(PATH) for url in zone.split(",")]
    # The first of several processes stays where it is; several containers answer to its name.
    first = named[0] if stack.mode == "inside" and zone else stack.url(DISCOVERY.name)
    numbered = enumerate([first, *named[1:]], 1)
    return {DISCOVERY.instance(number): url for number, url in numbered}


def value(urls: Iterable[str]) -> str:
    """What `KEY` is to be for these."""
    return ",".join(url + PATH for url in urls)


def forget(stack: Stack) -> None:
    """Of a shop that goes down or was down: after `up` there is one of each again."""
    config_overlay.forget(stack, None, re.compile(re.escape(KEY)))

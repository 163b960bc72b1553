"""Where the replicas of discovery are, as all processes of this stack are told."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fusebox import overlay
from fusebox.parts import BY_NAME
from fusebox.stack import Stack

KEY = "eureka.client.service-url.defaultZone"
DISCOVERY = BY_NAME["discovery"]
PATH = "/eureka/"


def urls(stack: Stack) -> dict[str, str]:
    """The address of each, by its instance's name; that of the first never changes."""
    told = overlay.read(overlay.file(stack)).get(KEY, "")
    others = [each.removesuffix(PATH) for each in told.split(",")[1:]]
    named = enumerate([stack.url(DISCOVERY.name), *others], 1)
    return {DISCOVERY.instance(number): url for number, url in named}


def value(urls: Iterable[str]) -> str:
    """What `KEY` is to be for these."""
    return ",".join(url + PATH for url in urls)


def forget(stack: Stack) -> None:
    """Of a shop that is down: after `up` there is one of each again."""
    overlay.forget(overlay.file(stack), re.compile(re.escape(KEY)))

"""Doing things where the parts can be reached.

Of a shop of containers only the gateway and Zipkin are published; what else is to be asked is
asked from its container `ops`, by the same functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from fusebox.core.stack import Stack
from fusebox.runtime.relay import relay_of

P = ParamSpec("P")
T = TypeVar("T")


def run(
    stack: Stack,
    function: Callable[Concatenate[Stack, P], T],
    *arguments: P.args,
    **named: P.kwargs,
) -> T:
    """`function(stack, …)`, here or in the container.

    It is found there by its name, and its type hints say how JSON becomes its arguments and its
    result again.  Raises the Fault that `function` raises, and one when the container does not run.
    """
    if stack.mode != "docker":
        return function(stack, *arguments, **named)
    return relay_of(stack).run(function, *arguments, **named)

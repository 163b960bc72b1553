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
    """`function(stack, …)`, here or in the container; arguments and result have to be picklable.

    Raises what `function` raises, and Fault when the container does not run.
    """
    if stack.mode != "docker":
        return function(stack, *arguments, **named)
    return relay_of(stack).run(function, *arguments, **named)

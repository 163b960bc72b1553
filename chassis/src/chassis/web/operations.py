"""What an operation of an API promises, written where it is declared.

`@operation` under a route keeps it; nothing of it is looked at while requests are served.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from chassis.core.errors import Problem

V = TypeVar("V", bound=Callable[..., Any])

OPERATION = "__operation__"


class Access(Enum):
    """Who may call: each of these roles alone will do, and without any everybody may."""

    ANYONE = ()
    USER = ("user",)
    OWNER = ("owner",)
    OWNER_OR_ADMIN = ("owner", "admin")
    ADMIN = ("admin",)


@dataclass(frozen=True)
class Parameter:
    name: str
    within: Literal["path", "query", "header"]
    description: str
    schema: Mapping[str, Any]
    example: Any


@dataclass(frozen=True)
class SuccessResponse:
    """`document` is a type that pydantic can describe, and None for an answer without a body.

    `headers` are those that it always has, `now_and_then` the others, with what they say;
    `other_statuses` are those that it may have as well.
    """

    status: int = 200
    document: Any = None
    description: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    now_and_then: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    other_statuses: tuple[int, ...] = ()


@dataclass(frozen=True)
class Operation:
    """`problems` are examples of what it refuses for reasons of its own: each with its code.

    What is refused everywhere (no token, no JSON, a wrong field) goes without saying.
    """

    summary: str
    access: Access
    success: SuccessResponse
    body: type[BaseModel] | None = None
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[Problem, ...] = ()
    description: str = ""
    # Where a token can stand for it, and it for a token.
    is_body_optional: bool = False


def operation(
    summary: str, access: Access, success: SuccessResponse, **more: Any
) -> Callable[[V], V]:
    """Describe the function below, whose first line of documentation may say more."""

    def keep(view: V) -> V:
        promised = Operation(summary, access, success, **more)
        setattr(view, OPERATION, promised)
        return view

    return keep


def operation_of(view: Callable[..., Any]) -> Operation | None:
    return getattr(view, OPERATION, None)

"""Statuses by number or name, and the filters that set one: SetStatus, RedirectTo."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from gateway.routing.syntax.arguments import Arguments


@dataclass(frozen=True, slots=True)
class SetStatus:
    status: int


@dataclass(frozen=True, slots=True)
class RedirectTo:
    """The gateway answers itself; with `with_query` the client's query goes along."""

    status: int
    url: str
    with_query: bool = False

    def location(self, query: str) -> str:
        if not (self.with_query and query):
            return self.url
        return f"{self.url}{'&' if '?' in self.url else '?'}{query}"


def status(text: str) -> int:
    """`404` or `NOT_FOUND`."""
    if text.upper() in HTTPStatus.__members__:
        return HTTPStatus[text.upper()].value
    if not re.fullmatch("[2-5][0-9]{2}", text):
        raise ValueError(f"{text!r} is not a status such as 404 or NOT_FOUND")
    return int(text)


def set_status(arguments: Arguments) -> SetStatus:
    return SetStatus(arguments.read("status", status))


def redirect_to(arguments: Arguments) -> RedirectTo:
    code = arguments.read("status", status)
    if not 300 <= code < 400:
        raise ValueError(f"status: {arguments.text('status')!r} is not one of a redirection")
    return RedirectTo(
        code, arguments.read("url", _url), arguments.flag("includeRequestParams", "false")
    )


def _url(text: str) -> str:
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError(f"{text!r} is not an address")
    urlsplit(text)
    return text

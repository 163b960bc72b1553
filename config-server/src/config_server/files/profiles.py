"""Spring's profile expressions: `dev`, `!prod`, `cloud & (eu | us)`."""

import re
from collections.abc import Collection, Iterable

MAX_TOKENS = 100  # each bracket costs a level of recursion
TOKEN = re.compile(r"\s*([()&|!]|[^()&|!\s]+)\s*")


class InvalidProfileExpression(ValueError):
    """A profile expression that cannot be read; the text shows it."""


def accepts(expressions: Iterable[str], active: Collection[str]) -> bool:
    """Whether one of the `expressions` holds while `active` are."""
    return any(_Expression(text, active).holds() for text in expressions)


class _Expression:
    def __init__(self, text: str, active: Collection[str]) -> None:
        self._text = text
        self._active = active
        self._tokens = TOKEN.findall(text)[::-1]

    def holds(self) -> bool:
        if len(self._tokens) > MAX_TOKENS:
            raise self._wrong()
        result = self._operation()
        if self._tokens:
            raise self._wrong()
        return result

    def _operation(self) -> bool:
        result = self._operand()
        operator = self._next()
        while self._tokens and self._next() in ("&", "|"):
            if self._tokens.pop() != operator:
                raise self._wrong()  # Spring wants brackets where & and | meet
            right = self._operand()
            result = (result and right) if operator == "&" else (result or right)
        return result

    def _operand(self) -> bool:
        token = self._tokens.pop() if self._tokens else ""
        if token == "!":
            return not self._operand()
        if token == "(":
            result = self._operation()
            if not self._tokens or self._tokens.pop() != ")":
                raise self._wrong()
            return result
        if token in ("", "&", "|", ")"):
            raise self._wrong()
        return token in self._active

    def _next(self) -> str:
        return self._tokens[-1] if self._tokens else ""

    def _wrong(self) -> InvalidProfileExpression:
        return InvalidProfileExpression(f"profile expression {self._text.strip()[:MAX_TOKENS]!r}")

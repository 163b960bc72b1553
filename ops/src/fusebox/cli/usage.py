"""What a person types after a verb: read strictly, and refused in one form.

The refusal names the variable of the Makefile, its value, what is allowed, and an example.
"""

from __future__ import annotations

import math
import re
from typing import IO, Any

import click

from fusebox.core.errors import Fault
from fusebox.core.suggestions import hint, unknown_verb
from fusebox.core.topology import part_named

WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
NEGATIVE = re.compile(r"-[0-9.]")
# What is called otherwise in the Makefile than in the code.
VARIABLES = {"number": "N"}
EXAMPLES = {
    "kill": "make kill SERVICE=catalog-service",
    "start": "make start SERVICE=catalog-service",
    "stop": "make stop SERVICE=catalog-service INSTANCE=1",
    "scale": "make scale SERVICE=order-service N=3",
    "roll": "make roll SERVICE=order-service",
    "canary": "make canary SERVICE=catalog-service WEIGHT=10",
    "slow": "make slow SERVICE=catalog-service MS=800",
    "fail": "make fail SERVICE=catalog-service RATE=0.5",
    "pause": "make pause SERVICE=catalog-service",
    "heal": "make heal SERVICE=catalog-service",
    "set": "make set KEY=fusebox.breaker.fail-max VALUE=3",
    "dead": "make dead DROP=all",
    "logs": "make logs SERVICE=order-service",
    "new": "make new SERVICE=review-service",
    "order": "make order PRODUCT=CATALOG-0001 QTY=2 N=3",
    "replay": "make replay SYNTHETIC=10000 CONCURRENCY=16",
    "demo": "make demo STEP=3 PACE=fast",
    "traffic": "make traffic RATE=5",
}


class Misuse(click.UsageError):
    """A fault of whoever typed the command; click ends with exit code 2 for it."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.what)
        self.fault = fault

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo("\n".join(self.fault.lines()), file=file, err=file is None)


class WholeNumber(click.ParamType[int]):
    """A whole number within its bounds, in digits; a refusal names its `meaning`."""

    name = "integer"

    def __init__(
        self, least: int | None = None, most: int | None = None, meaning: str = ""
    ) -> None:
        self.least, self.most, self.meaning = least, most, meaning

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> int:
        if isinstance(value, int):
            return value
        number = int(value) if WHOLE.fullmatch(value) else None
        if number is None or not _is_within(number, self.least, self.most):
            allowed = f"a whole number{_bounds(self.least, self.most)}{self.meaning}"
            raise refused(value, allowed, param, context)
        return number


class DecimalNumber(click.ParamType[float]):
    """A finite number within its bounds; a refusal names its `meaning`."""

    name = "number"

    def __init__(
        self, least: float | None = None, most: float | None = None, meaning: str = ""
    ) -> None:
        self.least, self.most, self.meaning = least, most, meaning

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> float:
        if isinstance(value, float | int):
            return value
        number = float(value) if DECIMAL.fullmatch(value) else math.inf
        if math.isinf(number) or not _is_within(number, self.least, self.most):
            allowed = f"a number{_bounds(self.least, self.most)}{self.meaning}"
            raise refused(value, allowed, param, context)
        return number


class PartName(click.ParamType[str]):
    """The name of a part of the shop."""

    name = "service"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> str:
        if not value:
            raise Misuse(_missing(param, context))
        return part_named(value).name


class Verb(click.Command):
    """A command for which `-5` is a value and no option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if any(NEGATIVE.match(argument) for argument in args):
            ctx.ignore_unknown_options = True
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise Misuse(usage_fault(error)) from error


class Verbs(click.Group):
    """All of them; who misspells one is told which was meant."""

    command_class = Verb

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            [what, remedy] = unknown_verb(args[0], self.list_commands(ctx))
            raise Fault(
                what.removeprefix("fusebox: "),
                remedy=remedy.removeprefix("What to do: "),
                exit_code=2,
            )
        return super().resolve_command(ctx, args)


def refused(
    value: str, allowed: str, param: click.Parameter | None, context: click.Context | None
) -> Misuse:
    """For a value that is not what is `allowed`."""
    if not value:
        return Misuse(_missing(param, context))
    variable = _variable(param)
    return Misuse(
        Fault(
            f"{variable} is {value!r}, and has to be {allowed}",
            remedy=f"give {variable}, {_example(context)}.",
            exit_code=2,
        )
    )


def usage_fault(error: click.UsageError) -> Fault:
    """What click found wrong, in the form of all other faults."""
    context = error.ctx
    if isinstance(error, Misuse):
        return error.fault
    if isinstance(error, click.MissingParameter):
        return _missing(error.param, context)
    if isinstance(error, click.NoSuchOption):
        remedy = f"{hint(error.option_name, error.possibilities or ())}{_help(context)}"
        return Fault(f"there is no option {error.option_name}", remedy=remedy, exit_code=2)
    message = error.message.rstrip(".")
    if isinstance(error, click.BadParameter) and error.param:
        message = f"{_variable(error.param)} is wrong: {message}"
    return Fault(message, remedy=f"write it {_example(context)}.", exit_code=2)


def _missing(param: click.Parameter | None, context: click.Context | None) -> Fault:
    return Fault(
        f"{_variable(param)} is missing", remedy=f"give it, {_example(context)}.", exit_code=2
    )


def _variable(param: click.Parameter | None) -> str:
    name = (param.name if param else None) or "the value"
    return VARIABLES.get(name, name.upper().replace("_", "-"))


def _example(context: click.Context | None) -> str:
    name = (context.info_name if context else None) or ""
    return f"as in `{EXAMPLES[name]}`" if name in EXAMPLES else f"as `fusebox {name} --help` says"


def _help(context: click.Context | None) -> str:
    return f"`{context.command_path if context else 'fusebox'} --help` lists them all."


def _is_within(number: float, least: float | None, most: float | None) -> bool:
    return (least is None or number >= least) and (most is None or number <= most)


def _bounds(least: float | None, most: float | None) -> str:
    if least is None or most is None:
        return "" if least is None else f" of at least {least:g}"
    return f" from {least:g} to {most:g}"

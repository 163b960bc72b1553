"""The command line's verbs that break the shop on purpose, mend it, and change it live."""

from __future__ import annotations

import json as json_format
from dataclasses import asdict

import click

from fusebox.cli.usage import DecimalNumber, PartName, Verb, WholeNumber
from fusebox.core.progress import shown
from fusebox.core.stack import Stack
from fusebox.core.topology import BY_NAME, PARTS, SERVICES
from fusebox.state.config_overlay import SHARED

SERVICE_HELP = f"SERVICE is one of {', '.join(part.name for part in PARTS)}."
SCALED_HELP = f"SERVICE is one of {', '.join(part.name for part in SERVICES)}."
OURS_HELP = f"SERVICE is one of {', '.join(part.name for part in PARTS if part.is_ours)}."
DISCOVERY = BY_NAME["discovery"].name
HEAL_HINT = "`make heal` undoes it."

instance_option = click.option(
    "--instance", type=WholeNumber(1), help="Only this one (order-service-2: 2)."
)


@click.command(cls=Verb, epilog=f"{SCALED_HELP[:-1]}, {DISCOVERY}.")
@click.argument("service", type=PartName())
@click.argument("n", type=WholeNumber())
@click.pass_obj
def scale(stack: Stack, service: str, n: int) -> None:
    """Run N instances of SERVICE: start what is missing, drain what is too much.

    The highest numbers are drained, gracefully.  After `down` and `up` there is one of each again.
    """
    from fusebox.operations import discovery_replicas, instances

    of_discovery = service == DISCOVERY
    with shown():
        names = (
            discovery_replicas.scale(stack, n)
            if of_discovery
            else instances.scale(stack, service, n)
        )
    click.echo(f"{service} runs as {', '.join(names)}")


@click.command(cls=Verb, epilog=SCALED_HELP)
@click.argument("service", type=PartName())
@click.pass_obj
def roll(stack: Stack, service: str) -> None:
    """Restart the instances of SERVICE one after another, without a failed request.

    One more instance is begun first and drained in the end.
    """
    from fusebox.operations import instances

    with shown():
        names = instances.roll(stack, service)
    for name in names:
        click.echo(f"{name} was restarted")


@click.command(cls=Verb, epilog=SCALED_HELP)
@click.argument("service", type=PartName())
@click.argument("weight", type=WholeNumber(0, 100, ", the share in per cent"))
@click.option("--version", help="What the new instance says of itself; else …-canary.")
@click.option("--sticky", help="The same version for the same user, address, cookie:NAME, …")
@click.pass_obj
def canary(
    stack: Stack, service: str, weight: int, version: str | None, sticky: str | None
) -> None:
    """Send WEIGHT % of the gateway's calls of SERVICE to a second version of it.

    The first time it starts one more instance; 0 ends it.  Too many errors shift all back.
    """
    from fusebox.operations import canary as canaries

    with shown():
        lines = canaries.shift(stack, service, weight, version, sticky)
    click.echo("\n".join(lines))


@click.command(cls=Verb, epilog=SERVICE_HELP)
@click.argument("service", type=PartName())
@click.argument("ms", type=WholeNumber(1, 60_000))
@instance_option
@click.pass_obj
def slow(stack: Stack, service: str, ms: int, instance: int | None) -> None:
    """Make every answer of SERVICE come MS milliseconds late.

    Kafka, PostgreSQL and Zipkin are throttled: they stand still for MS milliseconds, run for
    a moment, and so on (Kafka for at most 1500).  The fault ends with the process, or by `heal`.
    """
    from fusebox.operations import faults

    for name in faults.slow(stack, service, ms, instance):
        click.echo(f"{name} is slow by {ms} ms. {HEAL_HINT}")


@click.command(cls=Verb, epilog=OURS_HELP)
@click.argument("service", type=PartName())
@click.argument("rate", type=DecimalNumber(0, 1, " (0.5 is half)"))
@instance_option
@click.pass_obj
def fail(stack: Stack, service: str, rate: float, instance: int | None) -> None:
    """Have SERVICE answer the share RATE (0 to 1) of its requests with 500.

    The fault ends with the process, or by `heal`.
    """
    from fusebox.operations import faults

    for name in faults.fail(stack, service, rate, instance):
        click.echo(f"{name} fails {100 * rate:g} % of its requests. {HEAL_HINT}")


@click.command(cls=Verb, epilog=SERVICE_HELP)
@click.argument("service", type=PartName())
@instance_option
@click.pass_obj
def pause(stack: Stack, service: str, instance: int | None) -> None:
    """SIGSTOP: SERVICE takes connections and does nothing, until `heal`."""
    from fusebox.operations import faults

    for name in faults.pause(stack, service, instance):
        click.echo(f"{name} is paused. {HEAL_HINT}")


@click.command(cls=Verb, epilog=SERVICE_HELP)
@click.argument("service", required=False, type=PartName())
@click.pass_obj
def heal(stack: Stack, service: str | None) -> None:
    """Undo every fault of the shop, or of SERVICE: slow, fail, pause, kill and stop."""
    from fusebox.operations import faults

    with shown():
        healed = faults.heal(stack, service)
    click.echo("\n".join(healed or ["Nothing was broken on purpose."]))


@click.command("set", cls=Verb, epilog=OURS_HELP)
@click.argument("key", required=False)
@click.argument("value", required=False)
@click.option("--service", type=PartName(), help="Only for this one.")
@click.pass_obj
def set_(stack: Stack, key: str | None, value: str | None, service: str | None) -> None:
    """Set KEY of the configuration to VALUE, live; without VALUE, take it back.

    It is kept beside the shop's data and wins over config/.  A value that a process refuses
    changes nothing.  Without KEY, list what is set by hand.
    """
    from fusebox.operations.configuration import settings

    if not key:
        click.echo("\n".join(_set_by_hand(settings.set_by_hand(stack))))
        return
    change = settings.change(stack, key, value, service)
    if not change.was_set:
        click.echo(f"{key} was not set by hand for {service or 'all'}; nothing was changed.")
    for instance, new in change.new.items():
        old = change.old.get(instance, "")
        was = f"{old or '(nothing)'} → {new or '(nothing)'}" if old != new else f"{new} as before"
        click.echo(f"{instance}: {key} {was}")


def _set_by_hand(properties: dict[str, dict[str, str]]) -> list[str]:
    lines = [
        f"{key}={value}  ({'all' if name == SHARED else name})"
        for name, values in properties.items()
        for key, value in values.items()
    ]
    return lines or ["Nothing is set by hand."]


@click.command(cls=Verb)
@click.option("--json", is_flag=True, help="For a program to read.")
@click.option("--drop", metavar="ID", help="Discard that one (orders.dead/0/7), several, or all.")
@click.pass_obj
def dead(stack: Stack, json: bool, drop: str | None) -> None:
    """List the dead letters that were not put back yet, each with its reason; or discard them."""
    from fusebox.operations import dead_letters
    from fusebox.operations.drivers import refuse_down

    refuse_down(stack)
    if drop is not None:
        ids = drop.replace(",", " ").split()
        dropped = dead_letters.drop(stack, None if ids == ["all"] else ids)
        click.echo(f"{dropped} dead letters were discarded.")
        return
    letters = dead_letters.letters(stack)
    if json:
        click.echo(json_format.dumps([asdict(letter) for letter in letters], indent=2))
    else:
        click.echo(dead_letters.described(letters))


@click.command("replay-dead", cls=Verb)
@click.pass_obj
def replay_dead(stack: Stack) -> None:
    """Put each dead letter back to the topic it came from, once.

    One that is still wrong comes back as a new dead letter.
    """
    from fusebox.operations import dead_letters
    from fusebox.operations.drivers import refuse_down

    refuse_down(stack)
    click.echo(f"{dead_letters.replay(stack)} dead letters were put back.")


VERBS = (scale, roll, canary, slow, fail, pause, heal, set_, dead, replay_dead)

"""The command line: each verb of the Makefile, its options and its exit codes."""

from __future__ import annotations

import json as json_format
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

import click

from fusebox.cli import chaos_verbs
from fusebox.cli.chaos_verbs import SERVICE_HELP, instance_option
from fusebox.cli.credentials import credentials
from fusebox.cli.logs import logs
from fusebox.cli.order import order
from fusebox.cli.traffic import traffic
from fusebox.cli.usage import PartName, Verbs, usage_fault
from fusebox.cli.watch import watch
from fusebox.core import pipes
from fusebox.core.errors import Fault, Interrupted
from fusebox.core.progress import shown
from fusebox.core.stack import Stack
from fusebox.demo.command import demo
from fusebox.replay.command import replay
from fusebox.scaffold.command import new

EPILOG = """Exit codes: 0 done (status: nothing is wrong but what was broken on purpose; verify: all
holds; doctor: all right), 1 not, 2 asked for something that does not exist, 130 interrupted,
143 terminated.

Environment: FUSEBOX_HOME (folder of this shop), FUSEBOX_PORT_OFFSET (added to every port),
FUSEBOX_BIND (address to listen on, 127.0.0.1; a shop remembers both),
FUSEBOX_MODE (native: processes, docker: containers; without it, whichever of them is up)."""

# They ask nothing of the shop at its ports.
ANYWHERE = ("down", "clean", "new", "lock-jars")


@click.group(cls=Verbs, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def cli(context: click.Context) -> None:
    """A microservices shop you can break on purpose."""
    stack = context.obj = Stack.from_environment(os.environ)
    if context.invoked_subcommand not in ANYWHERE:
        stack.refuse_moved()


@cli.command()
@click.pass_obj
def up(stack: Stack) -> None:
    """Start the shop and wait until it takes orders; Zipkin may come a little later."""
    from fusebox.cli.up import up as go_up
    from fusebox.cli.welcome import welcome

    if not go_up(stack):
        click.echo("It was up already; nothing was changed.")
    click.echo(welcome(stack))


@cli.command()
@click.pass_obj
def down(stack: Stack) -> None:
    """Stop everything, keep the data."""
    from fusebox.operations.shutdown import down as go_down

    with shown():
        was_up = go_down(stack)
    click.echo("The shop is down; its data are kept." if was_up else "Nothing was running.")


@cli.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def clean(stack: Stack, yes: bool) -> None:
    """Stop everything and remove its data, logs and secrets."""
    from fusebox.operations import shutdown

    if not yes and not (sys.stdin and sys.stdin.isatty()):
        raise Fault(
            f"{stack.home} is not removed, with all orders in it, unless somebody says so",
            remedy="make clean YES=1, or run it on a terminal, where it asks.",
            exit_code=2,
        )
    if not yes:
        click.confirm(f"Remove {stack.home} with all orders in it?", abort=True)
    with shown():
        shutdown.down(stack)
    shutdown.clean(stack)
    click.echo(f"Removed what the shop had in {stack.home}.")


@cli.command()
@click.option("--json", is_flag=True, help="For a program to read.")
@click.pass_obj
def status(stack: Stack, json: bool) -> None:
    """Show every process, and whether it is really healthy."""
    from fusebox.operations import status as shop_status

    shop = shop_status.read(stack)
    if json:
        click.echo(json_format.dumps(shop.document(), indent=2))
    elif shop.is_down:
        click.echo(_why_down(stack))
    else:
        from fusebox.cli import status_table

        status_table.show(shop)
    sys.exit(0 if shop.is_as_meant else 1)


def _instance_verb(name: str, help_text: str, done: str) -> None:
    """Add the verb `name`, which acts on a part's instances."""

    @cli.command(name, help=help_text, epilog=SERVICE_HELP)
    @click.argument("service", type=PartName())
    @instance_option
    @click.pass_obj
    def verb(stack: Stack, service: str, instance: int | None) -> None:
        from fusebox.operations import instances

        act: Callable[[Stack, str, int | None], list[str]] = getattr(instances, name)
        with shown():
            names = act(stack, service, instance)
        for acted_on in names:
            click.echo(f"{acted_on} {done}")


_instance_verb("kill", "SIGKILL; it stays dead until `start`.", "is dead")
_instance_verb(
    "start", "Start it, or let go on what is paused, and wait until it is healthy.", "is healthy"
)
_instance_verb("stop", "Stop it gracefully; it stays down until `start`.", "has ended")


for breaking_verb in chaos_verbs.VERBS:
    cli.add_command(breaking_verb)
cli.add_command(credentials)
cli.add_command(logs)
cli.add_command(order)
cli.add_command(replay)
cli.add_command(traffic)
cli.add_command(watch)
cli.add_command(new)
cli.add_command(demo)


@cli.command()
@click.option("--json", is_flag=True, help="For a program to read.")
@click.pass_obj
def verify(stack: Stack, json: bool) -> None:
    """Check what must hold between the stores, read-only, on the live shop."""
    from fusebox.operations.drivers import refuse_down
    from fusebox.operations.verify import report
    from fusebox.operations.verify.command import verify as check

    refuse_down(stack)
    findings = check(stack)
    broken = [finding for finding in findings if not finding.holds]
    click.echo(report.as_json(findings) if json else report.as_text(findings))
    sys.exit(1 if broken else 0)


@cli.command()
@click.pass_obj
def doctor(stack: Stack) -> None:
    """Say why it does not work, and what to do."""
    from fusebox.cli import doctor as checks

    right = True
    for check in checks.examine(stack):
        right &= check.right
        click.echo("\n".join(checks.lines(check)))
    sys.exit(0 if right else 1)


@cli.command("rotate-keys")
@click.pass_obj
def rotate_keys(stack: Stack) -> None:
    """Have another key sign the tokens; nobody is logged out."""
    from fusebox.operations import key_rotation

    with shown():
        keys = key_rotation.rotate(stack)
    click.echo(f"{keys.new} signs the tokens from now on;")
    click.echo(f"{keys.old} verifies those that it has signed until they are over.")


@cli.command()
@click.option("--json", is_flag=True, help="For a program to read.")
@click.pass_obj
def purge(stack: Stack, json: bool) -> None:
    """Delete now what has had its time: deleted users, old keys, ids of events, sessions."""
    from fusebox.operations import purge as purging

    purged = purging.purge(stack)
    if json:
        rows = [
            {
                "service": table.service,
                "table": table.table,
                "removed": table.rows,
                "keepSeconds": table.keep.total_seconds(),
            }
            for table in purged
        ]
        click.echo(json_format.dumps({"tables": rows}, indent=2))
        return
    for table in purged:
        click.echo(
            f"{table.service:16} {table.table:18} {table.rows:8} rows older than {table.keep}"
        )


@cli.command("topics", hidden=True)
@click.pass_obj
def topics(stack: Stack) -> None:
    """Make those of the shop's topics that are missing."""
    from fusebox.network import kafka_admin

    click.echo(f"{len(kafka_admin.make_topics(kafka_admin.servers(stack)))} topics were made.")


@cli.command("lock-jars")
@click.pass_obj
def lock_jars(stack: Stack) -> None:
    """Resolve Kafka and Zipkin anew and write deploy/native/jars.lock."""
    from fusebox.cli.jars_lock import renew

    click.echo(f"{renew(stack.native / 'jars.lock')} jars are pinned.")


def _why_down(stack: Stack) -> str:
    from fusebox.native.process_tree import orphans

    if stack.mode == "docker":
        return "The shop is down; `make up MODE=docker` starts it."
    left = len(orphans(stack))
    if left:
        return (
            f"The supervisor has died and left {left} processes; `make up` ends and replaces them."
        )
    return "The shop is down; `make up` starts it."


def _terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Interrupted


def _report(fault: Fault) -> NoReturn:
    click.echo("\n".join(fault.lines()), err=True)
    sys.exit(fault.exit_code)


def main() -> NoReturn:
    """Run the command line; a fault is told in a few lines, without a traceback."""
    signal.signal(signal.SIGTERM, _terminated)
    pipes.outlive_readers()
    try:
        cli.main(standalone_mode=False)
    except Fault as fault:
        _report(fault)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.UsageError as error:
        _report(usage_fault(error))
    except click.exceptions.Abort:
        click.echo("fusebox: interrupted", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Interrupted:
        click.echo("fusebox: terminated", err=True)
        sys.exit(143)
    sys.exit(0)

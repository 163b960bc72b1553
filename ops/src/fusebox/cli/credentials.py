"""The verb `credentials`: the two addresses that a foreign application's configuration needs."""

from __future__ import annotations

import json as json_format

import click

from fusebox.core.errors import Fault
from fusebox.core.secrets import secret
from fusebox.core.stack import Stack
from fusebox.core.topology import GUEST, guest_password

PAGE = """\
For a foreign application. In its application.yml, if it is one of Spring Boot's:

eureka.client.service-url.defaultZone: {eureka}
spring.config.import: configserver:{config}

It may register under any name but those of the shop's own services, and read all configuration.
"""


@click.command()
@click.option("--json", is_flag=True, help="For a program to read.")
@click.pass_obj
def credentials(stack: Stack, json: bool) -> None:
    """Print the addresses of discovery and config-server, with name and password."""
    addresses = {
        "eureka": f"{_with_login(stack, 'discovery')}/eureka",
        "config": _with_login(stack, "config-server"),
    }
    click.echo(json_format.dumps(addresses) if json else PAGE.format(**addresses), nl=json)


def _with_login(stack: Stack, server: str) -> str:
    try:
        password = secret(stack, guest_password(server))
    except FileNotFoundError as error:
        raise Fault(
            "this shop has no passwords yet",
            where=f"where they would be: {stack.secrets}",
            remedy="make up; it makes them.",
        ) from error
    return stack.url(server).replace("://", f"://{GUEST}:{password}@", 1)

"""The verb `new`, and what it says is to be done next."""

from __future__ import annotations

import click

from fusebox.core.stack import Stack

NEXT = """
{service} has a table, a use case, an endpoint, an event in and an event out, a migration, its
configuration and tests of each kind.  What to do next:

  make up                              start the shop with it (after make down, if it is up)
  curl {url}/{service}/{topic}
  make check                           lint, types, import rules
  make test TESTS="{tests}"

Where to begin: {folder}/src/{module}/service.py
"""


@click.command()
@click.argument("service")
@click.pass_obj
def new(stack: Stack, service: str) -> None:
    """Write a new SERVICE, such as review-service, into this clone."""
    from fusebox.scaffold.names import ServiceNames
    from fusebox.scaffold.write import write

    paths = write(stack.clone, service)
    names = ServiceNames(service)
    for path in paths:
        click.echo(path)
    tests = " ".join(str(path) for path in paths if path.name.startswith("test_"))
    click.echo(
        NEXT.format(
            service=service,
            url=stack.url("gateway"),
            topic=names.values()["topic"],
            tests=tests,
            folder=names.folder,
            module=names.module,
        )
    )

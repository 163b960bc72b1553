"""What `up` says at its end: the addresses, the admin's password, and how to place an order."""

from __future__ import annotations

import secrets

from fusebox.core.stack import Stack

PASSWORD = "break-it-on-purpose"
PASTE_HEADING = "The same with curl, to paste:"
ADDRESSES = """\
  panel          {panel}
  gateway        {gateway}
  discovery      {discovery}
  config-server  {config}
  Zipkin         {zipkin}/zipkin/
  Kafka          {host}:{kafka}
  PostgreSQL     127.0.0.1:{postgres}"""
PUBLISHED_ADDRESSES = """\
  panel          {panel}
  gateway        {gateway}
  Zipkin         {zipkin}/zipkin/

The other containers are reached from within: docker exec -it {project}-ops-1 bash"""
TEMPLATE = """\
The shop is up.

{addresses}

The admin is admin@fusebox.example, the password is in
  {admin}

Place an order:

make order

{paste}

{order}
"""


def welcome(stack: Stack) -> str:
    template = PUBLISHED_ADDRESSES if stack.mode == "docker" else ADDRESSES
    addresses = template.format(
        panel=stack.url("panel"),
        gateway=stack.url("gateway"),
        discovery=stack.url("discovery"),
        config=stack.url("config-server"),
        zipkin=stack.url("zipkin"),
        host=stack.host,
        kafka=stack.port("kafka"),
        postgres=stack.port("postgres"),
        project=stack.project,
    )
    return TEMPLATE.format(
        addresses=addresses,
        admin=stack.secrets / "admin-password",
        paste=PASTE_HEADING,
        order=order(stack, f"you-{secrets.token_hex(3)}@fusebox.example"),
    )


def order(stack: Stack, email: str) -> str:
    """Three commands for any POSIX shell with curl: a user, a token, an order that is decided.

    Pasted once more they place one more order: the user is there, and logs in again.
    """
    gateway = stack.url("gateway")
    json = "-H 'Content-Type: application/json'"
    user = f'{{"email": "{email}", "name": "You", "password": "{PASSWORD}"}}'
    login = f'{{"email": "{email}", "password": "{PASSWORD}"}}'
    body = '{"productId": "CATALOG-0001", "qty": 1}'
    return "\n".join(
        [
            f"curl -s {gateway}/user-service/users {json} \\",
            f"  -d '{user}'",
            f"LOGIN=$(curl -s {gateway}/user-service/login {json} \\",
            f"  -d '{login}')",
            f"TOKEN={_from_login('accessToken')}",
            f"USER_ID={_from_login('userId')}",
            f"curl -si {gateway}/order-service/$USER_ID/orders {json} \\",
            '  -H "Authorization: Bearer $TOKEN" -H "Prefer: wait=5" \\',
            f"  -d '{body}'",
        ]
    )


def _from_login(name: str) -> str:
    """Shell that takes the field `name` out of the answer to the login."""
    return f"""$(echo "$LOGIN" | sed 's/.*"{name}": *"\\([^"]*\\)".*/\\1/')"""

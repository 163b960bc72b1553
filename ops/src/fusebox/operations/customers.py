"""New customers for the verbs that act as one, and what to do when the shop lets none in."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.operations.drivers import refuse_down

if TYPE_CHECKING:  # requests takes its time to load, and the other verbs do without
    from fusebox.runtime.shop_client import Customer, ShopClient


def new_customer(stack: Stack) -> Customer:
    """Registered and logged in.  Raises Fault, with what to do, when that does not work."""
    from fusebox.runtime.shop_client import ShopClient

    with shop_must_answer(stack, "no customer could register and log in"):
        return ShopClient(stack.url("gateway")).customer(new_email())


def new_customers(stack: Stack, count: int) -> tuple[ShopClient, dict[str, Customer], list[str]]:
    """So many by their addresses, the shop, and what it has to sell.  Raises Fault."""
    from fusebox.runtime.shop_client import ShopClient

    shop = ShopClient(stack.url("gateway"))
    with shop_must_answer(stack, "the catalog cannot be read"):
        products = shop.products_in_stock()
    if not products:
        raise Fault("every product is sold out", remedy="`make clean`, `make up` begins anew.")
    with shop_must_answer(stack, "no customer could register and log in"):
        emails = [new_email() for _ in range(count)]
        return shop, {email: shop.customer(email) for email in emails}, products


def new_email() -> str:
    return f"customer-{secrets.token_hex(6)}@fusebox.example"


@contextmanager
def shop_must_answer(stack: Stack, what: str) -> Iterator[None]:
    """Raises Fault, `what` and why, when the shop refuses or is away."""
    import requests

    from fusebox.runtime.shop_client import OrderResult

    try:
        yield
    except requests.HTTPError as error:
        refusal = OrderResult.of(error.response, 0)
        raise Fault(
            f"{what}: {refusal.code}: {refusal.detail}",
            where=f"Trace: {refusal.trace_url}" if refusal.trace_url else "",
            remedy="`make status` says which part does not answer; `make start"
            " SERVICE=user-service` starts user-service.",
        ) from error
    except requests.RequestException as error:
        refuse_down(stack)
        raise Fault(
            f"the gateway does not answer at {stack.url('gateway')}",
            remedy="`make up` starts the shop; `make status` says what runs.",
        ) from error

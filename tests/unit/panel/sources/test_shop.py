"""Whom the panel asks, and so shows that it is the command line."""

import pytest

from panel.model.facts import Registration
from panel.sources.shop import trusted_urls


def test_our_services_are_asked_where_discovery_lists_them() -> None:
    order = Registration("order-service-2", "order-service", "127.0.0.1", 4001)

    assert trusted_urls([order]) == {"order-service-2": "http://127.0.0.1:4001"}


@pytest.mark.parametrize(
    ("instance", "service"),
    [
        ("gateway-2", "evil"),
        ("evil-1", "evil"),
        ("gateway-2", "order-service"),
        ("kafka-1", "kafka"),
        ("panel-1", "panel"),
        ("order-service", "order-service"),
        ("", ""),
    ],
)
def test_nobody_else_is_shown_who_asks(instance: str, service: str) -> None:
    assert trusted_urls([Registration(instance, service, "10.0.0.66", 80)]) == {}

"""The services that user-service calls."""

from typing import Any
from uuid import UUID

import requests

from chassis.core.errors import Unavailable
from chassis.resilience.service_client import ServiceClient
from chassis.web.pagination import LARGEST_LIMIT

ORDER_SERVICE = "order-service"


class OrderClient:
    """order-service, asked in the name of whoever asked us."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    def of(self, user_id: UUID, authorization: str) -> list[dict[str, Any]]:
        """The first page of the user's orders; Unavailable when there is no good answer."""
        answer = self._service.get(
            f"/{user_id}/orders",
            "/{user_id}/orders",
            params=[("limit", str(LARGEST_LIMIT))],
            headers={"Authorization": authorization},
            fallback="the user without their orders",
        )
        if answer.status_code != 200:
            raise Unavailable(f"{ORDER_SERVICE} answered {answer.status_code}.")
        return _list(answer)


def _list(answer: requests.Response) -> list[dict[str, Any]]:
    try:
        orders = answer.json()
    except requests.JSONDecodeError as error:
        raise Unavailable(f"{ORDER_SERVICE} gave no JSON.") from error
    if not isinstance(orders, list):
        raise Unavailable(f"{ORDER_SERVICE} gave no list.")
    return orders

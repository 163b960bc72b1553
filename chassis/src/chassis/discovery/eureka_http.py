"""Eureka's HTTP client: the replicas of discovery, called as if they were one."""

from typing import Any

import requests

from chassis.config.settings import Eureka
from chassis.core.internal_http import UNSAMPLED, internal_session
from chassis.core.live import Live
from chassis.identity.assertions import OwnIdentity

TIMEOUT = (0.5, 2)


class EurekaHttpClient:
    """A comma separates them in `defaultZone`; the one that answered last is tried first."""

    def __init__(self, settings: Live[Eureka], identity: OwnIdentity) -> None:
        self._settings = settings
        self._identity = identity
        self._session = internal_session()
        self._last = ""
        # What is asked once a second is prepared once: half of what a request costs.
        self._prepared: dict[tuple[object, ...], requests.PreparedRequest] = {}

    def request(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """The first response that is no 5xx: a replica that is still filling itself answers 503.

        Raises the last requests.RequestException when there is none.
        """
        headers = {**UNSAMPLED, **arguments.pop("headers", {})}
        failure: requests.RequestException = requests.ConnectionError("no server is configured")
        for base in self._in_order():
            try:
                request = self._prepare(method, base + path, headers, arguments)
                request.headers.update(self._identity.headers("discovery"))
                response = self._session.send(request, timeout=TIMEOUT)
                if response.status_code < 500:
                    self._last = base
                    return response
                failure = requests.HTTPError(f"{base} answered {response.status_code}")
            except requests.RequestException as error:
                failure = error
        raise failure

    def _prepare(
        self, method: str, url: str, headers: dict[str, str], arguments: dict[str, Any]
    ) -> requests.PreparedRequest:
        key = (method, url, *headers.items())
        prepared = None if arguments else self._prepared.get(key)
        if prepared is None:
            request = requests.Request(method, url, headers=headers, **arguments)
            prepared = self._session.prepare_request(request)
            if not arguments:
                self._prepared[key] = prepared
        return prepared

    def _in_order(self) -> list[str]:
        zone = self._settings.value.client.service_url.default_zone
        bases = [url.strip().rstrip("/") for url in zone.split(",") if url.strip(" /")]
        return sorted(bases, key=lambda base: base != self._last)

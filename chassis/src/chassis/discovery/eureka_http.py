"""The replicas of discovery, asked as if they were one."""

from collections.abc import Callable
from typing import Any

import requests

from chassis.config.settings import Eureka

TIMEOUT = (0.5, 2)


class EurekaHttpClient:
    """A comma separates them in `defaultZone`; who has answered last is asked first."""

    def __init__(self, settings: Callable[[], Eureka]) -> None:
        self._settings = settings
        self._session = requests.Session()
        self._session.trust_env = False
        self._last = ""

    def ask(self, method: str, path: str, **given: Any) -> requests.Response:
        """The first answer that is no 5xx: a replica that is still filling itself says 503.

        Raises the last requests.RequestException when nobody has one.
        """
        failure: requests.RequestException = requests.ConnectionError("no server is configured")
        for base in self._in_order():
            try:
                answer = self._session.request(method, base + path, timeout=TIMEOUT, **given)
                if answer.status_code < 500:
                    self._last = base
                    return answer
                failure = requests.HTTPError(f"{base} answered {answer.status_code}")
            except requests.RequestException as error:
                failure = error
        raise failure

    def _in_order(self) -> list[str]:
        zone = self._settings().client.service_url.default_zone
        bases = [each.strip().rstrip("/") for each in zone.split(",") if each.strip(" /")]
        return sorted(bases, key=lambda base: base != self._last)

"""Calls to one other service: instance picked, breaker asked, time bounded, span recorded."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from chassis import tracing
from chassis.balancing import Balancer
from chassis.breaker import Breaker, Permit
from chassis.errors import TimedOut, Unavailable
from chassis.registry import Instance
from chassis.settings import ClientSettings
from chassis.tracing import ActiveSpan, Kind, Tracer

POOL = 64


class Neighbour:
    """One pooled `requests` session for one service."""

    def __init__(
        self,
        service: str,
        balancer: Balancer,
        breaker: Breaker,
        tracer: Tracer,
        settings: Callable[[], ClientSettings],
    ) -> None:
        self.service = service
        self._balancer = balancer
        self._breaker = breaker
        self._tracer = tracer
        self._settings = settings
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("http://", HTTPAdapter(pool_maxsize=POOL))

    def get(
        self,
        path: str,
        name: str,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """GET `path`; `name` is its template, for the trace.

        4xx are answers and are returned.  Raises CircuitOpen, TimedOut or Unavailable.
        """
        permit = self._breaker.admit()
        with self._tracer.span(f"get {name}", Kind.CLIENT) as span:
            span.called(self.service)
            sent = {**(headers or {}), **tracing.outgoing()}
            answer = self._attempt(permit, span, path, {"params": list(params), "headers": sent})
            span.tags["http.status_code"] = str(answer.status_code)
            return answer

    def _attempt(
        self, permit: Permit, span: ActiveSpan, path: str, given: dict[str, Any]
    ) -> requests.Response:
        tried: set[Instance] = set()
        while True:
            try:
                instance = self._balancer.choose(self.service, tried)
            except Unavailable as nobody_left:
                permit.failed(nobody_left)
                raise
            span.called(self.service, instance.host, instance.port)
            try:
                with self._balancer.calling(instance):
                    return self._send(permit, instance, path, given)
            except requests.ConnectTimeout as error:
                permit.failed(error)
                raise TimedOut(f"{self.service} takes no connection in time.") from error
            except requests.ConnectionError:
                # Nothing was done there, or nothing that a GET could not repeat: ask another.
                self._balancer.refused(instance)
                tried.add(instance)
            except requests.Timeout as error:
                permit.failed(error)
                raise TimedOut(f"{self.service} did not answer in time.") from error
            except requests.RequestException as error:
                permit.failed(error)
                raise Unavailable(f"{self.service} gave no proper answer.") from error

    def _send(
        self, permit: Permit, instance: Instance, path: str, given: dict[str, Any]
    ) -> requests.Response:
        settings = self._settings()
        answer = self._session.get(
            instance.url + path,
            timeout=(settings.connect_timeout_seconds, settings.read_timeout_seconds),
            allow_redirects=False,
            **given,
        )
        if answer.status_code >= 500:
            failure = Unavailable(f"{self.service} answered {answer.status_code}.")
            permit.failed(failure)
            raise failure
        permit.succeeded()
        return answer

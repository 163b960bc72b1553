"""HTTP calls to one other service: its resilience policy, load balancing, deadline and span."""

from collections.abc import Mapping, Sequence
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import LocationValueError, NewConnectionError

from chassis.config.settings import ClientSettings
from chassis.core.errors import (
    IGNORED_BY_BREAKERS,
    DeadlineOver,
    InstanceLost,
    TimedOut,
    Unavailable,
)
from chassis.core.internal_http import internal_session
from chassis.core.live import Live
from chassis.discovery.instances import Instance
from chassis.discovery.load_balancer import LoadBalancer
from chassis.identity.assertions import OwnIdentity
from chassis.observability import span_tags, tracing
from chassis.observability.attempt_spans import AttemptSpans
from chassis.observability.tracing import ActiveSpan, Kind, Tracer
from chassis.resilience import deadline, examination
from chassis.resilience.permit import NOT_DONE, Permit
from chassis.resilience.policy import ResiliencePolicy

# An instance may register under a name that no host can have (`a..b`): it answers nobody.
NO_HOST = (requests.exceptions.InvalidURL, LocationValueError, UnicodeError)
POOL = 64


class ServiceClient:
    """One pooled `requests` session for one service."""

    def __init__(
        self,
        service: str,
        balancer: LoadBalancer,
        policy: ResiliencePolicy,
        tracer: Tracer,
        settings: Live[ClientSettings],
        identity: OwnIdentity,
    ) -> None:
        self.service = service
        self._identity = identity
        self._balancer = balancer
        self._policy = policy
        self._tracer = tracer
        self._settings = settings
        self._session = internal_session()
        self._session.mount("http://", HTTPAdapter(pool_maxsize=POOL))
        policy.breaker.find_a_well_one = self._find_a_well_one

    def get(
        self,
        path: str,
        name: str,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        weight: int = 1,
        fallback: str = "",
    ) -> requests.Response:
        """GET `path`; `name` is its template, for the trace.

        `fallback` says, for the trace too, what the caller does without the service.
        `weight` is the number of requests that it is for: the circuit breaker counts each of them.
        Returns a 4xx as well.  Raises CircuitOpen, Overloaded, TimedOut or Unavailable.
        """
        return self._call("GET", path, name, {"params": list(params)}, headers, weight, fallback)

    def post(self, path: str, name: str, document: Any) -> requests.Response:
        """POST `document` as JSON; what it does must do no harm a second time, as GET's.

        Returns and raises as `get`.
        """
        return self._call("POST", path, name, {"json": document})

    def _call(
        self,
        method: str,
        path: str,
        name: str,
        content: dict[str, Any],
        headers: Mapping[str, str] | None = None,
        weight: int = 1,
        fallback: str = "",
    ) -> requests.Response:
        deadline.check()
        # The span first: a call that the breaker refuses is one that is seen to fail.
        with self._tracer.span(f"{method.lower()} {name}", Kind.CLIENT) as span:
            span.called(self.service)
            span.tags["circuitbreaker.state"] = self._policy.breaker.state
            arguments = {
                "method": method,
                **content,
                "headers": {
                    **(headers or {}),
                    **tracing.outgoing(),
                    **self._identity.headers(self.service),
                },
            }
            try:
                return self._protected(span, path, arguments, weight)
            except Unavailable:
                if fallback:
                    span.tags["fallback"] = fallback
                raise

    def _protected(
        self, span: ActiveSpan, path: str, arguments: dict[str, Any], weight: int
    ) -> requests.Response:
        with self._policy.permit() as permit:
            permit.weight = weight
            try:
                response, instance = self._call_an_instance(span, path, arguments)
            except IGNORED_BY_BREAKERS:
                raise
            except Unavailable as failure:
                permit.failed(failure)
                raise
            span.tags["http.status_code"] = str(response.status_code)
            self._record_outcome(permit, response, instance)
            return response

    def _record_outcome(
        self, permit: Permit, response: requests.Response, instance: Instance
    ) -> None:
        """Raises Unavailable when it is a failure."""
        status = response.status_code
        if status < 500:
            permit.succeeded()
            return
        failure = Unavailable(f"{self.service} answered {status}.")
        context = tracing.current()
        if context is not None and span_tags.HEADER in response.headers:
            # Its own span in this trace has the reason.
            tracing.recorded_error(failure, context)
        if status in NOT_DONE:
            permit.failed(failure)
        elif permit.failed_by_answer(failure):
            examination.examine(self._policy.breaker, instance, self._settings.value)
        raise failure

    def _call_an_instance(
        self, span: ActiveSpan, path: str, arguments: dict[str, Any]
    ) -> tuple[requests.Response, Instance]:
        refused: set[Instance] = set()
        is_retry = False
        attempts = AttemptSpans(self._tracer)
        while True:
            deadline.check()
            instance = self._balancer.choose(self.service, refused)
            span.called(self.service, instance.host, instance.port)
            attempts.begins(instance.id)
            try:
                with self._balancer.calling(instance):
                    response = self._send(instance, path, arguments, is_retry)
                attempts.answered()
                return response, instance
            except requests.ConnectionError as error:
                attempts.failed(error)
                self._balancer.refused(instance)
                if _took_no_connection(error):
                    refused.add(instance)
                elif is_retry or not self._may_retry():
                    others = self._balancer.has_others(self.service)
                    failure = InstanceLost if others else Unavailable
                    raise failure(f"{self.service} broke off its response.") from error
                else:
                    is_retry = True
            except NO_HOST as error:
                attempts.failed(error)
                self._balancer.refused(instance)
                refused.add(instance)
            except requests.RequestException as error:
                raise Unavailable(f"{self.service} gave no proper response.") from error

    def _find_a_well_one(self) -> None:
        examination.find_a_well_one(
            self._policy.breaker,
            lambda tried: self._balancer.choose(self.service, tried),
            self._settings.value,
        )

    def _may_retry(self) -> bool:
        return deadline.may_retry() and self._policy.retries.take()

    def _send(
        self, instance: Instance, path: str, arguments: dict[str, Any], is_retry: bool
    ) -> requests.Response:
        settings, left = self._settings.value, deadline.time_left()
        longest = settings.read_timeout_seconds
        timeout = longest if left is None else min(longest, max(left, 0.001))
        try:
            return self._session.request(
                **arguments
                | {
                    "url": instance.url + path,
                    "headers": arguments["headers"] | deadline.outgoing(is_retry=is_retry),
                },
                timeout=(min(settings.connect_timeout_seconds, timeout), timeout),
                allow_redirects=False,
            )
        except requests.ReadTimeout as error:
            # With less than the usual time, a late response says nothing about the service.
            failure = TimedOut if timeout == longest else DeadlineOver
            raise failure(f"{self.service} did not answer in time.") from error


def _took_no_connection(error: requests.ConnectionError) -> bool:
    """Nothing was sent, so that another instance may be called at no risk."""
    cause = error.args[0] if error.args else None
    return isinstance(error, requests.ConnectTimeout) or isinstance(
        getattr(cause, "reason", None), NewConnectionError
    )

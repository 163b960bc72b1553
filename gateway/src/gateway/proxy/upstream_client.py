"""One call of a service: protected, instance picked, body passed, time bounded."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from chassis.config.settings import ClientSettings
from chassis.core.errors import (
    IGNORED_BY_BREAKERS,
    DeadlineOver,
    InstanceLost,
    TimedOut,
    Unavailable,
)
from chassis.core.live import Live
from chassis.discovery.instances import Instance
from chassis.discovery.load_balancer import LoadBalancer
from chassis.observability.attempt_spans import AttemptSpans
from chassis.observability.tracing import ActiveSpan, Tracer
from chassis.resilience import deadline, examination
from chassis.resilience.circuit_breaker import CircuitBreaker
from chassis.resilience.permit import NOT_DONE, Permit
from chassis.resilience.policy import ResiliencePolicies, ResiliencePolicy
from chassis.web.problem_details import CONTENT_TYPE
from gateway.http.connection_pool import ConnectionPool
from gateway.http.upstream_connection import UpstreamConnection
from gateway.http.upstream_messages import (
    Disconnected,
    NotConnected,
    UpstreamError,
    UpstreamRequest,
    UpstreamResponse,
)
from gateway.routing.filters.retry import IDEMPOTENT, RetryFilter
from gateway.routing.target import Target
from gateway.settings import GatewayLimits

# Between the request's first byte and the call: so much less is not the client's own limit.
SPENT_HERE = 0.5
REPEATED = f"{deadline.ATTEMPT}: 2\r\n".encode()


@dataclass(slots=True, eq=False)
class UpstreamCall:
    """What is asked of target."""

    service: str
    breaker: str
    target: Target
    retry: RetryFilter
    request: UpstreamRequest
    limits: GatewayLimits

    @property
    def is_idempotent(self) -> bool:
        return self.request.method in IDEMPOTENT

    @property
    def is_repeatable(self) -> bool:
        return self.is_idempotent and isinstance(self.request.body, bytes)

    def may_repeat(self, tried: int, status: int | None = None) -> bool:
        """Whether it may be sent again when nobody knows how far it came, or after `status`."""
        whole = isinstance(self.request.body, bytes)
        return (
            whole
            and deadline.may_retry()
            and self.retry.may(tried, self.request.method, status)
            and self.retry.pause(tried) < self.timeout()
        )

    def repeats(self) -> None:
        """Whoever is asked now must not repeat it in turn."""
        if not self.request.lines.endswith(REPEATED):
            self.request.lines += REPEATED

    def timeout(self) -> float:
        """Seconds for the answer; a long body is bounded step by step."""
        left = deadline.time_left() if isinstance(self.request.body, bytes) else None
        return self.limits.read_timeout_seconds if left is None else left


class UpstreamClient:
    """Made on the event loop, for its connections belong to it."""

    def __init__(
        self,
        tracer: Tracer,
        balancer: LoadBalancer,
        policies: ResiliencePolicies,
        settings: Live[ClientSettings],
    ) -> None:
        """`settings` bound the questions that a breaker has."""
        self._tracer = tracer
        self._balancer = balancer
        self._policies = policies
        self._settings = settings
        self._pool = ConnectionPool()

    def close(self) -> None:
        self._pool.close()

    async def call(self, call: UpstreamCall, span: ActiveSpan) -> tuple[UpstreamResponse, Instance]:
        """The answer, a short one with its body read.  Whoever gets it closes it.

        Raises CircuitOpen, Overloaded, TimedOut or Unavailable, and what is wrong with the
        client's body.
        """
        deadline.check()
        policy, timeout = self._policies.of(call.breaker), call.timeout()
        if span.attrs.is_sampled:
            span.tags["circuitbreaker.state"] = policy.breaker.state
        with policy.permit() as permit:
            try:
                answer, instance = await self._ask_someone(call, span, policy)
            except IGNORED_BY_BREAKERS:
                raise
            except TimeoutError as error:
                failure = _too_late(call, timeout)
                if not isinstance(failure, DeadlineOver):
                    self._will_be_probed(call.target, call.service, policy.breaker)
                    permit.failed(failure)
                raise failure from error
            except Unavailable as failure:
                self._will_be_probed(call.target, call.service, policy.breaker)
                permit.failed(failure)
                raise
            if answer.status < 500:
                permit.succeeded()
            elif _is_doubtful(permit, call, answer):
                self._will_be_probed(call.target, call.service, policy.breaker)
                await asyncio.to_thread(
                    examination.examine, policy.breaker, instance, self._settings.value
                )
            return answer, instance

    def _will_be_probed(self, target: Target, service: str, breaker: CircuitBreaker) -> None:
        breaker.find_a_well_one = lambda: examination.find_a_well_one(
            breaker, lambda tried: self._choose(target, service, tried), self._settings.value
        )

    async def _ask_someone(
        self, call: UpstreamCall, span: ActiveSpan, policy: ResiliencePolicy
    ) -> tuple[UpstreamResponse, Instance]:
        refused: set[Instance] = set()
        tried = 0
        attempts = AttemptSpans(self._tracer)
        while True:
            instance = self._choose(call.target, call.service, refused)
            span.called(call.service, instance.host, instance.port)
            attempts.begins(instance.id)
            try:
                with self._balancer.calling(instance):
                    answer = await self._ask_one(call, instance)
                if not (call.may_repeat(tried, answer.status) and policy.retries.take()):
                    attempts.answered()
                    return answer, instance
                attempts.failed(Unavailable(f"{call.service} answered {answer.status}."))
                answer.drop()
                await asyncio.sleep(call.retry.pause(tried))
            except NotConnected as error:
                attempts.failed(error)
                # Nothing has been sent: another may be asked, whatever the method.
                self._balancer.refused(instance)
                refused.add(instance)
                continue
            except Disconnected as error:
                attempts.failed(error)
                self._balancer.refused(instance)
                if not (call.may_repeat(tried) and policy.retries.take()):
                    raise self._lost(call) from error
                await asyncio.sleep(call.retry.pause(tried))
            except UpstreamError as error:
                raise _no_proper_answer(call) from error
            tried += 1
            call.repeats()

    def _choose(self, target: Target, service: str, refused: Collection[Instance]) -> Instance:
        if target.is_balanced:
            return self._balancer.choose(target.service, refused, target.choice)
        fixed = Instance(target.uri, target.service, target.service, target.port)
        if fixed in refused:
            raise Unavailable(f"{service} does not answer.")
        return fixed

    def _lost(self, call: UpstreamCall) -> Unavailable:
        target = call.target
        others = target.is_balanced and self._balancer.has_others(target.service, target.choice)
        return _no_proper_answer(call, InstanceLost if others else Unavailable)

    async def _ask_one(self, call: UpstreamCall, instance: Instance) -> UpstreamResponse:
        known = self._pool.take(instance.host, instance.port)
        if known is not None:
            try:
                return await known.ask(call.request, call.timeout())
            except Disconnected as error:
                # It may have been closing as the request came (RFC 9112, 9.5): that says nothing
                # of the instance, and so it is no retry.
                if not (error.is_silent and call.is_repeatable):
                    raise
        connection = await self._connect(call, instance)
        return await connection.ask(call.request, call.timeout())

    async def _connect(self, call: UpstreamCall, instance: Instance) -> UpstreamConnection:
        # A small part of the time there is, unless the client has hardly any.
        async with asyncio.timeout(call.timeout()):
            return await self._pool.connect(
                instance.host, instance.port, call.limits.connect_timeout_seconds
            )


def _too_late(call: UpstreamCall, timeout: float) -> DeadlineOver | TimedOut:
    """A client that waits less than we would says nothing about the service."""
    short = timeout < call.limits.read_timeout_seconds - SPENT_HERE
    kind = DeadlineOver if short else TimedOut
    return kind(f"{call.service} did not answer in time.")


def _no_proper_answer(call: UpstreamCall, kind: type[Unavailable] = Unavailable) -> Unavailable:
    return kind(f"{call.service} gave no proper answer.")


def _is_doubtful(permit: Permit, call: UpstreamCall, answer: UpstreamResponse) -> bool:
    """Records a 5xx; True when the instance is to be examined.

    What is idempotent or was not done has failed.  But 503 and 504 in the form of a problem: such a
    service is well, it says that a part behind it is away or slow.  Were it counted, the
    breaker before that part would do its work twice, and here it would cut off what still works.
    """
    failure = Unavailable(f"{call.service} answered {answer.status}.")
    if answer.status in (503, 504) and answer.content_type == CONTENT_TYPE:
        permit.succeeded()
    elif answer.status in NOT_DONE:
        permit.failed(failure)
    elif call.is_idempotent:
        return permit.failed_by_answer(failure)
    return False

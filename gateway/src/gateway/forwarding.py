"""One call of a service: protected, instance picked, body passed, time bounded."""

import asyncio
from dataclasses import dataclass

import aiohttp
from aiohttp import ClientResponse, ClientSession, ClientTimeout
from multidict import CIMultiDict
from yarl import URL

from chassis import hops
from chassis.balancing import Balancer
from chassis.breaker import Permit
from chassis.errors import (
    UNTELLING,
    DeadlineOver,
    InstanceLost,
    Problem,
    TimedOut,
    Unavailable,
)
from chassis.listing import Instance
from chassis.problems import CONTENT_TYPE
from chassis.protection import Protection, Protections
from chassis.tracing import ActiveSpan
from gateway import bodies
from gateway.bodies import Upload

CONNECTIONS = 1000
# Less than the services keep theirs, so that none is closed there while it is taken here.
KEEPALIVE_SECONDS = 30.0
# Between the request's first byte and the call: so much less is not the client's own limit.
SPENT_HERE = 0.5
HEADER_LINE = 65_536
# Doing it twice is doing it once (RFC 9110).
IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))
# Said by whatever stands before a service that never got to work.
NOT_DONE = (502, 503, 504)


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of whom.  `target` is path and query as they came."""

    service: str
    method: str
    target: str
    headers: CIMultiDict[str]
    body: bytes | Upload | None
    timeout: ClientTimeout

    @property
    def is_idempotent(self) -> bool:
        return self.method in IDEMPOTENT

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again when nobody knows how far it came."""
        return self.is_idempotent and not isinstance(self.body, Upload)


class Forwarder:
    """Made on the event loop, for its session belongs to it."""

    def __init__(self, balancer: Balancer, protections: Protections) -> None:
        self._balancer = balancer
        self._protections = protections
        self._session = new_session()

    async def close(self) -> None:
        await self._session.close()

    async def ask(self, call: Call, span: ActiveSpan) -> tuple[ClientResponse, Instance]:
        """The answer, a short one with its body read.  Whoever gets it closes it.

        Raises CircuitOpen, Overloaded, TimedOut or Unavailable, and what is wrong with the
        client's body.
        """
        hops.check()
        protection = self._protections.of(call.service)
        with protection.admitted() as permit:
            try:
                found = await self._ask_in_time(call, span, protection)
            except UNTELLING:
                raise
            except Unavailable as failure:
                permit.failed(failure)
                raise
            _judge(permit, call, found[0])
            return found

    async def _ask_in_time(
        self, call: Call, span: ActiveSpan, protection: Protection
    ) -> tuple[ClientResponse, Instance]:
        # A long body is bounded chunk by chunk.
        patience = None if isinstance(call.body, Upload) else hops.time_left()
        longest = call.timeout.sock_read or 0
        try:
            async with asyncio.timeout(patience):
                return await self._ask_someone(call, span, protection)
        except TimeoutError as error:
            # A client that waits less than we would says nothing about the service.
            short = patience is not None and patience < longest - SPENT_HERE
            kind = DeadlineOver if short else TimedOut
            raise kind(f"{call.service} did not answer in time.") from error

    async def _ask_someone(
        self, call: Call, span: ActiveSpan, protection: Protection
    ) -> tuple[ClientResponse, Instance]:
        refused: set[Instance] = set()
        is_retry = False
        while True:
            instance = self._balancer.choose(call.service, refused)
            span.called(call.service, instance.host, instance.port)
            try:
                with self._balancer.calling(instance):
                    return await self._ask_one(call, instance), instance
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
                # Nothing has been sent: another may be asked, whatever the method.
                self._balancer.refused(instance)
                refused.add(instance)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                self._balancer.refused(instance)
                if is_retry or not call.is_repeatable or not protection.retries.take():
                    others = self._balancer.has_others(call.service)
                    raise _cause(call, InstanceLost if others else Unavailable) from error
                is_retry = True
                call.headers.update(hops.outgoing(is_retry=True))
            except TimeoutError:
                raise
            except aiohttp.ClientError as error:
                raise _cause(call) from error

    async def _ask_one(self, call: Call, instance: Instance) -> ClientResponse:
        answer = await self._session.request(
            call.method,
            URL(instance.url + call.target, encoded=True),
            headers=call.headers,
            data=call.body,
            timeout=call.timeout,
            allow_redirects=False,
        )
        if bodies.is_short(answer):
            await _read(answer)
        return answer


async def _read(answer: ClientResponse) -> None:
    try:
        await answer.read()
    except BaseException:
        answer.close()
        raise


def _cause(call: Call, kind: type[Problem] = Unavailable) -> Problem:
    if isinstance(call.body, Upload) and call.body.failure is not None:
        return call.body.failure
    return kind(f"{call.service} gave no proper answer.")


def _judge(permit: Permit, call: Call, answer: ClientResponse) -> None:
    """4xx are answers, and 5xx of what is idempotent or was not done are failures.

    But 503 and 504 in the form of a problem: such a service is well, it says that a part behind it
    is away or slow.  Were it counted, the neighbour's breaker would do its work twice, and here it
    would cut off what still works.  A 500 to a POST may be the fault of its body.
    """
    speaks = answer.status in (503, 504) and answer.content_type == CONTENT_TYPE
    if answer.status < 500 or speaks:
        permit.succeeded()
    elif call.is_idempotent or answer.status in NOT_DONE:
        permit.failed(Unavailable(f"{call.service} answered {answer.status}."))


def new_session() -> ClientSession:
    session = ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEEPALIVE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        # What the client did not say is not said for it.
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        max_line_size=HEADER_LINE,
        max_field_size=HEADER_LINE,
    )
    # It would repeat by itself what failed on a used connection: a second layer of retries, and
    # outside the budget.  There is no public switch.
    session._retry_connection = False
    return session

"""One call of a service: breaker asked, instance picked, body passed, time bounded."""

from dataclasses import dataclass

import aiohttp
from aiohttp import ClientResponse, ClientSession, ClientTimeout
from multidict import CIMultiDict
from yarl import URL

from chassis.balancing import Balancer
from chassis.breaker import Breakers, Permit
from chassis.errors import Problem, TimedOut, Unavailable
from chassis.problems import CONTENT_TYPE
from chassis.registry import Instance
from chassis.tracing import ActiveSpan
from gateway import bodies
from gateway.bodies import Upload

CONNECTIONS = 1000
# Less than the services keep theirs, so that none is closed there while it is taken here.
KEEPALIVE_SECONDS = 30.0
HEADER_LINE = 65_536


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of whom.  `target` is path and query as they came."""

    service: str
    method: str
    target: str
    headers: CIMultiDict[str]
    body: bytes | Upload | None
    timeout: ClientTimeout


class Forwarder:
    """Made on the event loop, for its session belongs to it."""

    def __init__(self, balancer: Balancer, breakers: Breakers) -> None:
        self._balancer = balancer
        self._breakers = breakers
        self._session = new_session()

    async def close(self) -> None:
        await self._session.close()

    async def ask(self, call: Call, span: ActiveSpan) -> tuple[ClientResponse, Instance]:
        """The answer, a short one with its body read.  Whoever gets it closes it.

        Raises CircuitOpen, TimedOut or Unavailable, and what is wrong with the client's body.
        """
        permit = self._breakers.of(call.service).admit()
        try:
            found = await self._ask_someone(call, span)
        except Unavailable as failure:
            permit.failed(failure)
            raise
        except BaseException:
            # The client has gone, or its body is wrong: that says nothing about the service.
            permit.unused()
            raise
        _judge(permit, call.service, found[0])
        return found

    async def _ask_someone(self, call: Call, span: ActiveSpan) -> tuple[ClientResponse, Instance]:
        tried: set[Instance] = set()
        while True:
            instance = self._balancer.choose(call.service, tried)
            span.called(call.service, instance.host, instance.port)
            try:
                with self._balancer.calling(instance):
                    return await self._ask_one(call, instance), instance
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
                # Nothing has been sent: another may be asked, whatever the method.
                self._balancer.refused(instance)
                tried.add(instance)
            except TimeoutError as error:
                raise TimedOut(f"{call.service} did not answer in time.") from error
            except aiohttp.ClientError as error:
                raise _cause(call) from error

    async def _ask_one(self, call: Call, instance: Instance) -> ClientResponse:
        # aiohttp's client itself asks once more when a connection turns out dead and the method
        # is idempotent; one that was closed before is not taken from the pool at all.
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


def _cause(call: Call) -> Problem:
    if isinstance(call.body, Upload) and call.body.failure is not None:
        return call.body.failure
    return Unavailable(f"{call.service} gave no proper answer.")


def _judge(permit: Permit, service: str, answer: ClientResponse) -> None:
    """5xx are failures, but for 503 and 504 in the form of a problem.

    Such a service is well: it says that a part behind it is away or slow.  Were it counted, the
    neighbour's breaker would do its work twice, and here it would cut off what still works.
    """
    speaks = answer.status in (503, 504) and answer.content_type == CONTENT_TYPE
    if answer.status < 500 or speaks:
        permit.succeeded()
    else:
        permit.failed(Unavailable(f"{service} answered {answer.status}."))


def new_session() -> ClientSession:
    return ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEEPALIVE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        # What the client did not say is not said for it.
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        max_line_size=HEADER_LINE,
        max_field_size=HEADER_LINE,
    )

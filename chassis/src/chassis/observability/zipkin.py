"""The way of finished spans to Zipkin: a bounded queue and a thread that posts batches.

A dead Zipkin costs a request nothing: what does not fit the queue, or is refused, is dropped and
counted.  Only the spans made before Zipkin's first answer are kept until then: the shop starts
without it.  One span that Zipkin refuses takes no other with it.
"""

import logging
import queue
import threading

from py_zipkin.encoding import Encoding, Span, get_encoder
from urllib3 import HTTPConnectionPool, Timeout, connection_from_url
from urllib3.exceptions import HTTPError, ResponseError
from urllib3.util import parse_url

from chassis.core.backoff import Backoff
from chassis.core.live import Live
from chassis.core.secrecy import masked

log = logging.getLogger(__name__)

QUEUE_SIZE = 10_000
BATCH = 500
# A trace is looked at by people: a second late is soon enough, and what a post costs is shared by
# many spans.
GATHER_SECONDS = 1.0
ANSWER_WITHIN = Timeout(connect=0.5, read=2)
LONGEST_PAUSE = 5.0
# Between trials before the first answer: somebody has placed a first order and looks for its trace.
PAUSE_BEFORE_FIRST_ANSWER = 2.0
# What Zipkin refuses is halved until the bad span is alone: 18 posts for one among 500.  A server
# that refuses everything is not asked for ever.
POSTS_PER_BATCH = 64
REFUSED = (400, 413)


class ZipkinReporter:
    """`put` is called by any thread or task and never waits."""

    def __init__(self, url: Live[str]) -> None:
        self._url = url
        self._queue: queue.SimpleQueue[Span] = queue.SimpleQueue()
        self._unsent: list[Span] = []
        self._has_answered = False
        self._encoder = get_encoder(Encoding.V2_JSON)
        self._pool: HTTPConnectionPool | None = None
        self._pool_url = ""
        self.sent = 0
        self.dropped = 0

    def put(self, span: Span) -> None:
        if self._queue.qsize() + len(self._unsent) < QUEUE_SIZE:
            self._queue.put(span)
        else:
            self.dropped += 1

    def run(self, stop: threading.Event) -> None:
        """Post until `stop` is set, then once more what is left."""
        pause, backoff = GATHER_SECONDS, Backoff(2 * GATHER_SECONDS, LONGEST_PAUSE)
        while not stop.wait(pause):
            if self._post_all():
                pause = GATHER_SECONDS
                backoff.reset()
            else:
                longest = LONGEST_PAUSE if self._has_answered else PAUSE_BEFORE_FIRST_ANSWER
                pause = min(backoff.next(), longest)
        self._post_all()
        self.dropped += len(self._unsent)
        if self._pool is not None:
            self._pool.close()

    def _post_all(self) -> bool:
        while batch := self._take():
            if not self._post(batch):
                return False
        return True

    def _take(self) -> list[Span]:
        batch, self._unsent = self._unsent, []
        while len(batch) < BATCH:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch

    def _post(self, batch: list[Span]) -> bool:
        """Whether Zipkin took anything of the batch; what it did not take is dropped.

        Without any answer yet, the batch is kept for the next trial.
        """
        taken, parts, posts = 0, [batch], 0
        try:
            while parts and posts < POSTS_PER_BATCH:
                part, posts = parts.pop(), posts + 1
                if self._took(part):
                    taken += len(part)
                elif len(part) > 1:
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
        except HTTPError as error:
            if not self._has_answered:
                self._unsent = batch
                return False
            log.info("Zipkin took %d of %d spans: %s", taken, len(batch), error)
        else:
            if taken < len(batch):
                log.warning("Zipkin refused %d of %d spans", len(batch) - taken, len(batch))
        self.sent += taken
        self.dropped += len(batch) - taken
        return taken > 0

    def _took(self, spans: list[Span]) -> bool:
        """False when Zipkin refuses these spans; raises when it takes none whatever they are."""
        try:
            encoded = [self._encoder.encode_span(span) for span in spans]
            body = masked(str(self._encoder.encode_queue(encoded)))
        # What a span holds came from outside, and py-zipkin does not say what it raises.
        except Exception as error:  # noqa: BLE001
            if len(spans) == 1:
                log.warning("a span cannot be written: %s: %s", type(error).__name__, error)
            return False
        url = self._url.value
        response = self._pool_of(url).request(
            "POST",
            parse_url(url).request_uri,
            body=body,
            headers={"Content-Type": "application/json"},
            redirect=False,
        )
        self._has_answered = True
        if response.status in REFUSED:
            return False
        if response.status >= 300:
            raise ResponseError(f"it answered with {response.status}")
        return True

    def _pool_of(self, url: str) -> HTTPConnectionPool:
        """One kept connection: a session of requests costs as much as encoding fifty spans."""
        if self._pool is None or url != self._pool_url:
            self._pool_url = url
            self._pool = connection_from_url(url, maxsize=1, timeout=ANSWER_WITHIN, retries=False)
        return self._pool

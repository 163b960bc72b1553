"""The way of finished spans to Zipkin: a bounded queue and a thread that posts batches.

A dead Zipkin costs a request nothing: what does not fit the queue, or is refused, is dropped and
counted.  One span that Zipkin refuses takes no other with it.
"""

import logging
import queue
import threading

import requests
from py_zipkin.encoding import Encoding, Span, get_encoder

from chassis.core.backoff import Backoff
from chassis.core.live import Live

log = logging.getLogger(__name__)

QUEUE_SIZE = 10_000
BATCH = 500
# A trace is looked at by people: half a second late is soon enough, and batches stay large.
GATHER_SECONDS = 0.25
LONGEST_PAUSE = 5.0
# What Zipkin refuses is halved until the bad span is alone: 18 posts for one among 500.  A server
# that refuses everything is not asked for ever.
POSTS_PER_BATCH = 64
REFUSED = (400, 413)


class ZipkinReporter:
    """`put` is called by any thread or task and never waits."""

    def __init__(self, url: Live[str]) -> None:
        self._url = url
        self._queue: queue.SimpleQueue[Span] = queue.SimpleQueue()
        self._encoder = get_encoder(Encoding.V2_JSON)
        self.sent = 0
        self.dropped = 0

    def put(self, span: Span) -> None:
        if self._queue.qsize() < QUEUE_SIZE:
            self._queue.put(span)
        else:
            self.dropped += 1

    def run(self, stop: threading.Event) -> None:
        """Post until `stop` is set, then once more what is left."""
        pause, backoff = GATHER_SECONDS, Backoff(2 * GATHER_SECONDS, LONGEST_PAUSE)
        with requests.Session() as session:
            session.trust_env = False
            while not stop.wait(pause):
                if self._post_all(session):
                    pause = GATHER_SECONDS
                    backoff.reset()
                else:
                    pause = backoff.next()
            self._post_all(session)

    def _post_all(self, session: requests.Session) -> bool:
        while batch := self._take():
            if not self._post(session, batch):
                return False
        return True

    def _take(self) -> list[Span]:
        batch: list[Span] = []
        while len(batch) < BATCH:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch

    def _post(self, session: requests.Session, batch: list[Span]) -> bool:
        """Whether Zipkin took anything of the batch; what it did not take is dropped."""
        taken, parts, posts = 0, [batch], 0
        try:
            while parts and posts < POSTS_PER_BATCH:
                part, posts = parts.pop(), posts + 1
                if self._took(session, part):
                    taken += len(part)
                elif len(part) > 1:
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
        except requests.RequestException as error:
            log.info("Zipkin took %d of %d spans: %s", taken, len(batch), error)
        else:
            if taken < len(batch):
                log.warning("Zipkin refused %d of %d spans", len(batch) - taken, len(batch))
        self.sent += taken
        self.dropped += len(batch) - taken
        return taken > 0

    def _took(self, session: requests.Session, spans: list[Span]) -> bool:
        """False when Zipkin refuses these spans; raises when it takes none whatever they are."""
        try:
            body = self._encoder.encode_queue([self._encoder.encode_span(span) for span in spans])
        # What a span holds came from outside, and py-zipkin does not say what it raises.
        except Exception as error:  # noqa: BLE001
            if len(spans) == 1:
                log.warning("a span cannot be written: %s: %s", type(error).__name__, error)
            return False
        response = session.post(
            self._url.value,
            data=body,
            headers={"Content-Type": "application/json"},
            timeout=(0.5, 2),
        )
        if response.status_code in REFUSED:
            return False
        response.raise_for_status()
        return True

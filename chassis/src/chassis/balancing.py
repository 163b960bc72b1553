"""Picks an instance: the less busy of two random ones, and none that has just refused."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from chassis.errors import Unavailable
from chassis.listing import Instance

# A lease of a dead instance outlives it by some seconds; until then its refusals are remembered.
AVOID_SECONDS = 3.0


class Balancer:
    def __init__(self, instances: Callable[[], Mapping[str, tuple[Instance, ...]]]) -> None:
        self._instances = instances
        self._outstanding: Counter[Instance] = Counter()
        self._avoided: dict[Instance, float] = {}
        self._lock = threading.Lock()

    def choose(self, service: str, tried: Collection[Instance] = ()) -> Instance:
        """An instance of `service` that is not among `tried`; Unavailable when there is none.

        When all have refused lately one of them is asked all the same: it may be back.
        """
        known: Sequence[Instance] = self._instances().get(service, ())
        if tried:
            known = [each for each in known if each not in tried]
        if not known:
            raise Unavailable(f"No instance of {service} answers.", service=service)
        return self._less_busy_of_two(self._not_avoided(known) or known)

    def has_others(self, service: str) -> bool:
        """Whether an instance is left that has not refused lately."""
        return bool(self._not_avoided(self._instances().get(service, ())))

    def _not_avoided(self, known: Sequence[Instance]) -> Sequence[Instance]:
        if not self._avoided:
            return known
        now = time.monotonic()
        return [each for each in known if self._avoided.get(each, 0) < now]

    def _less_busy_of_two(self, wanted: Sequence[Instance]) -> Instance:
        # By hand, for random.sample costs more than all else here.
        number = len(wanted)
        first = int(random.random() * number)
        if number == 1:
            return wanted[first]
        other = (first + 1 + int(random.random() * (number - 1))) % number
        busy = self._outstanding
        return wanted[first if busy[wanted[first]] <= busy[wanted[other]] else other]

    @contextmanager
    def calling(self, instance: Instance) -> Iterator[None]:
        with self._lock:
            self._outstanding[instance] += 1
        try:
            yield
        finally:
            with self._lock:
                self._outstanding[instance] -= 1
                if not self._outstanding[instance]:
                    del self._outstanding[instance]

    def refused(self, instance: Instance) -> None:
        """Remember that `instance` took no connection."""
        now = time.monotonic()
        with self._lock:
            self._avoided = {each: until for each, until in self._avoided.items() if until > now}
            self._avoided[instance] = now + AVOID_SECONDS

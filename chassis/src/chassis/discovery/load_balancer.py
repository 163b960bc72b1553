"""Power of two choices (Mitzenmacher): of two random instances, the less busy one is called.

One that has just refused a connection is avoided.
"""

import random
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from chassis.core.errors import Unavailable
from chassis.discovery.instances import Instance

# A lease of a dead instance outlives it by some seconds; until then its refusals are remembered.
AVOID_SECONDS = 3.0

# Whether an instance with this metadata will do.
Takes = Callable[[Mapping[str, str]], bool]


class LoadBalancer:
    def __init__(self, instances: Callable[[], Mapping[str, tuple[Instance, ...]]]) -> None:
        self._instances = instances
        self._outstanding: dict[str, int] = {}
        self._avoided: dict[Instance, float] = {}
        self._lock = threading.Lock()

    def choose(
        self, service: str, tried: Collection[Instance] = (), takes: Takes | None = None
    ) -> Instance:
        """An instance of `service` that is not among `tried`; Unavailable when there is none.

        With `takes`, only one whose metadata it takes; without, no canary while there are others.
        When all have refused lately one of them is chosen all the same: it may be back.
        """
        known = self._known(service, takes)
        if tried:
            known = [instance for instance in known if instance not in tried]
        if not known:
            raise Unavailable(f"No instance of {service} answers.", service=service)
        return self._less_busy_of_two(self._not_avoided(known) or known)

    def has_others(self, service: str, takes: Takes | None = None) -> bool:
        """Whether an instance is left that has not refused lately."""
        return bool(self._not_avoided(self._known(service, takes)))

    def _known(self, service: str, takes: Takes | None) -> Sequence[Instance]:
        known = self._instances().get(service, ())
        if takes:
            return [instance for instance in known if takes(instance.metadata)]
        return [instance for instance in known if not instance.is_canary] or known

    def _not_avoided(self, known: Sequence[Instance]) -> Sequence[Instance]:
        if not self._avoided:
            return known
        now = time.monotonic()
        return [instance for instance in known if self._avoided.get(instance, 0) < now]

    def _less_busy_of_two(self, candidates: Sequence[Instance]) -> Instance:
        # By hand, for random.sample costs more than all else here.
        number = len(candidates)
        first = int(random.random() * number)
        if number == 1:
            return candidates[first]
        other = (first + 1 + int(random.random() * (number - 1))) % number
        busy = self._outstanding
        return candidates[
            first
            if busy.get(candidates[first].id, 0) <= busy.get(candidates[other].id, 0)
            else other
        ]

    def calling(self, instance: Instance) -> "Calling":
        """`instance` is busy with one more call meanwhile."""
        return Calling(self, instance)

    def begun(self, instance: Instance) -> None:
        with self._lock:
            self._outstanding[instance.id] = self._outstanding.get(instance.id, 0) + 1

    def ended(self, instance: Instance) -> None:
        with self._lock:
            left = self._outstanding[instance.id] - 1
            if left:
                self._outstanding[instance.id] = left
            else:
                del self._outstanding[instance.id]

    def refused(self, instance: Instance) -> None:
        """Remember that `instance` took no connection."""
        now = time.monotonic()
        with self._lock:
            self._avoided = {other: until for other, until in self._avoided.items() if until > now}
            self._avoided[instance] = now + AVOID_SECONDS


class Calling:
    """A class, for a generator would cost twice as much at each call."""

    __slots__ = ("_balancer", "_instance")

    def __init__(self, balancer: LoadBalancer, instance: Instance) -> None:
        self._balancer = balancer
        self._instance = instance

    def __enter__(self) -> None:
        self._balancer.begun(self._instance)

    def __exit__(self, *_: object) -> None:
        self._balancer.ended(self._instance)

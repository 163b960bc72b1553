"""What one process is made of, put together in one place."""

import logging
from collections.abc import Callable
from typing import Any, Generic

from chassis.actuator import chaosmonkey, circuitbreakers, loggers, refresh
from chassis.actuator.endpoints import Actuator, up
from chassis.chaos.monkey import ChaosMonkey
from chassis.config.breaker_settings import BreakerSettings
from chassis.config.client import ConfigClient, FetchSources, S
from chassis.config.settings import Fusebox, Settings
from chassis.core import log_levels
from chassis.core.environment import Environment
from chassis.core.errors import Unavailable
from chassis.core.live import Live
from chassis.core.workers import Workers
from chassis.discovery.client import DiscoveryClient
from chassis.discovery.load_balancer import LoadBalancer
from chassis.discovery.reachability import Reachability
from chassis.identity.assertions import AssertionVerifier, OwnIdentity
from chassis.observability.access_log import AccessLog
from chassis.observability.logging import configure as configure_logging
from chassis.observability.metrics import Metrics
from chassis.observability.sampling import RouteRules, Sampler, SamplingRules
from chassis.observability.tracing import Tracer
from chassis.observability.zipkin import ZipkinReporter
from chassis.resilience.circuit_breaker_registry import CircuitBreakerRegistry
from chassis.resilience.examination import OpenBreakerProber
from chassis.resilience.policy import ResiliencePolicies
from chassis.resilience.service_client import ServiceClient
from chassis.runtime.user_store import UserStore
from chassis.web.auth import TokenVerifier
from chassis.web.revocations import ENDPOINT, Revocations

BACKGROUND = Live(Fusebox())
READING = ("GET", "HEAD", "OPTIONS")
UNTRACED = SamplingRules(probability=0)


class Process(Generic[S]):
    """The parts that every process has.  Nothing runs before `start`.

    Made after gunicorn's fork: sessions, threads and locks belong to one process.
    """

    def __init__(self, environment: Environment, configuration: ConfigClient[S]) -> None:
        self.environment = environment
        self.identity = OwnIdentity(environment)
        self.callers = AssertionVerifier.of(environment)
        self.configuration = configuration
        self.live: Live[S] = configuration.live
        fusebox = self.live.map(lambda settings: settings.fusebox)
        self._client_settings = fusebox.map(lambda settings: settings.client)
        self.reporter = ZipkinReporter(
            self.live.map(lambda settings: settings.management.zipkin.tracing.endpoint)
        )
        self.tracer = Tracer(
            environment.service,
            Sampler(self.live.map(_sampling_rules)),
            self.reporter.put,
            environment.instance,
        )
        self.access_log = AccessLog(fusebox.map(lambda settings: settings.access_log.rate))
        self.breakers = CircuitBreakerRegistry(
            fusebox.map(lambda settings: settings.breaker), self._breaker_settings
        )
        self.policies = ResiliencePolicies(self.breakers, fusebox)
        # An open breaker need not wait for its time when an instance has come back.
        self.registry = DiscoveryClient(
            environment,
            self.live.map(lambda settings: settings.eureka),
            self.identity,
            on_appeared=self.breakers.hasten_probe,
        )
        # Without these the first calls would be refused.
        self._preparations: list[Callable[[], bool]] = [self.registry.fetched.is_set]
        self.registry.is_prepared = lambda: all(is_done() for is_done in self._preparations)
        self.reachability = Reachability(lambda: self.registry.instances)
        self.balancer = LoadBalancer(lambda: self.registry.instances)
        self.workers = Workers()
        self.metrics = Metrics(self.reporter)
        self.monkey = ChaosMonkey(self.live.map(lambda settings: settings.chaos.monkey.enabled))
        self.actuator = Actuator(environment, configuration, self.metrics, self.workers)
        self._add_endpoints()
        self.workers.add("spans", self.reporter.run)
        self.workers.add("registry", self.registry.keep_fetching)
        self.workers.add("reachability", self.reachability.run)
        self.workers.add("breakers", OpenBreakerProber(self.breakers).run)

    def _add_endpoints(self) -> None:
        circuitbreakers.add(self.actuator, self.metrics, self.breakers)
        chaosmonkey.add(self.actuator, self.monkey)
        loggers.add(self.actuator)
        refresh.add(self.actuator, self.configuration, self.environment, self.identity)
        self.actuator.health.add("registry", self._registry_health)

    @property
    def settings(self) -> S:
        return self.live.value

    def _breaker_settings(self, name: str) -> Live[BreakerSettings]:
        return self.live.map(
            lambda settings: settings.resilience4j.settings_of(name, settings.fusebox.breaker)
        )

    def check_actuator_caller(self, method: str, assertion: str | None) -> None:
        """Everybody may look; who changes something is a process that may call this one.

        Raises UnknownService or NotAllowedToCall.
        """
        if method not in READING:
            self.callers.caller_of(assertion)

    def service_client(self, service: str) -> ServiceClient:
        return ServiceClient(
            service,
            self.balancer,
            self.policies.of(service),
            self.tracer,
            self._client_settings,
            self.identity,
        )

    def background_client(self, service: str) -> ServiceClient:
        """For what is fetched in the background, and says nothing to those who call `service`.

        Its breaker is its own and never opens: a process that starts before user-service would
        else be without keys for ten seconds too long.
        """
        never_open = CircuitBreakerRegistry(Live(BACKGROUND.value.breaker))
        never_open.of(service).disable()
        return ServiceClient(
            service,
            self.balancer,
            ResiliencePolicies(never_open, BACKGROUND).of(service),
            Tracer(self.environment.service, Sampler(Live(UNTRACED)), self.reporter.put),
            self._client_settings,
            self.identity,
        )

    def user_store(self) -> UserStore:
        """What user-service knows of a caller at this moment."""
        return UserStore(self.service_client("user-service"))

    def tokens(self) -> TokenVerifier:
        """A verifier whose keys come from user-service, found through discovery."""
        issuer = self.background_client("user-service")
        revocations = Revocations(
            lambda since: _object(issuer, f"/actuator/{ENDPOINT}/{since:.3f}", "its revocations")
        )
        tokens = TokenVerifier(
            lambda: _object(issuer, "/.well-known/jwks.json", "its public keys"), revocations
        )
        self.workers.add("tokens", tokens.keep_keys)
        self.workers.add("revocations", revocations.run)
        self.actuator.health.add(
            "tokens",
            lambda: up(keys=tokens.keys, ids=tokens.key_ids, revocations=len(revocations)),
        )
        self._preparations.append(lambda: tokens.keys > 0)
        return tokens

    def _registry_health(self) -> dict[str, Any]:
        return up(
            registered=self.registry.registered.is_set(),
            services=sorted(self.registry.instances),
            reached=self.reachability.document(),
        )

    def start(self, port: int) -> None:
        """Start the background threads; the lease last, so that nobody calls before all run."""
        self.registry.port = port
        self.tracer.listens_on(self.environment.address, port)
        self.workers.add("lease", self.registry.keep_lease)
        self.workers.start()

    def leave(self) -> None:
        """Out of the registry: no new callers, and calls under way are still answered."""
        self.actuator.health.leaving = True
        self.workers.stop(only="lease")

    def stop(self) -> None:
        self.workers.stop()


def _sampling_rules(settings: Settings) -> SamplingRules:
    sampling = settings.management.tracing.sampling
    routes = (RouteRules(route.path, route.probability, route.rate) for route in sampling.routes)
    return SamplingRules(sampling.probability, sampling.rate, sampling.slow_seconds, tuple(routes))


def _object(service: ServiceClient, path: str, content: str) -> dict[str, Any]:
    response = service.get(path, path)
    if response.status_code != 200:
        raise Unavailable(f"{service.service} answered {response.status_code} for {content}.")
    try:
        document = response.json()
    except ValueError as error:
        raise Unavailable(f"{service.service} gave no JSON for {content}.") from error
    if not isinstance(document, dict):
        raise Unavailable(f"{service.service} gave no JSON object for {content}.")
    return document


def begin(service: str, model: type[S], fetch: FetchSources | None = None) -> Process[S]:
    """A process with its configuration loaded and its log set up.

    `fetch` gets the property sources of a process that has no config-server to ask.
    Raises ConfigurationError when there is none or it does not validate.
    """
    environment = Environment.read(service)
    configure_logging(environment)
    configuration = ConfigClient(model, environment, fetch)
    log_levels.configure(configuration.load().logging.level.root)
    # Whoever uses them logs their connection attempts.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    return Process(environment, configuration)

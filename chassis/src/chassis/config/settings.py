"""The settings that every process knows, validated, under the names that Spring gave them."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from chassis.config.breaker_settings import BreakerSettings, Resilience4j
from chassis.core import log_levels

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


def kebab(name: str) -> str:
    return name.replace("_", "-")


class Section(BaseModel):
    """A part of the configuration; keys that nobody reads are left alone."""

    model_config = ConfigDict(alias_generator=kebab, populate_by_name=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _nothing_below_it(cls, options: Any) -> Any:
        """`fusebox:` with no line below it is a section with nothing in it."""
        return {} if options in ("", None) else options


class StrictSection(Section):
    """One that refuses keys which nobody reads; Spring's relaxed binding holds for the others.

    So `max-age`, `maxAge` and `max_age` are the same key.
    """

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _relaxed(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        given = cls.prepared(given)
        names = {relaxed(alias): alias for alias in aliases(cls)}
        return {names.get(relaxed(str(key)), key): value for key, value in given.items()}

    @classmethod
    def prepared(cls, given: dict[str, Any]) -> dict[str, Any]:
        """What to look at in the place of `given`."""
        return given


def relaxed(name: str) -> str:
    """What two spellings of one key have in common."""
    return name.replace("-", "").replace("_", "").lower()


def aliases(model: type[BaseModel]) -> list[str]:
    """The keys of a section as they are written."""
    return [field.alias or name for name, field in model.model_fields.items()]


class ServiceUrl(Section):
    default_zone: str = Field("http://127.0.0.1:8761/eureka/", alias="defaultZone")


class EurekaClient(Section):
    service_url: ServiceUrl = ServiceUrl()
    registry_fetch_interval_seconds: Positive = 1


class EurekaInstance(Section):
    lease_renewal_interval_in_seconds: Count = 5
    lease_expiration_duration_in_seconds: Count = 15


class Eureka(Section):
    client: EurekaClient = EurekaClient()
    instance: EurekaInstance = EurekaInstance()


class RouteSampling(Section):
    """For requests whose path matches: `*` stands for one segment, `**` at the end for any."""

    path: str = Field(pattern=r"^/[^?#]*$")
    probability: float = Field(1.0, ge=0, le=1)
    rate: float | None = Field(None, ge=0)


class Sampling(Section):
    """The first of `routes` that matches decides, and else the two figures beside it."""

    probability: float = Field(1.0, ge=0, le=1)
    rate: float | None = Field(None, ge=0)
    slow_seconds: float = Field(1.0, gt=0)
    routes: list[RouteSampling] = []


class Tracing(Section):
    sampling: Sampling = Sampling()


class ZipkinTracing(Section):
    endpoint: str = "http://127.0.0.1:9411/api/v2/spans"


class Zipkin(Section):
    tracing: ZipkinTracing = ZipkinTracing()


class Management(Section):
    tracing: Tracing = Tracing()
    zipkin: Zipkin = Zipkin()


class ClientSettings(Section):
    connect_timeout_seconds: Positive = 1
    read_timeout_seconds: Positive = 2


class BulkheadSettings(Section):
    max_concurrent_calls: Count = 24
    max_wait_seconds: float = Field(0.1, ge=0)


class RetrySettings(Section):
    budget: float = Field(0.1, ge=0, le=1)


class DeadLetterSettings(Section):
    max_consecutive_invalid: Count = 100
    max_consecutive_failed: Count = 20
    max_share: float = Field(0.5, ge=0, le=1)
    window: Count = 200


class HousekeepingSettings(Section):
    interval_seconds: Positive = 60
    batch_size: Count = 500
    pause_seconds: float = Field(0.05, ge=0)
    inbox_keep_days: Positive = 14


class AccessLogSettings(Section):
    """Of `rate` requests a second there is a line, of all without one, and of each that failed."""

    rate: float | None = Field(10.0, ge=0)


class AuditSettings(Section):
    refusals_per_minute: Count = 60


class PagesSettings(Section):
    """Where a person with a browser finds the panel; empty where there is none."""

    panel: str = Field("", pattern="^(https?://.*[^/])?$")


class Fusebox(Section):
    audit: AuditSettings = AuditSettings()
    breaker: BreakerSettings = BreakerSettings()
    bulkhead: BulkheadSettings = BulkheadSettings()
    retry: RetrySettings = RetrySettings()
    client: ClientSettings = ClientSettings()
    dead_letters: DeadLetterSettings = DeadLetterSettings()
    housekeeping: HousekeepingSettings = HousekeepingSettings()
    access_log: AccessLogSettings = AccessLogSettings()
    pages: PagesSettings = PagesSettings()
    threads: Count = 32
    max_body_bytes: Count = 1_048_576


class Kafka(Section):
    bootstrap_servers: str = "127.0.0.1:9092"


class Datasource(Section):
    url: str = ""
    pool_size: Count = 32


class Spring(Section):
    kafka: Kafka = Kafka()
    datasource: Datasource = Datasource()


class LogLevels(Section):
    root: Annotated[str, AfterValidator(log_levels.checked)] = "INFO"


class Logging(Section):
    level: LogLevels = LogLevels()


class Monkey(Section):
    enabled: bool = False


class Chaos(Section):
    monkey: Monkey = Monkey()


class Settings(Section):
    """What every process reads.  A process with settings of its own extends this class."""

    eureka: Eureka = Eureka()
    management: Management = Management()
    fusebox: Fusebox = Fusebox()
    spring: Spring = Spring()
    logging: Logging = Logging()
    chaos: Chaos = Chaos()
    resilience4j: Resilience4j = Resilience4j()

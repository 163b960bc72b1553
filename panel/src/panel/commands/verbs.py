"""What a page may ask for: each is a verb of the command line, and told as its `make` command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from chassis.core.errors import FieldError, Invalid, NotFound
from fusebox.core.topology import BY_NAME, SERVICES

DISCOVERY = "discovery"
MOST_PIECES = 1_000_000
LEAST_RATE = 0.1


@dataclass(frozen=True)
class VerbCall:
    """`make` is what a person types, `arguments` what the command `fusebox` is given."""

    make: str
    arguments: tuple[str, ...]


def _one_of(names: Mapping[str, object]) -> AfterValidator:
    def check(name: str) -> str:
        if name not in names:
            raise ValueError(f"is none of {', '.join(sorted(names))}")
        return name

    return AfterValidator(check)


def _none_or_enough(rate: float) -> float:
    if 0 < rate < LEAST_RATE:
        raise ValueError(f"is 0, or at least {LEAST_RATE}")
    return rate


PartOfShop = Annotated[str, _one_of(BY_NAME)]
Scalable = Annotated[str, _one_of({part.name: part for part in (*SERVICES, BY_NAME[DISCOVERY])})]
Service = Annotated[str, _one_of({part.name: part for part in SERVICES})]
Ours = Annotated[str, _one_of({name: part for name, part in BY_NAME.items() if part.is_ours})]
InstanceNumber = Annotated[int, Field(ge=1, le=99)]


class VerbRequest(BaseModel):
    """The body of a request; its fields are the verb's variables."""

    model_config = ConfigDict(extra="forbid", strict=True)
    verb: ClassVar[str]
    make_verb: ClassVar[str] = ""

    def call(self) -> VerbCall:
        variables = "".join(f" {name}={value}" for name, value in self.variables().items())
        return VerbCall(
            f"make {self.make_verb or self.verb}{variables}", tuple(map(str, self.arguments()))
        )

    def variables(self) -> dict[str, object]:
        return {}

    def arguments(self) -> list[object]:
        return [self.verb]


class OrderRequest(VerbRequest):
    verb = "order"
    product: str = Field("CATALOG-0001", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    qty: int = Field(1, ge=1, le=MOST_PIECES)

    def variables(self) -> dict[str, object]:
        return {"PRODUCT": self.product, "QTY": self.qty}

    def arguments(self) -> list[object]:
        return ["order", "--product", self.product, "--qty", self.qty]


class InstanceRequest(VerbRequest):
    service: PartOfShop
    instance: InstanceNumber | None = None

    def variables(self) -> dict[str, object]:
        number = {} if self.instance is None else {"INSTANCE": self.instance}
        return {"SERVICE": self.service, **number}

    def arguments(self) -> list[object]:
        number = [] if self.instance is None else ["--instance", self.instance]
        return [self.verb, self.service, *number]


class KillRequest(InstanceRequest):
    verb = "kill"


class StopRequest(InstanceRequest):
    verb = "stop"


class StartRequest(InstanceRequest):
    verb = "start"


class PauseRequest(InstanceRequest):
    verb = "pause"


class SlowRequest(InstanceRequest):
    verb = "slow"
    ms: int = Field(ge=1, le=60_000)

    def variables(self) -> dict[str, object]:
        return {**super().variables(), "MS": self.ms}

    def arguments(self) -> list[object]:
        verb, service, *number = super().arguments()
        return [verb, service, self.ms, *number]


class FailRequest(InstanceRequest):
    verb = "fail"
    service: Ours
    percent: float = Field(ge=0, le=100)

    def variables(self) -> dict[str, object]:
        return {**super().variables(), "RATE": f"{self.percent / 100:g}"}

    def arguments(self) -> list[object]:
        verb, service, *number = super().arguments()
        return [verb, service, f"{self.percent / 100:g}", *number]


class RollRequest(VerbRequest):
    verb = "roll"
    service: Service

    def variables(self) -> dict[str, object]:
        return {"SERVICE": self.service}

    def arguments(self) -> list[object]:
        return ["roll", self.service]


class ScaleRequest(VerbRequest):
    verb = "scale"
    service: Scalable
    n: int = Field(ge=1, le=16)

    def variables(self) -> dict[str, object]:
        return {"SERVICE": self.service, "N": self.n}

    def arguments(self) -> list[object]:
        return ["scale", self.service, self.n]


class CanaryRequest(VerbRequest):
    verb = "canary"
    service: Service
    weight: int = Field(ge=0, le=100)

    def variables(self) -> dict[str, object]:
        return {"SERVICE": self.service, "WEIGHT": self.weight}

    def arguments(self) -> list[object]:
        return ["canary", self.service, self.weight]


class HealRequest(VerbRequest):
    verb = "heal"
    service: PartOfShop | None = None

    def variables(self) -> dict[str, object]:
        return {} if self.service is None else {"SERVICE": self.service}

    def arguments(self) -> list[object]:
        return ["heal", *([] if self.service is None else [self.service])]


class VerifyRequest(VerbRequest):
    verb = "verify"


class ReplayRequest(VerbRequest):
    verb = "replay"
    make_verb = "replay-dead"

    def arguments(self) -> list[object]:
        return ["replay-dead"]


class TrafficRequest(VerbRequest):
    """`rate` requests a second; 0 ends it."""

    verb = "traffic"
    rate: Annotated[float, Field(ge=0, le=100), AfterValidator(_none_or_enough)]

    def variables(self) -> dict[str, object]:
        return {"RATE": f"{self.rate:g}"}

    def arguments(self) -> list[object]:
        return ["traffic", "--rate", f"{self.rate:g}"]


class LessonRequest(VerbRequest):
    """The whole tour, or the step of that number."""

    verb = "lesson"
    make_verb = "demo"
    name: int | None = Field(None, ge=1, le=8)

    def variables(self) -> dict[str, object]:
        step = {} if self.name is None else {"STEP": self.name}
        return {**step, "PACE": "fast"}

    def arguments(self) -> list[object]:
        step = [] if self.name is None else ["--step", self.name]
        return ["demo", "--pace", "fast", "--json", *step]


class LessonStopRequest(VerbRequest):
    verb = "lesson-stop"

    def call(self) -> VerbCall:
        return VerbCall("Ctrl-C in make demo", ())


REQUESTS: dict[str, type[VerbRequest]] = {
    request.verb: request
    for request in (
        OrderRequest,
        TrafficRequest,
        KillRequest,
        StopRequest,
        StartRequest,
        PauseRequest,
        RollRequest,
        SlowRequest,
        FailRequest,
        HealRequest,
        ScaleRequest,
        CanaryRequest,
        VerifyRequest,
        ReplayRequest,
        LessonRequest,
        LessonStopRequest,
    )
}


def parse(verb: str, body: Any) -> VerbRequest:
    """Raises NotFound for another verb, Invalid for a body that is not its own."""
    request = REQUESTS.get(verb)
    if request is None:
        raise NotFound(f"There is no verb {verb[:40]}: they are {', '.join(REQUESTS)}.")
    try:
        return request.model_validate(body)
    except ValidationError as error:
        raise Invalid(
            f"`{verb}` cannot be done like that.", errors=[_field(one) for one in error.errors()]
        ) from error


def _field(error: Any) -> FieldError:
    field = ".".join(str(step) for step in error["loc"]) or "body"
    return FieldError(field=field, message=error["msg"].removeprefix("Value error, "))

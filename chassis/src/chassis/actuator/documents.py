"""What the endpoints say that are open to everybody."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field

from chassis.web.documents import Document

Status = Annotated[Literal["UP", "DOWN", "OUT_OF_SERVICE", "UNKNOWN"], Field(examples=["UP"])]
DATABASE = {"db": {"status": "UP", "details": {}}}


class HealthDocument(Document):
    """`components` are the parts that were looked at, each with a `status` of its own."""

    status: Status
    components: NotRequired[Annotated[dict[str, Any], Field(examples=[DATABASE])]]


class ProcessName(Document):
    name: Annotated[str, Field(examples=["order-service"])]
    instance: Annotated[str, Field(examples=["order-service-1"])]
    version: Annotated[str, Field(examples=["0.3.0"])]


class ProcessId(Document):
    pid: Annotated[int, Field(examples=[4711])]


class InfoDocument(Document):
    app: ProcessName
    process: ProcessId

"""The log of a process: one line of JSON an event, in the names of the Elastic Common Schema.

Whoever logs uses the standard library's loggers; what is known of the event beside its message goes
into `extra`, under ECS names (`extra={"order.id": …}`).  On a terminal the lines are for people.
"""

import json
import logging
import sys
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TextIO

from chassis.core.environment import Environment
from chassis.core.errors import first_line
from chassis.core.imports import absent
from chassis.core.secrecy import masked
from chassis.observability import tracing
from chassis.observability.tracing import TraceContext

# Where rich is installed structlog takes it along: 5 MB in every process, for terminals alone.
with absent("rich"):
    import structlog
    from structlog.typing import EventDict, Processor

ECS_VERSION = "9.2.0"
# What every record has; the rest was given to it.
OWN_ATTRIBUTES = frozenset(
    (*vars(logging.makeLogRecord({})), "message", "asctime", "_logger", "_name")
)


def configure(environment: Environment, stream: TextIO = sys.stderr) -> None:
    """To `stream`, from INFO on until the configuration says otherwise."""
    handler = logging.StreamHandler(stream)
    people: list[Processor] = [_in_short, structlog.dev.ConsoleRenderer(sort_keys=False)]
    written: list[Processor] = [*(people if stream.isatty() else [_as_json]), _without_secrets]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[EcsFields(environment)],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *written,
            ],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def of_trace(context: TraceContext | None) -> dict[str, str]:
    """The `extra` of a line that belongs to this span, whatever is current."""
    return {"trace.id": context.trace_id, "span.id": context.span_id} if context else {}


class Entry(NamedTuple):
    """What happened, with its trace and what else is known of it, under ECS names."""

    text: str
    context: TraceContext | None = None
    fields: Mapping[str, str] = {}


def log_together(log: logging.Logger, entries: Sequence[Entry]) -> None:
    """What happened at once as one line: of all that is done for one order, writing is the dearest.

    Of many, each field is a list with a value of each; so ECS has it, and so it is searched.
    """
    if not entries or not log.isEnabledFor(logging.INFO):
        return
    known = [{**of_trace(entry.context), **entry.fields} for entry in entries]
    if len(entries) == 1:
        log.info("%s", entries[0].text, extra=known[0])
        return
    names = dict.fromkeys(name for fields in known for name in fields)
    together = {name: [fields.get(name, "") for fields in known] for name in names}
    log.info("%s", "; ".join(entry.text for entry in entries), extra=together)


class EcsFields:
    """What a record says, and which process and which span it is of."""

    def __init__(self, environment: Environment) -> None:
        self._service = {
            "service.name": environment.service,
            "service.node.name": environment.instance,
            "ecs.version": ECS_VERSION,
        }

    def __call__(self, _logger: Any, _method: str, given: EventDict) -> EventDict:
        record: logging.LogRecord = given["_record"]
        at = datetime.fromtimestamp(record.created, UTC)
        return {
            "_record": record,
            "_from_structlog": False,
            "@timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "log.level": record.levelname.lower(),
            "message": given["event"],
            **self._service,
            "log.logger": record.name,
            "process.thread.name": record.threadName,
            **of_trace(tracing.current()),
            **{key: it for key, it in vars(record).items() if key not in OWN_ATTRIBUTES},
            **_error(record),
        }


def _error(record: logging.LogRecord) -> dict[str, str]:
    if not record.exc_info or record.exc_info[1] is None:
        return {}
    kind, error, trace = record.exc_info
    return {
        "error.type": error.__class__.__name__,
        "error.message": first_line(error),
        "error.stack_trace": "".join(traceback.format_exception(kind, error, trace)),
    }


def _as_json(_logger: Any, _method: str, event: EventDict) -> str:
    return json.dumps(event, default=str, ensure_ascii=False, separators=(",", ":"))


def _without_secrets(_logger: Any, _method: str, line: Any) -> str:
    return masked(line)


# What a terminal calls them; what is the same in every line of one process is not shown there.
SHORT_NAMES = {
    "@timestamp": "timestamp",
    "log.level": "level",
    "message": "event",
    "log.logger": "logger",
    "error.stack_trace": "exception",
}
ALWAYS_THE_SAME = ("service.name", "service.node.name", "ecs.version")


def _in_short(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return {
        SHORT_NAMES.get(key, key): value
        for key, value in event.items()
        if key not in ALWAYS_THE_SAME
    }

"""The loggers under /actuator/loggers, as Spring Boot's: their levels, and others by hand."""

import logging

from chassis.actuator.endpoints import (
    ANY,
    Actuator,
    ActuatorRequest,
    ActuatorResponse,
    json_response,
)
from chassis.core import log_levels, strict_json
from chassis.core.errors import BadRequest, NotFound

ROOT = "ROOT"
CHANGED = 204


def add(actuator: Actuator) -> None:
    actuator.add("loggers", _all)
    actuator.add("loggers" + ANY, _one)
    actuator.add("loggers" + ANY, _change, method="POST")


def _all(_: ActuatorRequest) -> ActuatorResponse:
    known = logging.Logger.manager.loggerDict.items()
    names = sorted(name for name, logger in known if isinstance(logger, logging.Logger))
    loggers = {name: _described(name) for name in (ROOT, *names)}
    return json_response({"levels": list(log_levels.LEVELS), "loggers": loggers})


def _one(request: ActuatorRequest) -> ActuatorResponse:
    if request.name not in (ROOT, *logging.Logger.manager.loggerDict):
        raise NotFound(f"There is no logger {request.name}.")
    return json_response(_described(request.name))


def _change(request: ActuatorRequest) -> ActuatorResponse:
    """Until the process ends or, for the root, until the configuration has another level."""
    _logger(request.name).setLevel(_requested_level(request))
    return ActuatorResponse(b"", CHANGED)


def _requested_level(request: ActuatorRequest) -> int:
    document = strict_json.loads(request.body or b"{}")
    try:
        level = document.get("configuredLevel")
        if level is not None:
            return log_levels.number(level)
    except (ValueError, AttributeError) as error:
        raise BadRequest(f"This is not {{'configuredLevel': 'DEBUG'}}: {error}") from error
    if request.name == ROOT:
        raise BadRequest("The root logger has no parent to inherit a level from.")
    return logging.NOTSET


def _described(name: str) -> dict[str, str]:
    logger = _logger(name)
    own = {"configuredLevel": log_levels.name_of(logger.level)} if logger.level else {}
    return {**own, "effectiveLevel": log_levels.name_of(logger.getEffectiveLevel())}


def _logger(name: str) -> logging.Logger:
    return logging.getLogger(None if name == ROOT else name)

"""The loggers under /actuator/loggers, as Spring Boot's: their levels, and others by hand."""

import json
import logging

from chassis.actuator.endpoints import ANY, Actuator, Asked, Reply, reply
from chassis.core import log_levels
from chassis.core.errors import BadRequest, NotFound

ROOT = "ROOT"
CHANGED = 204


def add(actuator: Actuator) -> None:
    actuator.add("loggers", _all)
    actuator.add("loggers" + ANY, _one)
    actuator.add("loggers" + ANY, _change, method="POST")


def _all(_: Asked) -> Reply:
    known = logging.Logger.manager.loggerDict.items()
    names = sorted(name for name, each in known if isinstance(each, logging.Logger))
    loggers = {name: _described(name) for name in (ROOT, *names)}
    return reply({"levels": list(log_levels.LEVELS), "loggers": loggers})


def _one(asked: Asked) -> Reply:
    if asked.name not in (ROOT, *logging.Logger.manager.loggerDict):
        raise NotFound(f"Nobody logs as {asked.name}.")
    return reply(_described(asked.name))


def _change(asked: Asked) -> Reply:
    """Until its end or, for the root, until the configuration says otherwise."""
    _logger(asked.name).setLevel(_wanted(asked))
    return Reply(b"", CHANGED)


def _wanted(asked: Asked) -> int:
    try:
        said = json.loads(asked.body or "{}")
        level = said.get("configuredLevel")
        if level is not None:
            return log_levels.number(level)
    except (ValueError, AttributeError) as error:
        raise BadRequest(f"This is not {{'configuredLevel': 'DEBUG'}}: {error}") from error
    if asked.name == ROOT:
        raise BadRequest("The root has nobody to take its level from.")
    return logging.NOTSET


def _described(name: str) -> dict[str, str]:
    logger = _logger(name)
    own = {"configuredLevel": log_levels.name_of(logger.level)} if logger.level else {}
    return {**own, "effectiveLevel": log_levels.name_of(logger.getEffectiveLevel())}


def _logger(name: str) -> logging.Logger:
    return logging.getLogger(None if name == ROOT else name)

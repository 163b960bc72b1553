"""Log levels in Spring's words."""

import logging

LEVELS = {
    "OFF": logging.CRITICAL + 10,
    "FATAL": logging.CRITICAL,
    "ERROR": logging.ERROR,
    "WARN": logging.WARNING,
    "INFO": logging.INFO,
    "DEBUG": logging.DEBUG,
    "TRACE": logging.DEBUG // 2,
}


def number(name: str) -> int:
    """ValueError for what is no level."""
    known = "WARN" if name.upper() == "WARNING" else name.upper()
    if known not in LEVELS:
        raise ValueError(f"{name!r} is no level (known: {', '.join(LEVELS)})")
    return LEVELS[known]


def checked(name: str) -> str:
    """`name`, if it is that of a level."""
    number(name)
    return name


def configure(root: str) -> None:
    logging.getLogger().setLevel(number(root))


def name_of(level: int) -> str:
    """The nearest in Spring's words."""
    return min(LEVELS, key=lambda name: abs(LEVELS[name] - level))

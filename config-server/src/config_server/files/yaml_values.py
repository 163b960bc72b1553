"""The types of YAML's scalars as SnakeYAML resolves them, which Spring reads its files with.

PyYAML resolves by the letter of YAML 1.1: `1e3` would be text, and `=` a value of no use.
"""

import re
from typing import Any

import yaml

NULL = "tag:yaml.org,2002:null"
MERGE = "tag:yaml.org,2002:merge"
STR = "tag:yaml.org,2002:str"
INT, FLOAT, BOOL = (f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool"))
# As written, so that no date is read into 2026-01-01.
TEXTS = {STR, "tag:yaml.org,2002:timestamp"}
SCALARS = {INT, FLOAT, BOOL, NULL, *TEXTS}
MAX_DIGITS = 100  # a longer number stays text: to compute it may take minutes
BOOLEANS = {"yes": True, "no": False, "true": True, "false": False, "on": True, "off": False}

DIGITS, EXPONENT = "[0-9][0-9_]*", "[eE][-+]?[0-9]+"
DECIMAL = re.compile(r"[-+]?[0-9]+\Z")  # 08 is none in YAML 1.1
SIXTIES = "(?::[0-5]?[0-9])+"
# What begins with which character is what; the first that matches.
IMPLICIT = (
    (
        BOOL,
        "yYnNtTfFoO",
        "yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF",
    ),
    (
        INT,
        "-+0123456789",
        "[-+]?0b_*[01][01_]*|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x_*[0-9a-fA-F][0-9a-fA-F_]*"
        f"|[-+]?[1-9][0-9_]*{SIXTIES}",
    ),
    (
        FLOAT,
        "-+0123456789.",
        rf"[-+]?{DIGITS}\.[0-9_]*(?:{EXPONENT})?|[-+]?{DIGITS}{EXPONENT}"
        rf"|[-+]?\.{DIGITS}(?:{EXPONENT})?|[-+]?{DIGITS}{SIXTIES}\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
    ),
    (MERGE, "<", "<<"),
    (NULL, "~nN", "~|null|Null|NULL"),
)


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    yaml_implicit_resolvers: dict[str, Any] = {}


PATTERNS = [(tag, list(first), re.compile(f"(?:{text})\\Z")) for tag, first, text in IMPLICIT]
for _tag, _first, _pattern in PATTERNS:
    Loader.add_implicit_resolver(_tag, _pattern, _first)
Loader.add_implicit_resolver(NULL, re.compile(r"\Z"), [""])


def is_text(text: str) -> bool:
    """Whether it is that when it stands in a file without quotes, for YAML 1.2 as well."""
    return not any(pattern.match(text) for pattern in (DECIMAL, *(p for _, _, p in PATTERNS)))


def value_of(node: yaml.ScalarNode) -> Any:
    """What the scalar stands for, "" for nothing; raises ValueError for what it cannot be."""
    text = str(node.value)
    if node.tag == NULL:
        return ""
    if node.tag in TEXTS or len(text) > MAX_DIGITS:
        return text
    if node.tag == BOOL:
        if text.lower() not in BOOLEANS:
            raise ValueError(f"{text[:MAX_DIGITS]!r} is no boolean")
        return BOOLEANS[text.lower()]
    return _integer(text) if node.tag == INT else _float(text)


def _integer(text: str) -> int:
    sign, digits = _signed(text)
    if ":" in digits:
        return sign * int(_sixties(digits))
    for prefix, base in (("0b", 2), ("0x", 16), ("0", 8)):
        if digits.startswith(prefix) and digits != "0":
            return sign * int(digits.removeprefix(prefix) or "0", base)
    return sign * int(digits)


def _float(text: str) -> float:
    sign, digits = _signed(text)
    if digits.lower() in (".inf", ".nan"):
        return sign * float(digits[1:])
    return sign * (_sixties(digits) if ":" in digits else float(digits))


def _signed(text: str) -> tuple[int, str]:
    digits = text.replace("_", "")
    return (-1 if digits.startswith("-") else 1), digits[digits.startswith(("-", "+")) :]


def _sixties(digits: str) -> float:
    total: float = 0
    for part in digits.split(":"):
        total = total * 60 + (float(part) if "." in part else int(part))
    return total

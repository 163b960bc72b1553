"""What this process knows as secret, kept out of what it says: logs, spans, errors, the actuator.

Nothing is written there on purpose.  But a library puts an address with its password into an
exception, a rule quotes the value that it refuses, and somebody logs either.
"""

import json
import re

MASK = "******"
# A shorter text is in too many others, and no secret.
SHORTEST = 6
# In an address: user and password, between the slashes and the @.
LOGIN = re.compile(r"//[^/@\s\"]+@")

_known: set[str] = set()


def remember(secret: str) -> str:
    """`secret` itself, which is masked from now on, and each line of it."""
    for line in secret.splitlines():
        if len(line) >= SHORTEST and not line.startswith("-----"):
            _known.update(
                (line, json.dumps(line)[1:-1], json.dumps(line, ensure_ascii=False)[1:-1])
            )
    return secret


def masked(text: str) -> str:
    """`text` without the secrets, and without names and passwords in addresses."""
    for secret in tuple(_known):
        if secret in text:
            text = text.replace(secret, MASK)
    return LOGIN.sub(f"//{MASK}@", text) if "@" in text and "//" in text else text

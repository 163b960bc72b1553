"""The known word that somebody meant who has typed another one.

The Makefile runs this file by itself, as `python suggestions.py TYPED VERB…`, for a verb that it
does not know: it needs nothing but the standard library.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable

ALIKE = 0.6


def nearest(typed: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `typed` is a misspelling or a part of, if there is one."""
    lower = typed.lower()
    # Also by its first word: who types `ordr` means order-service.
    spellings = {
        part: name for name in known for part in (name.partition("-")[0].lower(), name.lower())
    }
    alike = difflib.get_close_matches(lower, spellings, n=1, cutoff=ALIKE)
    beginning = [part for part in spellings if lower and part.startswith(lower)]
    return next((spellings[part] for part in (*alike, *beginning)), None)


def hint(typed: str, known: Iterable[str]) -> str:
    """`did you mean kill? `, to stand before the rest of a remedy; empty when nothing is near."""
    meant = nearest(typed, known)
    return f"did you mean {meant}? " if meant else ""


def unknown_verb(typed: str, verbs: Iterable[str]) -> list[str]:
    """The lines of the error; the exit code that belongs to it is 2."""
    remedy = f"{hint(typed, verbs)}`make help` lists them all."
    return [f"fusebox: there is no verb {typed!r}", f"What to do: {remedy}"]


if __name__ == "__main__":
    print("\n".join(unknown_verb(sys.argv[1], sys.argv[2:])), file=sys.stderr)
    sys.exit(2)

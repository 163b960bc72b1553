"""`spring.config.import`: which files of the same tree it names.

What lies elsewhere is for the clients to import: no address is called, and no file outside of the
tree is read.
"""

import logging
import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from config_server.model import UnreadableFile

log = logging.getLogger(__name__)

OPTIONAL, RESOURCE, FILE = "optional:", "resource:", "file:"
# Locations that only a client can load; of any other, Spring's server says that it is unknown.
OF_CLIENTS = re.compile(r"(classpath\*?|configserver|configtree|env|https?|ftp):", re.IGNORECASE)
HINT = re.compile(r"(.*)\[\.(yml|yaml)\]", re.IGNORECASE)
FORMATS = (".yml", ".yaml", ".properties")


@dataclass(frozen=True, slots=True)
class Import:
    """`path` is relative to the tree; that of a folder ends in a slash."""

    path: str
    optional: bool

    @property
    def is_folder(self) -> bool:
        return not self.path or self.path.endswith("/")


def imports_of(locations: Iterable[str], importer: str, root: str) -> list[Import]:
    """Those of `locations` that lie in the tree, whose URI is `root`; the last counts most.

    Raises UnreadableFile for what can be no location.
    """
    parts = (part.strip() for location in locations for part in location.split(";"))
    return [entry for part in parts if part for entry in _import(part, importer, root)]


def profile_specific(path: str, profile: str) -> str:
    """`extra.yml` becomes `extra-dev.yml`."""
    stem, suffix = posixpath.splitext(path)
    return f"{stem}-{profile}{suffix}"


def _import(location: str, importer: str, root: str) -> Iterator[Import]:
    optional = location.startswith(OPTIONAL)
    resource = location.removeprefix(OPTIONAL).strip().removeprefix(RESOURCE)
    if not resource:
        return
    path = None if OF_CLIENTS.match(resource) else _within(resource, importer, root)
    if path is None:
        log.debug("%s: the import %s is left to the clients", importer, location)
        return
    hint = HINT.fullmatch(path)
    path = hint[1] if hint else path
    if "*" in path or not (hint or path == "" or path.lower().endswith((*FORMATS, "/"))):
        raise UnreadableFile(
            f"{importer}: spring.config.import {location}: neither a YAML or .properties file, "
            "nor a folder, which ends in a slash"
        )
    yield Import(path, optional)


def _within(resource: str, importer: str, root: str) -> str | None:
    """The path in the tree; None when it leads out of it."""
    folder = "/" if resource.endswith("/") else ""
    if resource.startswith((FILE, "/")):
        absolute = "/" + resource.removeprefix(FILE).lstrip("/")
        base = root.removeprefix(FILE)
        if not resource.removeprefix(FILE).startswith("/") or not absolute.startswith(f"{base}/"):
            return None
        path = posixpath.normpath(absolute.removeprefix(f"{base}/"))
    else:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(importer), resource))
    if path == "..":
        return None
    if path.startswith(("../", "/")):
        return None
    return "" if path == "." else path + folder

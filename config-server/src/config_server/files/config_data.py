"""Which documents answer a query, and in which order: Spring Boot's ConfigDataEnvironment.

First the files that no profile chooses, with those that they import; what stands in them may name
further profiles; then the files of all profiles.  The order of the answer follows Boot's tree of
contributors: what is imported takes precedence over whatever imports it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from chassis.config.properties import fill_placeholders
from config_server.files.documents import ConfigDocument
from config_server.files.imports import Import, imports_of, profile_specific
from config_server.files.profiles import InvalidProfileExpression, accepts
from config_server.files.trees import SUFFIXES, DocumentCache, FileTree
from config_server.model import ConfigQuery, PropertySource, UnreadableFile

NO_PLATFORM, DEFAULT = "none", "default"
MAX_FILES = 1_000


@dataclass(slots=True, eq=False)
class Contributor:
    """One document; `imported` is what it brought before the profiles were known, and then."""

    path: str
    name: str
    document: ConfigDocument
    under_a_profile: bool
    hoistable: bool
    imported: list["Contributor"] = field(default_factory=list)
    imported_with_profiles: list["Contributor"] = field(default_factory=list)
    followed: set[bool] = field(default_factory=set)

    def __iter__(self) -> Iterator["Contributor"]:
        for children in (self.imported_with_profiles, self.imported):
            for child in children:
                yield from child
        yield self


def sources(
    tree: FileTree, cache: DocumentCache, query: ConfigQuery, folders: list[str]
) -> list[PropertySource]:
    """The winner first; the last of `folders` takes precedence.  Raises UnreadableFile."""
    return _Loading(tree, cache, query, folders).sources()


class _Loading:
    def __init__(
        self, tree: FileTree, cache: DocumentCache, query: ConfigQuery, folders: list[str]
    ) -> None:
        self._tree = tree
        self._cache = cache
        self._query = query
        self._folders = folders
        self._loaded: set[str] = set()
        self._platform = ""  # until it is known, no document that asks for one counts
        self._profiles: list[str] | None = None
        self._known: dict[str, object] = {}

    def sources(self) -> list[PropertySource]:
        shared = self._load((path for folder in self._folders for path in self._in(folder)), False)
        self._counting(shared)
        self._follow(shared)
        self._platform = self._platform_named_in(shared) or NO_PLATFORM
        self._follow(shared)
        self._profiles = self._accepted(shared)
        self._follow(shared)
        own = self._load(
            (p for profile in self._profiles for f in self._folders for p in self._in(f, profile)),
            True,
        )
        self._follow(own)
        return [
            PropertySource(contributor.name, contributor.document.properties)
            for root in [*_hoisted(shared), *own, *shared]
            for contributor in root
            if self._counts(contributor)
        ]

    def _in(self, folder: str, profile: str = "") -> Iterator[str]:
        """The files of that folder that may apply, the weakest first."""
        for name in reversed(self._query.applications):
            for suffix in reversed(SUFFIXES):
                yield f"{folder}{name.strip('/')}{'-' if profile else ''}{profile}{suffix}"

    def _load(self, paths: Iterable[str], under_a_profile: bool) -> list[Contributor]:
        """The documents of those of `paths` that exist and are new, the strongest first."""
        return [
            contributor
            for path in reversed(list(paths))
            for contributor in self._documents(path, under_a_profile)
        ]

    def _documents(self, path: str, under_a_profile: bool) -> list[Contributor]:
        if path in self._loaded:
            return []
        if len(self._loaded) > MAX_FILES:
            raise UnreadableFile(f"{path}: more than {MAX_FILES} files for one application")
        documents = self._cache.documents(self._tree, path)
        if not documents:
            return []
        self._loaded.add(path)
        uri = self._tree.uri(path)
        # Of one file, the later document wins.
        return [
            Contributor(
                path,
                f"{uri} (document #{number})" if len(documents) > 1 else uri,
                document,
                under_a_profile,
                under_a_profile,
            )
            for number, document in reversed(list(enumerate(documents)))
        ]

    def _follow(self, contributors: Iterable[Contributor]) -> None:
        """Load what these import, unless that was done already in this phase."""
        phase = self._profiles is not None
        for contributor in contributors:
            self._follow(contributor.imported_with_profiles)
            self._follow(contributor.imported)
            if phase in contributor.followed or not contributor.document.directives.imports:
                continue
            if not self._counts(contributor):
                continue
            contributor.followed.add(phase)
            loaded = self._imported(contributor)
            self._follow(loaded)
            if phase:
                specific = _hoisted(contributor.imported)
                contributor.imported_with_profiles = [*specific, *loaded]
            else:
                contributor.imported = [*loaded, *contributor.imported]

    def _imported(self, contributor: Contributor) -> list[Contributor]:
        texts = [self._filled(text) for text in contributor.document.directives.imports]
        imports = imports_of(texts, contributor.path, self._tree.uri("").rstrip("/"))
        loaded: list[Contributor] = []
        for imported in imports:
            paths = self._paths(imported)
            exists = any(self._tree.stamp(path) is not None for path in paths)
            self._cache.note_import(contributor.path, imported, exists)
            plain = self._load(paths, False)
            specific = self._load(
                (p for profile in self._profiles or () for p in self._paths(imported, profile)),
                True,
            )
            loaded = [*specific, *plain, *loaded]
        return loaded

    def _paths(self, imported: Import, profile: str = "") -> list[str]:
        if imported.is_folder:
            return list(self._in(imported.path, profile))
        return [profile_specific(imported.path, profile) if profile else imported.path]

    def _counts(self, contributor: Contributor) -> bool:
        directives = contributor.document.directives
        if directives.platform and directives.platform != self._platform:
            return False
        if contributor.under_a_profile and directives.chooses:
            raise self._refused(contributor, "a file of one profile")
        if not directives.on_profile:
            return True
        if self._profiles is None:
            return False
        try:
            return accepts([self._filled(text) for text in directives.on_profile], self._profiles)
        except InvalidProfileExpression as error:
            raise UnreadableFile(f"{contributor.path}: {error}") from error

    def _refused(self, contributor: Contributor, where: str) -> UnreadableFile:
        return UnreadableFile(
            f"{contributor.path}: {contributor.document.directives.chooses} cannot stand in "
            f"{where}: the profiles are known by then"
        )

    def _filled(self, text: str) -> str:
        return fill_placeholders(text, self._known) if "${" in text else text

    def _counting(self, roots: list[Contributor]) -> list[Contributor]:
        counting = [
            contributor for root in roots for contributor in root if self._counts(contributor)
        ]
        for contributor in counting:
            for key, value in contributor.document.properties.items():
                self._known.setdefault(key, value.value)
        return counting

    def _platform_named_in(self, shared: list[Contributor]) -> str:
        named = (contributor.document.directives.runs_on for contributor in self._counting(shared))
        return next((platform for platform in named if platform), "")

    def _accepted(self, shared: list[Contributor]) -> list[str]:
        """The profiles asked for and included, each with its group; the last counts most."""
        profiles = list(self._query.profiles)
        if profiles[:1] == [DEFAULT]:
            return profiles  # Boot looks no further where nobody asks for a profile
        groups: dict[str, tuple[str, ...]] = {}
        for contributor in (contributor for root in shared for contributor in root):
            directives = contributor.document.directives
            if not self._counts(contributor):
                if directives.includes:
                    raise self._refused(contributor, "a document under a condition")
                continue
            profiles += directives.includes
            for profile, members in (directives.groups or {}).items():
                groups.setdefault(profile, members)
        return _with_groups(profiles, groups)


def _with_groups(profiles: list[str], groups: dict[str, tuple[str, ...]]) -> list[str]:
    accepted: dict[str, None] = {}
    waiting = profiles[::-1]
    while waiting:
        profile = waiting.pop()
        if profile not in accepted:
            accepted[profile] = None
            waiting += groups.get(profile, ())[::-1]
    return list(accepted)


def _hoisted(contributors: Iterable[Contributor]) -> list[Contributor]:
    """Take the files of one profile out of what these import: they count before all that follows.

    Once, as Boot does it.
    """
    hoisted: list[Contributor] = []
    for contributor in contributors:
        children = contributor.imported_with_profiles
        hoisted += [child for child in children if child.hoistable]
        contributor.imported_with_profiles = [c for c in children if not c.hoistable]
    for child in hoisted:
        child.hoistable = False
    return hoisted

"""Several back ends in order: the first takes precedence."""

from collections.abc import Sequence

from config_server.model import Backend, ConfigQuery, ConfigResult, Stamps


class CompositeBackend:
    """None of them may be missing: half a configuration would look like a whole one."""

    def __init__(self, backends: Sequence[Backend]) -> None:
        self._backends = backends

    @property
    def location(self) -> str:
        return ", ".join(backend.location for backend in self._backends)

    def find(self, query: ConfigQuery) -> ConfigResult:
        results = [backend.find(query) for backend in self._backends]
        return ConfigResult(
            [source for result in results for source in result.sources],
            next((result.version for result in results if result.version), None),
        )

    def file(self, query: ConfigQuery, path: str) -> bytes | None:
        contents = (backend.file(query, path) for backend in self._backends)
        return next((content for content in contents if content is not None), None)

    def stamps(self) -> Stamps:
        return {
            f"{number}/{path}": stamp
            for number, backend in enumerate(self._backends)
            for path, stamp in backend.stamps().items()
        }

    def imported(self) -> frozenset[str]:
        return frozenset(
            f"{number}/{path}"
            for number, backend in enumerate(self._backends)
            for path in backend.imported()
        )

    def problems(self) -> dict[str, str]:
        return {
            f"{number}/{path}": problem
            for number, backend in enumerate(self._backends)
            for path, problem in backend.problems().items()
        }

    def refresh(self, force: bool = False) -> None:
        for backend in self._backends:
            backend.refresh(force)

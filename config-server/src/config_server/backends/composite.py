"""Several back ends in order: the first has the last word."""

from collections.abc import Sequence

from config_server.model import Backend, Found, Question, Stamps


class Composite:
    """None of them may be missing: half a configuration would look like a whole one."""

    def __init__(self, backends: Sequence[Backend]) -> None:
        self._backends = backends

    @property
    def location(self) -> str:
        return ", ".join(each.location for each in self._backends)

    def find(self, question: Question) -> Found:
        found = [each.find(question) for each in self._backends]
        return Found(
            [source for each in found for source in each.sources],
            next((each.version for each in found if each.version), None),
        )

    def file(self, question: Question, path: str) -> bytes | None:
        contents = (each.file(question, path) for each in self._backends)
        return next((each for each in contents if each is not None), None)

    def stamps(self) -> Stamps:
        return {
            f"{number}/{path}": stamp
            for number, each in enumerate(self._backends)
            for path, stamp in each.stamps().items()
        }

    def problems(self) -> dict[str, str]:
        return {
            f"{number}/{path}": problem
            for number, each in enumerate(self._backends)
            for path, problem in each.problems().items()
        }

    def renew(self, at_once: bool = False) -> None:
        for each in self._backends:
            each.renew(at_once)

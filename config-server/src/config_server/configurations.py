"""What is served: a back end's configuration with its secrets decrypted."""

import re

from config_server.cipher import Cipher, decrypted
from config_server.files import render
from config_server.model import Backend, ConfigQuery, ConfigResult, PropertySource

# The key of this server itself; it may stand beside the values, and is never published.
OWN_KEY = re.compile(r"encrypt\.(key|salt|key-?store\..*)", re.IGNORECASE)


class Configurations:
    """All of it may block: never call it on the event loop."""

    def __init__(self, backend: Backend, cipher: Cipher | None, decrypts: bool = True) -> None:
        self.backend = backend
        self._cipher = cipher
        self._decrypts = decrypts

    def find(self, query: ConfigQuery) -> ConfigResult:
        """Raises UnreadableFile, UnknownLabel or BackendUnavailable."""
        result = self.backend.find(query)
        return ConfigResult([self._served(source) for source in result.sources], result.version)

    def _served(self, source: PropertySource) -> PropertySource:
        if self._decrypts:
            source = decrypted(source, self._cipher)
        if not any(OWN_KEY.fullmatch(key) for key in source.properties):
            return source
        public = {
            key: value for key, value in source.properties.items() if not OWN_KEY.fullmatch(key)
        }
        return PropertySource(source.name, public)

    def merged(self, query: ConfigQuery, resolves: bool) -> dict[str, object]:
        """The winning value of each key, with placeholders filled in when it `resolves`."""
        properties = render.merged(self.find(query).sources)
        return render.filled(properties) if resolves else properties

    def file(self, query: ConfigQuery, path: str) -> bytes | None:
        """The plain file as it is; None when there is none."""
        return self.backend.file(query, path)

    def text(self, query: ConfigQuery, path: str, resolves: bool) -> str | None:
        """The plain file as text, with placeholders filled in when it `resolves`."""
        content = self.backend.file(query, path)
        if content is None:
            return None
        text = content.decode(errors="replace")
        if not resolves or "${" not in text:
            return text
        return render.filled_text(text, render.merged(self.find(query).sources))

"""What is served: a back end's configuration with its secrets decrypted."""

import re

from config_server.cipher import Cipher, decrypted
from config_server.files import render
from config_server.model import Backend, Found, Question, Source

# The key of this server itself; whoever keeps it beside the values need not publish it.
OWN_KEY = re.compile(r"encrypt\.(key|salt|key-?store\..*)", re.IGNORECASE)


class Configurations:
    """All of it may block; nobody asks on the event loop."""

    def __init__(self, backend: Backend, cipher: Cipher | None, decrypts: bool = True) -> None:
        self.backend = backend
        self._cipher = cipher
        self._decrypts = decrypts

    def find(self, question: Question) -> Found:
        """Raises Unreadable, UnknownLabel or Away."""
        found = self.backend.find(question)
        return Found([self._served(each) for each in found.sources], found.version)

    def _served(self, source: Source) -> Source:
        found = decrypted(source, self._cipher) if self._decrypts else source
        if not any(OWN_KEY.fullmatch(key) for key in found.properties):
            return found
        public = {key: each for key, each in found.properties.items() if not OWN_KEY.fullmatch(key)}
        return Source(found.name, public)

    def merged(self, question: Question, resolves: bool) -> dict[str, object]:
        """The winning value of each key, with placeholders filled in when it `resolves`."""
        properties = render.merged(self.find(question).sources)
        return render.filled(properties) if resolves else properties

    def file(self, question: Question, path: str) -> bytes | None:
        """The plain file as it is; None when there is none."""
        return self.backend.file(question, path)

    def text(self, question: Question, path: str, resolves: bool) -> str | None:
        """The plain file as text, with placeholders filled in when it `resolves`."""
        content = self.backend.file(question, path)
        if content is None:
            return None
        text = content.decode(errors="replace")
        if not resolves or "${" not in text:
            return text
        return render.filled_text(text, render.merged(self.find(question).sources))

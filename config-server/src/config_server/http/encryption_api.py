"""`/encrypt`, `/decrypt` and `/key` over HTTP."""

from urllib.parse import unquote_plus

from aiohttp import web

from config_server.cipher import Cipher, DecryptionFailed, split_prefixes
from config_server.http.errors import PLAIN, json_response, text_response

FORM = "application/x-www-form-urlencoded"


class EncryptionApi:
    def __init__(self, cipher: Cipher | None) -> None:
        self._cipher = cipher

    def routes(self) -> list[web.RouteDef]:
        # One key serves all applications and profiles.
        return [
            web.get("/encrypt/status", self.status),
            web.get("/key", self.key),
            web.get("/key/{application}/{profile}", self.key),
            web.post("/encrypt", self.encrypt),
            web.post("/encrypt/{application}/{profile}", self.encrypt),
            web.post("/decrypt", self.decrypt),
            web.post("/decrypt/{application}/{profile}", self.decrypt),
        ]

    async def status(self, _request: web.Request) -> web.Response:
        return json_response({"status": "OK"}) if self._cipher else _no_key()

    async def key(self, _request: web.Request) -> web.Response:
        return json_response({"description": "No public key available", "status": "NOT_FOUND"}, 404)

    async def encrypt(self, request: web.Request) -> web.Response:
        if self._cipher is None:
            return _no_key()
        prefixes, text = split_prefixes(await _text(request))
        return text_response(prefixes + self._cipher.encrypt(text), PLAIN)

    async def decrypt(self, request: web.Request) -> web.Response:
        text = await _text(request)
        if self._cipher is None:
            return _no_key()
        try:
            return text_response(self._cipher.decrypt(text), PLAIN)
        except DecryptionFailed as error:
            return json_response({"description": str(error), "status": "INVALID"}, 400)


def _no_key() -> web.Response:
    description = "No key was installed for encryption service"
    return json_response({"description": description, "status": "NO_KEY"}, 404)


async def _text(request: web.Request) -> str:
    body = await request.read()
    try:
        text = body.decode(request.charset or "utf-8")
        text.encode()  # some charsets can spell half a character
    except LookupError as error:
        raise web.HTTPUnsupportedMediaType from error
    except UnicodeError as error:
        raise web.HTTPBadRequest from error
    if not text:
        raise web.HTTPBadRequest
    # curl sends `-d mysecret` as a form, though it is meant as text.
    name = text.removesuffix("=")
    return unquote_plus(name) if request.content_type == FORM and "=" not in name else text

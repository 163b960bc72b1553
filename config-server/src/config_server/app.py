"""The web application of the config server."""

from aiohttp import web

from config_server.cipher import Cipher
from config_server.configurations import Configurations
from config_server.http.api import ConfigApi
from config_server.http.encryption_api import EncryptionApi
from config_server.http.errors import errors_as_boot_tells_them
from config_server.model import Backend
from config_server.notify.watch import Changed, to_the_log


def create_app(
    backend: Backend,
    cipher: Cipher | None = None,
    changed: Changed = to_the_log,
    decrypts: bool = True,
) -> web.Application:
    app = web.Application(middlewares=[errors_as_boot_tells_them])
    app.add_routes(EncryptionApi(cipher).routes())
    app.add_routes(ConfigApi(Configurations(backend, cipher, decrypts), changed).routes())
    return app

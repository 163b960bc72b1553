"""The web application of the config server."""

from collections.abc import Callable

from aiohttp import web

from config_server.cipher import Cipher
from config_server.configurations import Configurations
from config_server.http import welcome
from config_server.http.api import ConfigApi
from config_server.http.encryption_api import EncryptionApi
from config_server.http.errors import errors_as_spring_boot
from config_server.model import Backend
from config_server.notify.watch import OnChange, log_change


def create_app(
    backend: Backend,
    cipher: Cipher | None = None,
    on_change: OnChange = log_change,
    decrypts: bool = True,
    panel: Callable[[], str] = str,
) -> web.Application:
    """`panel` is where the page for people leads."""
    app = web.Application(middlewares=[errors_as_spring_boot])
    app.add_routes(welcome.routes(panel))
    app.add_routes(EncryptionApi(cipher).routes())
    app.add_routes(ConfigApi(Configurations(backend, cipher, decrypts), on_change).routes())
    return app

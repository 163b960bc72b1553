"""The web application of the config server, over one folder of files."""

from aiohttp import web

from config_server.api import ConfigApi, errors_as_boot_tells_them
from config_server.repository import Repository


def create_app(repository: Repository) -> web.Application:
    app = web.Application(middlewares=[errors_as_boot_tells_them])
    app.add_routes(ConfigApi(repository).routes())
    return app

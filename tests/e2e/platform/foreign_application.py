"""An application that knows nothing of this shop but the addresses of two of its servers.

Its configuration is read with spring-config-client, its lease is kept by py-eureka-client; both
come as they are.  It says its id and its configuration once it is registered, and leaves when its
input ends.
"""

import asyncio
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from py_eureka_client.eureka_client import EurekaClient
from spring_config import ClientConfigurationBuilder
from spring_config.client import SpringConfigClient

NAME = "foreign-service"


class EchoHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"path": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Its output is what it is asked for."""


def configured(config_server: str) -> dict[str, object]:
    settings = (
        ClientConfigurationBuilder()
        .address(config_server)
        .app_name(NAME)
        .profile("native")
        .branch("main")
        .build()
    )
    configuration: dict[str, object] = SpringConfigClient(settings).get_config()
    return configuration


async def live(discovery: str, config_server: str) -> None:
    configuration = configured(config_server)
    server = ThreadingHTTPServer(("127.0.0.1", 0), EchoHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = EurekaClient(
        eureka_server=discovery,
        app_name=NAME,
        instance_host="127.0.0.1",
        instance_ip="127.0.0.1",
        instance_port=server.server_port,
        renewal_interval_in_secs=1,
        duration_in_secs=3,
    )
    await client.start()
    id_ = f"127.0.0.1:{NAME}:{server.server_port}"
    print(json.dumps({"id": id_, "configuration": configuration}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await client.stop()
    server.shutdown()


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1], sys.argv[2]))

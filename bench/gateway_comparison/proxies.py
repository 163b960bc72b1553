"""The gateways that are compared, each before the same upstream."""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import ec

from bench.harness import single_process
from bench.harness.single_process import HOST, SingleProcess
from bench.harness.stack_under_test import MORE_THAN_THERE_ARE, BenchError
from chassis.discovery.client import SETTLING_SECONDS
from chassis.web.auth import ALGORITHM, AUDIENCE, ISSUER

SERVICES = ("user-service", "catalog-service")
THREADS = 32
BODY_BYTES = 200_000_000
MOST_CONNECTIONS = 2_000
RATES = "fusebox.gateway.rate-limits"
HOUR = 3600
PATIENCE_SECONDS = 10.0
NGINX = """\
worker_processes 1; daemon off; pid {folder}/pid; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream service {{ server {upstream}; keepalive 64; keepalive_requests 1000000; }}
  server {{
    listen {host}:{port};
    keepalive_requests 1000000;
    location /catalog-service/ {{
      proxy_pass http://service/;
      proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
}}
"""


@dataclass(frozen=True)
class TokenIssuer:
    """Signs the tokens of a measurement."""

    key: ec.EllipticCurvePrivateKey

    @classmethod
    def new(cls) -> "TokenIssuer":
        return cls(ec.generate_private_key(ec.SECP256R1()))

    def keys(self) -> str:
        public = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return json.dumps({"keys": [{**public, "kid": "k1", "alg": ALGORITHM, "use": "sig"}]})

    def token(self, subject: str) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": now,
            "exp": now + HOUR,
            "roles": [],
        }
        return jwt.encode(claims, self.key, algorithm=ALGORITHM, headers={"kid": "k1"})


@contextmanager
def upstream(keys: str) -> Iterator[SingleProcess]:
    port = single_process.free_port()
    command = [sys.executable, "-m", "bench.gateway_comparison.upstream", str(port), keys]
    with single_process.running(command, port) as process:
        yield process


@contextmanager
def gateway(behind: SingleProcess) -> Iterator[SingleProcess]:
    """Ours with all its rules, and a discovery from which it knows the upstream."""
    with single_process.discovery() as discovery:
        for service in SERVICES:
            _register(discovery, service, behind)
        port = single_process.free_port()
        source = _configuration(discovery)
        with single_process.ours("gateway", port, source, GATEWAY_PORT=str(port)) as process:
            _await_keys(process)
            time.sleep(SETTLING_SECONDS)  # so long it asks discovery often
            yield process


@contextmanager
def nginx(behind: SingleProcess) -> Iterator[SingleProcess | None]:
    """None where there is no program of that name."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="fusebox-nginx-") as folder:
        port, file = single_process.free_port(), Path(folder) / "nginx.conf"
        file.write_text(
            NGINX.format(folder=folder, host=HOST, port=port, upstream=f"{HOST}:{behind.port}")
        )
        with single_process.running([program, "-p", folder, "-c", str(file)], port) as process:
            yield process


@contextmanager
def flask(behind: SingleProcess) -> Iterator[SingleProcess]:
    port = single_process.free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "bench.gateway_comparison.flask_proxy:create_app()",
    ]
    command += ["-k", "gthread", "--threads", str(THREADS), "-w", "1", "--keep-alive", "75"]
    command += ["-b", f"{HOST}:{port}"]
    with single_process.running(command, port, {"UPSTREAM": behind.url}) as process:
        yield process


def _configuration(discovery: SingleProcess) -> dict[str, object]:
    routes = "spring.cloud.gateway.routes"
    configuration: dict[str, object] = {
        "eureka.client.service-url.defaultZone": f"{discovery.url}/eureka/",
        "management.tracing.sampling.probability": 0,
        "fusebox.gateway.max-body-bytes": BODY_BYTES,
        "fusebox.gateway.max-connections-per-client": MOST_CONNECTIONS,
        f"{RATES}.login.predicates[0]": "Path=/user-service/login",
        "fusebox.gateway.blocked[0].id": "scrapers",
        "fusebox.gateway.blocked[0].predicates[0]": "Header=User-Agent, .*Bot.*",
    }
    for policy, key in (("client", "address"), ("user", "user"), ("login", "address")):
        configuration |= {
            f"{RATES}.{policy}.key-resolver": key,
            f"{RATES}.{policy}.replenish-rate": MORE_THAN_THERE_ARE,
            f"{RATES}.{policy}.burst-capacity": MORE_THAN_THERE_ARE,
        }
    for number, service in enumerate(SERVICES):
        route = f"{routes}[{number}]"
        configuration |= {
            f"{route}.id": service,
            f"{route}.uri": f"lb://{service}",
            f"{route}.predicates[0]": f"Path=/{service}/**",
            f"{route}.filters[0]": "StripPrefix=1",
        }
    return configuration


def _register(discovery: SingleProcess, service: str, behind: SingleProcess) -> None:
    instance = {
        "instanceId": f"{service}-1",
        "hostName": HOST,
        "app": service.upper(),
        "ipAddr": HOST,
        "status": "UP",
        "vipAddress": service,
        "port": {"$": behind.port, "@enabled": "true"},
        "dataCenterInfo": {"name": "MyOwn"},
        "leaseInfo": {"renewalIntervalInSecs": HOUR, "durationInSecs": HOUR},
    }
    address = f"{discovery.url}/eureka/apps/{service.upper()}"
    headers = single_process.of_service(service)
    answer = requests.post(address, json={"instance": instance}, headers=headers, timeout=5)
    answer.raise_for_status()


def _await_keys(gateway: SingleProcess) -> None:
    """Without the keys the gateway could check no token."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        health = requests.get(f"{gateway.url}/actuator/health", timeout=5).json()
        if health["components"]["tokens"]["details"]["keys"]:
            return
        time.sleep(0.1)
    raise BenchError("The gateway has fetched no public keys.")

"""The environment of a process: names, folders, and where its configuration comes from."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from chassis.core import secrecy

# Nobody can be called there.
WILDCARDS = ("0.0.0.0", "::", "")


@dataclass(frozen=True)
class Environment:
    """`bind` is where this process listens, `address` where others reach it."""

    service: str
    instance: str
    bind: str
    address: str
    profile: str
    config_server: str
    secrets: Path
    state: Path
    variables: Mapping[str, str]

    @classmethod
    def read(cls, service: str, variables: Mapping[str, str] = os.environ) -> "Environment":
        bind = variables.get("FUSEBOX_BIND", "127.0.0.1")
        return cls(
            service=service,
            instance=variables.get("FUSEBOX_INSTANCE", f"{service}-1"),
            bind=bind,
            address=variables.get("FUSEBOX_ADDRESS") or _reachable(bind),
            profile=variables.get("FUSEBOX_PROFILE", "default"),
            config_server=variables.get("CONFIG_SERVER_URL", "http://127.0.0.1:8888").rstrip("/"),
            secrets=Path(variables.get("FUSEBOX_SECRETS", ".fusebox/secrets")),
            state=Path(variables.get("FUSEBOX_STATE", ".fusebox/state")),
            variables=dict(variables),
        )

    @property
    def version(self) -> str:
        """FUSEBOX_VERSION, else that of the installed distribution."""
        return self.variables.get("FUSEBOX_VERSION") or metadata.version(self.service)

    @property
    def is_canary(self) -> bool:
        return self.variables.get("FUSEBOX_CANARY") == "true"

    def secret(self, name: str) -> str:
        """The content of the secret file `name`; FileNotFoundError when it was never made."""
        return secrecy.remember((self.secrets / name).read_text().strip())


def _reachable(bind: str) -> str:
    return "127.0.0.1" if bind in WILDCARDS else bind

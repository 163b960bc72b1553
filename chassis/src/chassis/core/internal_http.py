"""Sessions for calls between the shop's own processes, which no proxy stands between."""

import requests

# Of calls that come once a second, from everywhere: as many traces would hide all others.  The
# called process keeps those that fail or are slow.
UNSAMPLED = {"b3": "0"}


def internal_session() -> requests.Session:
    """It takes neither a proxy nor anything else from the environment, which is meant for calls to
    the outside: a proxy that is asked for 127.0.0.1 refuses, or calls its own.
    """
    session = requests.Session()
    session.trust_env = False
    return session

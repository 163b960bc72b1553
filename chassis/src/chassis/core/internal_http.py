"""Sessions for calls between the shop's own processes, which no proxy stands between."""

import requests


def internal_session() -> requests.Session:
    """It takes neither a proxy nor anything else from the environment, which is meant for calls to
    the outside: a proxy that is asked for 127.0.0.1 refuses, or calls its own.
    """
    session = requests.Session()
    session.trust_env = False
    return session

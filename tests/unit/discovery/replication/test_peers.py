"""Which of the configured addresses are other replicas."""

import pytest

from discovery.replication import peers
from discovery.settings import EurekaWithServer


def test_the_list_of_replicas_is_separated_by_commas_and_has_each_once() -> None:
    addresses = peers.parse_addresses(" http://a:1/eureka/, http://b:2/eureka,,http://a:1/eureka")

    assert addresses == ["http://a:1/eureka/", "http://b:2/eureka/"]


@pytest.mark.parametrize(
    ("address", "bind", "own"),
    [
        ("http://127.0.0.1:8761/eureka/", "127.0.0.1", True),
        ("http://localhost:8761/eureka/", "127.0.0.1", True),
        ("http://127.0.0.1:8761/eureka/", "0.0.0.0", True),
        ("http://127.0.0.1:8762/eureka/", "127.0.0.1", False),
        ("http://127.0.0.2:8761/eureka/", "127.0.0.1", False),
        ("http://192.0.2.1:8761/eureka/", "0.0.0.0", False),
        ("http://no-such-name.invalid:8761/eureka/", "127.0.0.1", False),
        ("http://127.0.0.1:port/eureka/", "127.0.0.1", False),
    ],
)
def test_an_address_of_this_process_is_not_another_replica(
    address: str, bind: str, own: bool
) -> None:
    assert peers.is_own(address, bind, 8761) == own


def test_settings_have_netflixs_names() -> None:
    eureka = EurekaWithServer.model_validate(
        {
            "client": {"service-url": {"defaultZone": "http://a:1/eureka/"}},
            "server": {
                "enable-self-preservation": False,
                "renewal-percent-threshold": 0.5,
                "registry-sync-retry-wait-ms": 250,
            },
        }
    )

    assert eureka.lease_rules().renewal_threshold is None
    assert eureka.peer_settings().default_zone == "http://a:1/eureka/"
    assert eureka.peer_settings().retry_seconds == 0.25
    assert EurekaWithServer().lease_rules().renewal_threshold == 0.85

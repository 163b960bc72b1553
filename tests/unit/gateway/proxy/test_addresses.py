"""No address of an instance leaves the gateway, however it is written and in whatever header."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chassis.discovery.instances import Instance
from gateway.http.header_fields import HeaderFields
from gateway.proxy import headers

V4 = Instance("i", "order-service", "10.0.0.7", 8080, host_name="Worker-7.internal")
V6 = Instance("i", "order-service", "2001:db8::7", 8080)
PLAIN = Instance("i", "order-service", "10.0.0.7", 80, host_name="worker")


def shown(
    value: str, instance: Instance = V4, prefix: str = "/order-service", name: str = "Location"
) -> str:
    given = HeaderFields.of([(name, value)])
    passed = headers.to_client(given, instance, prefix, "order-service")
    return dict(passed)[name]


@pytest.mark.parametrize(
    ("value", "outside"),
    [
        ("http://10.0.0.7:8080/u/orders/", "/order-service/u/orders/"),
        ("http://10.0.0.7:8080", "/order-service/"),
        ("http://10.0.0.7:8080?a=b", "/order-service/?a=b"),
        ("http://10.0.0.7:8080#f", "/order-service/#f"),
        ("HTTP://10.0.0.7:8080/x", "/order-service/x"),
        ("https://10.0.0.7:8080/x", "/order-service/x"),
        ("//10.0.0.7:8080/x", "/order-service/x"),
        ("http://worker-7.internal:8080/x", "/order-service/x"),
        ("http://WORKER-7.INTERNAL.:8080/x", "/order-service/x"),
        ("http://u:secret@10.0.0.7:8080/x", "/order-service/x"),
        ("http://10.0.0.7:08080/x", "/order-service/x"),
        ("http://[::ffff:10.0.0.7]:8080/x", "/order-service/x"),
        ("ws://10.0.0.7:8080/x", "/order-service/x"),
        ("10.0.0.7:8080", "order-service"),
    ],
)
def test_an_address_of_the_instance_becomes_a_path_of_the_gateways(
    value: str, outside: str
) -> None:
    assert shown(value) == outside


@pytest.mark.parametrize(
    "value",
    [
        "http://[2001:db8::7]:8080/x",
        "http://[2001:DB8:0:0:0:0:0:7]:8080/x",
        "http://[2001:db8::7%25eth0]:8080/x",
        "//[2001:db8::0007]:8080/x",
    ],
)
def test_an_ipv6_address_is_known_in_every_spelling(value: str) -> None:
    assert shown(value, V6) == "/order-service/x"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1"])
def test_an_instance_on_the_gateways_own_machine_may_call_itself_localhost(host: str) -> None:
    instance = Instance("i", "order-service", host, 8080)

    assert shown("http://LocalHost:8080/x", instance) == "/order-service/x"
    assert shown("http://localhost:8000/x", instance) == "http://localhost:8000/x"


@pytest.mark.parametrize("value", ["http://worker/x", "//10.0.0.7/x", "http://worker:/x"])
def test_a_port_may_be_left_out_where_it_is_the_usual_one(value: str) -> None:
    assert shown(value, PLAIN) == "/order-service/x"


@pytest.mark.parametrize(
    "value",
    [
        "https://example.org/x",
        "http://10.0.0.7:80801/x",
        "http://10.0.0.77:8080/x",
        "http://110.0.0.7:8080/x",
        "http://10.0.0.7:8080.example.org/x",
        "http://10.0.0.7:8080@example.org/x",
        "http://my-worker-7.internal:8080/x",
        "http://worker-7.internal.example.org:8080/x",
        "http://[::1]:8080/x",
        "/u/orders/10.0.0.7",
        "/x//y",
        "http://",
        "http://[",
    ],
)
def test_what_is_no_address_of_the_instance_stays_as_it_is(value: str) -> None:
    assert shown(value) == value
    assert shown("https://10.0.0.7/x", PLAIN) == "https://10.0.0.7/x"


@pytest.mark.parametrize(
    ("name", "value", "outside"),
    [
        ("Content-Location", "http://10.0.0.7:8080/a", "/order-service/a"),
        (
            "Link",
            '<http://10.0.0.7:8080/a?b>; rel="next", <//worker-7.internal:8080>; rel=first,'
            ' <https://example.org/>; anchor="http://10.0.0.7:8080/c"',
            '</order-service/a?b>; rel="next", </order-service/>; rel=first,'
            ' <https://example.org/>; anchor="/order-service/c"',
        ),
        ("Refresh", "5; url=http://10.0.0.7:8080/a", "5; url=/order-service/a"),
        ("Refresh", "5;URL='HTTP://10.0.0.7:8080'", "5;URL='/order-service/'"),
        ("X-Original-Url", "http://10.0.0.7:8080/a", "/order-service/a"),
        ("Reporting-Endpoints", 'a="http://10.0.0.7:8080/r"', 'a="/order-service/r"'),
        ("Via", "1.1 10.0.0.7:8080, 1.0 fred", "1.1 order-service, 1.0 fred"),
        ("Set-Cookie", "a=1; Domain=10.0.0.7; Path=/", "a=1; Path=/"),
        ("set-cookie", "a=1;domain=.worker-7.Internal", "a=1"),
        ("Set-Cookie", "a=1; Domain=example.org", "a=1; Domain=example.org"),
    ],
)
def test_every_header_that_carries_one_is_looked_at(name: str, value: str, outside: str) -> None:
    assert shown(value, name=name) == outside


@pytest.mark.parametrize("rest", ["//example.org/x", "/\\example.org/x"])
def test_a_path_does_not_become_another_host(rest: str) -> None:
    assert shown(f"http://10.0.0.7:8080{rest}", prefix="") == f"/.{rest}"
    assert shown("http://10.0.0.7:8080/x", prefix="") == "/x"


def test_where_else_the_instance_could_be_called_is_not_told() -> None:
    given = HeaderFields.of([("Alt-Svc", 'h2=":8443", h3="10.0.0.7:9443"')])

    assert list(headers.to_client(given, V4, "", "order-service")) == []


@given(
    some.sampled_from(["http:", "HTTPS:", "ws:", ""]),
    some.sampled_from(["", "u@", "u:p@"]),
    some.sampled_from(["10.0.0.7", "worker-7.internal", "Worker-7.INTERNAL."]),
    some.text(alphabet="abc/?#=&.", max_size=20),
    some.sampled_from(["{}", "<{}>; rel=x", "1;url={}", 'a="{}"', "x, {}"]),
)
def test_no_way_to_write_an_address_goes_by(
    scheme: str, user: str, host: str, path: str, around: str
) -> None:
    path = path if path[:1] in ("/", "?", "#") else ""

    said = shown(around.format(f"{scheme}//{user}{host}:8080{path}"))

    assert "8080" not in said
    assert around.partition("{")[0] + "/order-service/" in said


@given(some.text(alphabet="/:@[]%<>\"' .h0t17p\\", max_size=60))
def test_any_value_can_be_looked_at(value: str) -> None:
    shown(value)

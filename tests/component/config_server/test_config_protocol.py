"""The config server's answers over HTTP, compared with answers of Spring's server."""

import logging
from datetime import datetime
from typing import Any

import pytest

V2 = "application/vnd.spring-cloud.config-server.v2+json"


def test_an_application_and_its_profile_are_served_in_order_of_precedence(server: Any) -> None:
    for name in ("application", "application-dev", "probe", "probe-dev"):
        server.write(f"{name}.yml", f"probe:\n  level: {name}\n")

    answer = server.get("/probe/dev")
    document = answer.json()

    assert answer.headers["Content-Type"] == "application/json"
    sources = document.pop("propertySources")
    assert document == {
        "name": "probe",
        "profiles": ["dev"],
        "label": None,
        "version": None,
        "state": None,
    }
    assert [source["source"]["probe.level"] for source in sources] == [
        "probe-dev",
        "application-dev",
        "probe",
        "application",
    ]
    assert sources[0]["name"] == f"file:{server.folder}/probe-dev.yml"


def test_the_last_of_several_profiles_comes_first(server: Any) -> None:
    for name in ("application-a", "probe-a", "application-b", "probe-b"):
        server.write(f"{name}.yml", f"from: {name}\n")

    document = server.get("/probe/a,b").json()

    assert document["profiles"] == ["a,b"]
    assert [source["source"]["from"] for source in document["propertySources"]] == [
        "probe-b",
        "application-b",
        "probe-a",
        "application-a",
    ]


def test_spring_s_client_gets_its_own_type_with_the_origin_of_each_value(server: Any) -> None:
    server.write("probe.yml", "probe:\n  level: x\n  number: 3\n")

    answer = server.get("/probe/dev", Accept=V2)

    assert answer.headers["Content-Type"] == V2
    assert answer.json()["propertySources"][0]["source"] == {
        "probe.level": {"value": "x", "origin": "2:10"},
        "probe.number": {"value": 3, "origin": "3:11"},
    }


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (f"{V2}, application/json", V2),
        ("text/html, application/json;q=0.9", "application/json"),
    ],
)
def test_the_content_type_follows_accept(server: Any, accept: str, expected: str) -> None:
    assert server.get("/probe/dev", Accept=accept).headers["Content-Type"] == expected


def test_xml_is_answered_406(server: Any) -> None:
    answer = server.get("/probe/dev", Accept="application/xml")

    assert (answer.status_code, answer.content) == (406, b"")


def test_a_label_is_returned_with_its_slashes(server: Any) -> None:
    assert server.get("/probe/dev/main").json()["label"] == "main"
    assert server.get("/probe/dev/feature(_)x").json()["label"] == "feature/x"


def test_an_unknown_application_gets_the_shared_configuration(server: Any) -> None:
    assert server.sources("/nobody/dev") == []
    server.write("application.yml", "a: 1\n")

    assert [source["source"] for source in server.sources("/nobody/dev")] == [{"a": 1}]


def test_placeholders_stay_in_property_sources_and_are_filled_in_merged_documents(
    server: Any,
) -> None:
    server.write("application.yml", "host: example\nport: ${PORT:8000}\n")
    server.write("probe.yml", "url: http://${host}:${port}/${unknown}\n")

    raw = {
        key: value
        for source in server.sources("/probe/dev")
        for key, value in source["source"].items()
    }

    assert raw["url"] == "http://${host}:${port}/${unknown}"
    assert server.get("/probe-dev.yml").text == (
        "host: example\nport: 8000\nurl: http://example:8000/${unknown}\n"
    )
    assert server.get("/probe-dev.json").json()["url"] == "http://example:8000/${unknown}"
    assert server.get("/probe-dev.properties?resolvePlaceholders=false").text == (
        "host: example\nport: ${PORT:8000}\nurl: http://${host}:${port}/${unknown}"
    )


def test_properties_files_are_served_as_text_with_their_origins(server: Any) -> None:
    server.write("probe.properties", "a=1\nb: x\n")
    server.write("probe.yml", "a: 2\n")

    [properties, yml] = server.get("/probe/dev", Accept=V2).json()["propertySources"]

    assert properties["name"] == f"file:{server.folder}/probe.properties"
    assert properties["source"] == {
        "a": {"value": "1", "origin": "1:3"},
        "b": {"value": "x", "origin": "2:4"},
    }
    assert yml["source"]["a"]["value"] == 2


@pytest.mark.parametrize(
    ("form", "content_type", "text"),
    [
        ("yml", "text/plain", "a:\n  b:\n  - x: 1\n  - x: true\n  c: grün\n"),
        ("yaml", "text/plain", "a:\n  b:\n  - x: 1\n  - x: true\n  c: grün\n"),
        ("properties", "text/plain", "a.b[0].x: 1\na.b[1].x: true\na.c: grün"),
        ("json", "application/json", '{"a":{"b":[{"x":1},{"x":true}],"c":"grün"}}'),
    ],
)
@pytest.mark.parametrize("label", ["", "/main"])
def test_the_merged_properties_come_in_three_forms(
    server: Any, form: str, content_type: str, text: str, label: str
) -> None:
    server.write("probe-service.yml", "a: {b: [{x: 1}, {x: true}], c: grün}\n")

    answer = server.get(f"{label}/probe-service-dev.{form}")

    assert answer.headers["Content-Type"] == content_type
    assert answer.content.decode() == text


@pytest.mark.parametrize(("form", "text"), [("yml", "{}\n"), ("properties", ""), ("json", "{}")])
def test_a_query_without_properties_gets_an_empty_document(
    server: Any, form: str, text: str
) -> None:
    answer = server.get(f"/probe-dev.{form}")

    assert (answer.status_code, answer.text) == (200, text)


@pytest.mark.parametrize(
    "path", ["/", "/probe", "/probe.yml", "/probe-dev.txt", "/a//c", "/a/b/c//etc/passwd"]
)
def test_an_unknown_path_is_answered_404_in_the_format_of_spring_boot(
    server: Any, path: str
) -> None:
    answer = server.get(path)
    document = answer.json()

    assert answer.status_code == 404
    assert datetime.fromisoformat(document.pop("timestamp")).tzinfo
    assert document == {"status": 404, "error": "Not Found", "path": path}


@pytest.mark.parametrize(
    "path",
    [
        "/../etc/passwd",
        "/probe/dev/..",
        "/probe/%2e%2e",
        "/probe/%252e%252e",
        "/probe%2fdev/x",
        "/probe/dev%252Fx",
        "/probe/dev/a(_)..",
        "/probe\\x/dev",
        "/probe/%00",
        "/probe/dev/main/%2e%2e/x",
        "/probe/dev/main/%25252e%25252e/x",
        "/probe/dev/main/x%00.conf",
        "/probe/dev/main/%2e",
        f"/{','.join(map(str, range(100)))}/{','.join(map(str, range(100)))}",
        "/probe/dev/%2fetc/passwd",
        "/probe/dev/..?useDefaultLabel",
    ],
)
def test_a_path_that_leads_out_of_the_folder_is_rejected(server: Any, path: str) -> None:
    assert server.status_of_raw(path) == 400


def test_after_a_rejected_request_the_connection_goes_on_working(server: Any) -> None:
    assert server.get("/probe/%2fdev").status_code == 400
    assert server.get("/probe/dev").status_code == 200


def test_a_very_long_name_is_just_an_unknown_application(server: Any) -> None:
    assert server.sources(f"/{'x' * 1000}/dev") == []


def test_another_verb_is_answered_405_with_allow(server: Any) -> None:
    answer = server.call("POST", "/probe/dev")

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert answer.json()["error"] == "Method Not Allowed"


def test_a_broken_file_is_reported_with_its_line_and_affects_no_other_application(
    server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server.write("probe.yml", "a: 1\nc: 2\nb: c: d\n")

    with caplog.at_level(logging.ERROR):
        answer = server.get("/probe/dev")

    assert answer.status_code == 500
    assert "probe.yml, line 3" in answer.json()["message"]
    assert "probe.yml, line 3" in caplog.text
    assert server.get("/other/dev").status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "a: 2\n  b: 3\n",
        "a: !!python/object/apply:os.system [ls]\n",
        "a: &a [*a, *a]\n",
        "a: " + "x" * 10_000_000,
        "spring.config.activate.on-profile: '('\n",
    ],
)
def test_the_old_version_of_a_broken_file_is_served(server: Any, text: str) -> None:
    server.write("probe.yml", "a: 1\n")
    before = server.sources("/probe/dev")

    server.write("probe.yml", text)
    assert server.sources("/probe/dev") == before

    server.write("probe.yml", "a: 2\n")
    assert server.sources("/probe/dev")[0]["source"] == {"a": 2}


def test_a_missing_folder_is_answered_503(server: Any) -> None:
    server.folder.rmdir()

    answer = server.get("/probe/dev")

    assert answer.status_code == 503
    assert "is gone" in answer.json()["message"]


def test_an_edited_file_is_served_from_the_next_request_on(server: Any) -> None:
    server.write("probe.yml", "a: 1\n")
    before = server.sources("/probe/dev")[0]["source"]

    server.write("probe.yml", "a: 22\n")
    after = server.sources("/probe/dev")[0]["source"]
    (server.folder / "probe.yml").unlink()

    assert (before, after) == ({"a": 1}, {"a": 22})
    assert server.sources("/probe/dev") == []


def test_a_browser_gets_a_page_with_links_at_the_root_and_others_what_spring_s_says(
    server: Any,
) -> None:
    page = server.get("/", Accept="text/html,application/xhtml+xml,*/*;q=0.8")

    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert '<a href="/order-service/default">' in page.text
    for accept in ("*/*", "application/json"):
        other = server.get("/", Accept=accept)
        assert (other.status_code, other.headers["Content-Type"]) == (404, "application/json")

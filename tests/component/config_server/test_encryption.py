"""`{cipher}` values and the pages beside them, held against what the real server answers."""

from typing import Any

import pytest

from config_server.backends.folder import FolderBackend
from config_server.cipher import Cipher

from .conftest import KEY, served

SECRET = "301d8c1c271a5ad85a92bcc53be169a2f68dbaace5b9ae990f7991a1f3cd7542"
PLAIN = "text/plain;charset=UTF-8"


def test_with_a_key_the_status_is_ok(server_with_key: Any) -> None:
    answer = server_with_key.get("/encrypt/status")

    assert (answer.status_code, answer.text) == (200, '{"status":"OK"}')
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", ["", "/probe/dev"])
@pytest.mark.parametrize("text", ["secret", "mysecret=1", "héllo wörld ✓", " a b ", "a="])
def test_an_encrypted_text_is_decrypted_again(server_with_key: Any, path: str, text: str) -> None:
    encrypted = server_with_key.post(f"/encrypt{path}", text.encode())
    decrypted = server_with_key.post(f"/decrypt{path}", encrypted.content)

    assert (encrypted.status_code, encrypted.headers["Content-Type"]) == (200, PLAIN)
    assert bytes.fromhex(encrypted.text)
    assert decrypted.headers["Content-Type"] == PLAIN
    assert decrypted.content.decode() == text


@pytest.mark.parametrize(
    ("sent", "meant"), [("mysecret", "mysecret"), ("a%20b=", "a b"), ("k=v", "k=v")]
)
def test_a_text_that_curl_sends_as_a_form_is_accepted(
    server_with_key: Any, sent: str, meant: str
) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    encrypted = server_with_key.post("/encrypt", sent, **form).text

    assert server_with_key.post("/decrypt", encrypted, **form).text == meant


@pytest.mark.parametrize(
    "prefix", ["{key:x}", "{name:x}", "{name:x}{key:y}", "{key:}", "{key:a}{key:b}", "{plain}"]
)
def test_a_prefix_that_chooses_a_key_is_accepted(server_with_key: Any, prefix: str) -> None:
    encrypted = server_with_key.post("/encrypt", f"{prefix}hello").text

    assert server_with_key.post("/decrypt", f"{prefix}{SECRET}").text == "secret"
    assert server_with_key.post("/decrypt", encrypted).text == "hello"
    server_with_key.write("probe.yml", f"a: '{{cipher}}{prefix}{SECRET}'\n")
    assert server_with_key.sources("/probe/dev")[0]["source"] == {"a": "secret"}


def test_the_prefix_of_a_key_is_returned_with_the_cipher(server_with_key: Any) -> None:
    assert server_with_key.post("/encrypt", "{key:x}hello").text.startswith("{key:x}")


@pytest.mark.parametrize(
    ("charset", "codec"),
    [("ISO-8859-1", "latin-1"), ("UTF-16", "utf-16"), ("windows-1252", "cp1252")],
)
def test_the_charset_of_a_request_is_heeded(server_with_key: Any, charset: str, codec: str) -> None:
    typed = {"Content-Type": f"text/plain;charset={charset}"}

    encrypted = server_with_key.post("/encrypt", "héllo".encode(codec), **typed)

    assert server_with_key.post("/decrypt", encrypted.content).content.decode() == "héllo"


def test_an_unknown_charset_is_answered_415(server_with_key: Any) -> None:
    answer = server_with_key.post("/encrypt", b"x", **{"Content-Type": "text/plain;charset=foo"})

    assert answer.status_code == 415


def test_a_text_without_a_content_type_is_accepted(server_with_key: Any) -> None:
    answer = server_with_key.call("POST", "/decrypt", SECRET, **{"Content-Type": None})

    assert answer.text == "secret"


@pytest.mark.parametrize("text", ["x", f"{{cipher}}{SECRET}", SECRET[:-2], "00" * 32])
def test_decryption_of_a_text_of_another_key_is_answered_400(
    server_with_key: Any, text: str
) -> None:
    answer = server_with_key.post("/decrypt", text)

    assert answer.status_code == 400
    assert answer.json() == {"description": "Text not encrypted with this key", "status": "INVALID"}


@pytest.mark.parametrize("path", ["/encrypt", "/decrypt"])
@pytest.mark.parametrize("body", [b"", b"\xff"])
def test_an_empty_body_and_bytes_that_are_not_text_are_rejected(
    server_with_key: Any, path: str, body: bytes
) -> None:
    assert server_with_key.post(path, body).status_code == 400


@pytest.mark.parametrize("path", ["/encrypt", "/decrypt"])
def test_a_text_of_ten_megabytes_is_rejected(server_with_key: Any, path: str) -> None:
    assert server_with_key.post(path, b"0" * 10_000_000).status_code == 413
    assert server_with_key.get("/encrypt/status").status_code == 200


@pytest.mark.parametrize("path", ["/encrypt", "/decrypt", "/monitor"])
def test_encrypt_decrypt_and_monitor_answer_405_to_get(server_with_key: Any, path: str) -> None:
    answer = server_with_key.get(path)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/key", "/key/probe/dev"])
def test_there_is_no_public_key(server_with_key: Any, path: str) -> None:
    answer = server_with_key.get(path)

    assert answer.status_code == 404
    assert answer.json() == {"description": "No public key available", "status": "NOT_FOUND"}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/encrypt/status"), ("POST", "/encrypt"), ("POST", "/decrypt")]
)
def test_encryption_without_a_key_is_answered_404(server: Any, method: str, path: str) -> None:
    answer = server.call(method, path, "x")

    assert answer.status_code == 404
    assert answer.json()["status"] == "NO_KEY"


def test_values_are_served_decrypted_in_every_form(server_with_key: Any) -> None:
    server_with_key.write("probe.yml", f"good: '{{cipher}}{SECRET}'\nbad: '{{cipher}}beef'\n")
    server_with_key.write("x.conf", "${good}")
    expected = {"good": "secret", "invalid.bad": "<n/a>"}

    assert server_with_key.sources("/probe/dev")[0]["source"] == expected
    assert server_with_key.get("/probe-dev.properties").text == "good: secret\ninvalid.bad: <n/a>"
    assert server_with_key.get("/probe-dev.json").json() == {
        "good": "secret",
        "invalid": {"bad": "<n/a>"},
    }
    assert server_with_key.get("/probe/dev/main/x.conf").text == "secret"


def test_decryption_can_be_left_to_the_client(tmp_path: Any) -> None:
    (tmp_path / "probe.properties").write_text(f"a={{cipher}}{SECRET}\n")
    with served(tmp_path, FolderBackend(tmp_path), Cipher(KEY), decrypts=False) as server:
        assert server.sources("/probe/dev")[0]["source"] == {"a": f"{{cipher}}{SECRET}"}


def test_the_key_itself_is_never_served(server_with_key: Any) -> None:
    server_with_key.write("application.yml", f"encrypt: {{key: {KEY}, salt: dead}}\na: 1\n")

    assert server_with_key.sources("/probe/dev")[0]["source"] == {"a": 1}
    for form in ("yml", "json", "properties"):
        assert KEY not in server_with_key.get(f"/probe-dev.{form}").text

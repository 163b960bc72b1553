"""The audit of the lock: what an advisory service says decides, and its absence is only said."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from fusebox.supply_chain import vulnerabilities
from fusebox.supply_chain.pins import LOCK, pinned

NOBODY = "http://127.0.0.1:9"


@contextmanager
def advisory_service(affected: dict[str, list[str]], status: int = 200) -> Iterator[str]:
    """Speaks OSV's /v1/querybatch, two pages for a package with more than one advisory."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps({"results": [result(query) for query in asked["queries"]]}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    def result(query: dict[str, Any]) -> dict[str, Any]:
        assert query["package"]["ecosystem"] == "PyPI"
        ids = affected.get(query["package"]["name"], [])
        if not ids:
            return {}
        if "page_token" in query:
            return {"vulns": [{"id": name} for name in ids[1:]]}
        more = {"next_page_token": "more"} if len(ids) > 1 else {}
        return {"vulns": [{"id": ids[0]}], **more}

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_every_package_of_the_lock_is_asked_for_and_advisories_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with advisory_service({"flask": ["GHSA-1", "PYSEC-2"]}) as url:
        monkeypatch.setenv("OSV_URL", url)
        with pytest.raises(SystemExit) as failed:
            vulnerabilities.main()

    assert "1 of " in str(failed.value.code)
    printed = capsys.readouterr().out
    assert printed.startswith("flask ")
    assert "https://osv.dev/vulnerability/GHSA-1" in printed
    assert "https://osv.dev/vulnerability/PYSEC-2" in printed


def test_an_advisory_that_does_not_concern_the_shop_is_accepted_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(vulnerabilities.ACCEPTED, "GHSA-1", "only its command line is concerned")
    with advisory_service({"flask": ["GHSA-1"]}) as url:
        monkeypatch.setenv("OSV_URL", url)
        vulnerabilities.main()

    assert capsys.readouterr().out.startswith("No advisory concerns one of the ")


@pytest.mark.parametrize("url", [NOBODY, "not a url", ""])
def test_without_a_network_it_says_so_and_does_not_fail(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OSV_URL", url)

    vulnerabilities.main()

    assert capsys.readouterr().out.startswith("The packages were not audited: ")


def test_a_service_that_is_broken_has_audited_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with advisory_service({"flask": ["GHSA-1"]}, status=503) as url:
        monkeypatch.setenv("OSV_URL", url)
        vulnerabilities.main()

    assert "were not audited" in capsys.readouterr().out


def test_the_pins_of_the_lock_are_all_read() -> None:
    text = LOCK.read_text()
    pins = pinned(text)

    assert len(pins) == sum(1 for line in text.splitlines() if line[:1].isalnum())
    assert len({pin.name for pin in pins}) == len(pins)
    assert [pin.marker for pin in pins if pin.name == "colorama"] == ["sys_platform == 'win32'"]

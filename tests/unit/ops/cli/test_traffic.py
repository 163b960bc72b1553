"""The verb `traffic`: lines while it runs, and a summary in the end."""

import time
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from fusebox.cli import traffic as verb
from fusebox.cli.main import cli
from fusebox.core.errors import Fault
from fusebox.core.stack import Stack

from ..fake_shop import FakeShop


@pytest.fixture
def fake_shop(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> Iterator[FakeShop]:
    with FakeShop.opened(stocks={"CATALOG-0001": 9}) as shop:
        port = int(shop.gateway.rpartition(":")[2])
        monkeypatch.setenv("FUSEBOX_HOME", str(stack.home))
        monkeypatch.setattr(Stack, "port", lambda _self, _name: port)
        monkeypatch.setattr(verb, "PLAIN_LINE_SECONDS", 0.2)
        yield shop


def traffic(*options: str) -> Result:
    return CliRunner().invoke(cli, ["traffic", *options])


def test_it_shows_a_line_after_another_and_a_summary(fake_shop: FakeShop) -> None:
    done = traffic("--rate", "40", "--seconds", "0.5")

    assert done.exit_code == 0, done.output
    first, *lines, summary = done.stdout.splitlines()
    assert first == "80 customers, 40 requests a second; Ctrl-C ends it."
    assert len(lines) == 3
    assert all(" degraded 0  failed 0  p95 " in line for line in lines)
    assert " requests in " in summary
    assert fake_shop.stocks == {"CATALOG-0001": 9}
    assert "\x1b" not in done.stdout


def test_ctrl_c_ends_it_with_a_summary_and_0(
    monkeypatch: pytest.MonkeyPatch, fake_shop: FakeShop
) -> None:
    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupted)

    done = traffic()

    assert done.exit_code == 0, done.output
    assert "p50" in done.stdout.splitlines()[-1]


def test_when_the_shop_is_down_it_says_how_to_start_it(
    monkeypatch: pytest.MonkeyPatch, fake_shop: FakeShop
) -> None:
    monkeypatch.setattr(Stack, "port", lambda _self, _name: 1)

    failure = traffic().exception

    assert isinstance(failure, Fault)
    assert "`make up` starts the shop" in failure.remedy


def test_with_everything_sold_out_it_says_so(fake_shop: FakeShop) -> None:
    fake_shop.stocks["CATALOG-0001"] = 0

    failure = traffic().exception

    assert isinstance(failure, Fault)
    assert failure.what == "every product is sold out"

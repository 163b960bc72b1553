"""An operation shows its steps beside what programs read of it."""

import pytest

from fusebox.core import progress
from fusebox.runtime import stopper

from ..fake_supervisor import ShopWithFakes


def test_steps_are_shown_on_the_error_stream_with_their_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress.shown(), progress.step("start order-service-2"):
        pass

    written = capsys.readouterr()
    assert written.out == ""
    assert "start order-service-2" in written.err
    assert " s" in written.err


def test_without_an_audience_an_operation_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.shown():
        pass
    with progress.step("stop order-service-2"):
        pass

    assert capsys.readouterr() == ("", "")


def test_a_step_that_fails_is_not_shown_as_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), progress.shown(), progress.step("stop order-service-2"):
        raise ZeroDivisionError

    assert "stop order-service-2" not in capsys.readouterr().err


def test_whoever_ends_instances_shows_it(
    shop: ShopWithFakes, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor = shop.with_("order-service-1", "order-service-2")

    with progress.shown():
        stopper.stop(supervisor, ["order-service-2"])

    assert "stop order-service-2" in capsys.readouterr().err

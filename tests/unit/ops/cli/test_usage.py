"""What is typed wrongly is refused in one form: the variable, its value, what is allowed."""

from contextlib import suppress

import pytest
from click import UsageError
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from fusebox.cli.main import cli
from fusebox.cli.usage import EXAMPLES, DecimalNumber, WholeNumber, usage_fault
from fusebox.core.errors import Fault
from fusebox.core.stack import Stack


@pytest.fixture(autouse=True)
def _no_shop(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> None:
    monkeypatch.setenv("FUSEBOX_HOME", str(stack.home))


def fault_of(*arguments: str) -> Fault:
    error = CliRunner().invoke(cli, list(arguments), standalone_mode=False).exception
    fault = usage_fault(error) if isinstance(error, UsageError) else error
    assert isinstance(fault, Fault), error
    return fault


@pytest.mark.parametrize(
    ("arguments", "variable", "value", "allowed"),
    [
        (("slow", "catalog-service", "abc"), "MS", "abc", "from 1 to 60000"),
        (("slow", "catalog-service", "-5"), "MS", "-5", "from 1 to 60000"),
        (("slow", "catalog-service", "0"), "MS", "0", "from 1 to 60000"),
        (("slow", "catalog-service", "1_0"), "MS", "1_0", "a whole number"),
        (("fail", "catalog-service", "30%"), "RATE", "30%", "from 0 to 1"),
        (("fail", "catalog-service", "nan"), "RATE", "nan", "from 0 to 1"),
        (("fail", "catalog-service", "-.5"), "RATE", "-.5", "from 0 to 1"),
        (("fail", "catalog-service", "2"), "RATE", "2", "from 0 to 1"),
        (("scale", "order-service", "two"), "N", "two", "a whole number"),
        (("canary", "catalog-service", "10%"), "WEIGHT", "10%", "from 0 to 100"),
        (("canary", "catalog-service", "101"), "WEIGHT", "101", "from 0 to 100"),
        (("kill", "catalog-service", "--instance", "0"), "INSTANCE", "0", "at least 1"),
        (("kill", "catalog-service", "--instance", "x"), "INSTANCE", "x", "at least 1"),
        (("traffic", "--rate", "fast"), "RATE", "fast", "from 0.1 to 100"),
        (("traffic", "--rate", "0"), "RATE", "0", "from 0.1 to 100"),
        (("order", "--qty", "-1"), "QTY", "-1", "at least 1"),
        (("order", "--number", "two"), "N", "two", "at least 1"),
        (("order", "--wait", "9"), "WAIT", "9", "from 0 to 8"),
    ],
)
def test_a_bad_value_is_refused_with_its_variable_what_is_allowed_and_an_example(
    arguments: tuple[str, ...], variable: str, value: str, allowed: str
) -> None:
    fault = fault_of(*arguments)

    assert fault.what.startswith(f"{variable} is {value!r}, and has to be")
    assert allowed in fault.what
    assert EXAMPLES[arguments[0]] in fault.remedy
    assert fault.exit_code == 2


@pytest.mark.parametrize("number", ["0", "-1", "17"])
def test_a_number_of_instances_that_cannot_be_is_refused_with_those_that_can(number: str) -> None:
    fault = fault_of("scale", "order-service", number)

    assert f"cannot have {number} instances" in fault.what
    assert "N=1 to N=16" in fault.remedy


@pytest.mark.parametrize(
    ("arguments", "variable"),
    [
        (("kill",), "SERVICE"),
        (("kill", ""), "SERVICE"),
        (("scale", "order-service"), "N"),
        (("scale", "order-service", ""), "N"),
    ],
)
def test_a_missing_value_is_named_with_an_example(
    arguments: tuple[str, ...], variable: str
) -> None:
    fault = fault_of(*arguments)

    assert fault.what == f"{variable} is missing"
    assert EXAMPLES[arguments[0]] in fault.remedy


@pytest.mark.parametrize(
    "arguments", [("demo", "--step", "12"), ("demo", "--pace", "slow"), ("order", "a", "b")]
)
def test_what_else_is_wrong_has_the_same_form(arguments: tuple[str, ...]) -> None:
    fault = fault_of(*arguments)

    assert "Usage:" not in fault.what
    assert EXAMPLES[arguments[0]] in fault.remedy


def test_a_bad_value_is_told_on_the_error_stream_with_exit_code_2() -> None:
    done = CliRunner().invoke(cli, ["slow", "catalog-service", "abc"])

    assert done.exit_code == 2
    assert done.stderr.startswith("fusebox: MS is 'abc', and has to be")
    assert done.stdout == ""


def test_a_misspelled_verb_and_option_are_suggested() -> None:
    assert "did you mean kill?" in fault_of("kil", "order-service").remedy
    assert "did you mean --instance?" in fault_of("kill", "--instanc", "1").remedy


@given(st.text() | st.from_regex(r"[-+]?[0-9]+[.eE%_]?[0-9]*"))
def test_no_text_is_taken_for_a_number_that_it_is_not(text: str) -> None:
    with suppress(UsageError):
        number = WholeNumber(1, 60_000).convert(text, None, None)
        assert 1 <= number <= 60_000
        assert text.lstrip("+0") == str(number)
    with suppress(UsageError):
        assert 0 <= DecimalNumber(0, 1).convert(text, None, None) <= 1


VERBS_OF_A_RUNNING_SHOP = [
    ("kill", "order-service"),
    ("start", "order-service"),
    ("stop", "order-service"),
    ("scale", "order-service", "2"),
    ("scale", "discovery", "2"),
    ("roll", "order-service"),
    ("canary", "order-service", "10"),
    ("slow", "order-service", "10"),
    ("slow", "kafka", "10"),
    ("fail", "order-service", "1"),
    ("pause", "order-service"),
    ("heal",),
    ("set", "fusebox.breaker.fail-max", "3"),
    ("order",),
    ("dead",),
    ("replay-dead",),
    ("rotate-keys",),
    ("purge",),
    ("verify",),
]


@pytest.mark.parametrize("arguments", VERBS_OF_A_RUNNING_SHOP, ids=" ".join)
def test_a_verb_on_a_shop_that_is_down_says_so_and_how_to_start_it(
    arguments: tuple[str, ...],
) -> None:
    fault = fault_of(*arguments)

    assert fault.what == "the shop is not running"
    assert "make up" in fault.remedy


def test_without_a_terminal_nothing_is_cleaned_unless_it_is_said(stack: Stack) -> None:
    stack.make_folders()

    assert "YES=1" in fault_of("clean").remedy
    assert stack.data.is_dir()

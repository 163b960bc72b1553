"""What a process is told by whoever starts it."""

from pathlib import Path

from chassis.core.environment import Environment


def environment(state: Path, **variables: str) -> Environment:
    return Environment.read("order-service", {"FUSEBOX_STATE": str(state), **variables})


def test_placeholders_are_filled_from_the_environment_with_a_default(tmp_path: Path) -> None:
    filled = environment(tmp_path, KAFKA_PORT="19092")

    assert filled.fill("${HOST:here}:${KAFKA_PORT:9092}/${UNKNOWN}") == "here:19092/${UNKNOWN}"

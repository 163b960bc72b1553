"""The commands of the README and of docs/api.md, run as they stand there."""

import re
import subprocess
from pathlib import Path
from typing import Any

CLONE = Path(__file__).resolve().parents[3]
README = CLONE / "README.md"


def commands(page: Path) -> str:
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    return "\n".join(block for block in blocks if "MODE=docker" not in block)


def run(shop: Any, page: Path) -> str:
    """What they write, run in a shell that stops at the first one that fails."""
    done = subprocess.run(
        ["sh", "-e"],
        # The only change: this shop's port of the gateway.
        input=commands(page).replace("http://127.0.0.1:8000", shop.gateway),
        cwd=CLONE,
        env=shop.environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    return output


def test_the_commands_of_the_readme_work_as_they_stand(shop: Any) -> None:
    output = run(shop, README)

    assert re.search(r"Order 1: CONFIRMED after \d+ ms", output)
    assert re.search(r"trace: http://127.0.0.1:\d+/zipkin/traces/[0-9a-f]{32}", output)
    assert re.search(r"Order 6: PENDING after \d+ ms, degraded: catalog-service", output)
    assert "All hold." in output


def test_an_order_by_hand_works_as_it_stands(shop: Any) -> None:
    output = run(shop, CLONE / "docs" / "api.md")

    assert '"status":"CONFIRMED"' in output
    assert re.search(r"X-Trace-Url: http://127.0.0.1:\d+/zipkin/traces/[0-9a-f]{32}", output)


def test_the_folders_of_the_readme_exist() -> None:
    folders = re.findall(r"^([a-z-]+)/", README.read_text(), re.MULTILINE)

    assert "services" in folders
    assert [folder for folder in folders if not (CLONE / folder).is_dir()] == []

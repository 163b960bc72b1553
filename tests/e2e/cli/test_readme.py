"""The README's commands, run as they stand there."""

import re
import subprocess
from pathlib import Path
from typing import Any

README = Path(__file__).resolve().parents[3] / "README.md"


def test_the_commands_of_the_readme_work_as_they_stand(shop: Any) -> None:
    text = README.read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    here = [block for block in blocks if "MODE=docker" not in block]
    # The only change: this shop's port of the gateway.
    script = "\n".join(here).replace("http://127.0.0.1:8000", shop.gateway)

    done = subprocess.run(
        ["sh", "-e"],
        input=script,
        cwd=README.parent,
        env=shop.environment,
        capture_output=True,
        text=True,
        timeout=180,
    )

    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert '"status":"CONFIRMED"' in said
    assert re.search(r"X-Trace-Url: http://127.0.0.1:\d+/zipkin/traces/[0-9a-f]{32}", said)
    assert '"degraded":["catalog-service"]' in said
    assert "All hold." in said


def test_the_folders_of_the_readme_exist() -> None:
    listing = README.read_text().partition("## The folders")[2].partition("```\n")[2]
    folders = re.findall(r"^([a-z-]+)/", listing.partition("```")[0], re.MULTILINE)

    assert "services" in folders
    assert [each for each in folders if not (README.parent / each).is_dir()] == []

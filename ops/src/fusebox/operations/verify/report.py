"""How `verify` shows what it found."""

from __future__ import annotations

import json
from collections.abc import Sequence

from fusebox.operations.verify.invariants import Finding

SHOWN = 10


def as_text(findings: Sequence[Finding]) -> str:
    lines = [line for finding in findings for line in _lines(finding)]
    broken = sum(not finding.holds for finding in findings)
    verdict = f"{broken} of {len(findings)} are broken." if broken else "All hold."
    return "\n".join([*lines, verdict])


def _lines(finding: Finding) -> list[str]:
    figures = [f"{name}: {value}" for name, value in finding.figures.items()]
    rest = len(figures) - SHOWN
    mark = "holds " if finding.holds else "BROKEN"
    shown = sorted(finding.offenders)[:SHOWN]
    more = len(finding.offenders) - len(shown)
    lines = [
        f"{mark}  {finding.name}",
        f"        {', '.join(figures[:SHOWN])}" + (f", and {rest} more" if rest > 0 else ""),
        *(f"        ! {offender}" for offender in shown),
    ]
    return [*lines, f"        ! and {more} more"] if more else lines


def as_json(findings: Sequence[Finding]) -> str:
    document = {
        "holds": all(finding.holds for finding in findings),
        "invariants": [
            {
                "name": finding.name,
                "holds": finding.holds,
                "figures": finding.figures,
                "offenders": sorted(finding.offenders),
            }
            for finding in findings
        ],
    }
    return json.dumps(document, indent=2)

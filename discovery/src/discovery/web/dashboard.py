"""The page at `/`: registered instances, state of the replicas, latest events."""

import time
from collections.abc import Callable, Iterable
from html import escape
from itertools import islice

from aiohttp import web

from chassis.core.secrecy import masked
from chassis.web import pages
from discovery.registry.journal import JournalEntry
from discovery.registry.models import Lease, RegistryClock, by_application
from discovery.registry.registry import Registry
from discovery.replication.peer_client import Replica, Replicas

# More would take the event loop for too long, and nobody reads it.
INSTANCES_SHOWN = 500
ENTRIES_SHOWN = 20
REFRESH_SECONDS = 5

STYLE = """
.UP{color:var(--ok)}.DOWN,.UNKNOWN,.unreachable{color:var(--bad)}
.STARTING,.OUT_OF_SERVICE{color:var(--warn)}
.preserving{background:var(--bad-back);color:var(--bad);padding:.5rem 1rem}
"""


class Dashboard:
    def __init__(
        self,
        registry: Registry,
        replicas: Replicas,
        clock: RegistryClock,
        panel: Callable[[], str],
    ) -> None:
        self._registry = registry
        self._panel = panel
        self._replicas = replicas
        self._clock = clock

    async def page(self, _: web.Request) -> web.Response:
        self._registry.sweep()
        return web.Response(text=self.html(), content_type="text/html", headers=pages.HEADERS)

    def html(self) -> str:
        leases, journal = self._registry.leases(), self._registry.journal
        parts = [
            self._state(leases),
            self._applications(leases),
            "<h2>Replicas</h2>",
            self._replica_table(self._replicas.all()),
            "<h2>Last registered</h2>",
            _entries(journal.registered),
            "<h2>Last cancelled or evicted</h2>",
            _entries(journal.gone),
        ]
        return pages.page("discovery", "".join(parts), self._panel(), STYLE, REFRESH_SECONDS)

    def _state(self, leases: list[Lease]) -> str:
        registry = self._registry
        summary = (
            f"<p>{len(leases)} instances, {registry.overdue} of them overdue, "
            f"{registry.journal.renewals_last_minute} renewals in the last minute.</p>"
        )
        if not registry.preserving:
            return f"{summary}<p>Self-preservation: not needed.</p>"
        return (
            f'{summary}<p class="preserving">Self-preservation: too many instances stopped '
            "renewing at once, so the network is assumed to be at fault and nobody is evicted. "
            "Some of these instances may be gone.</p>"
        )

    def _applications(self, leases: list[Lease]) -> str:
        now = self._clock.milliseconds()
        rows = [
            _row(
                escape(app),
                _instance(lease),
                f'<span class="{lease.status}">{lease.status}</span>{_override(lease)}',
                _age(now - lease.renewed_at),
                _age(now - lease.registered_at),
            )
            for app, group in sorted(by_application(islice(leases, INSTANCES_SHOWN)).items())
            for lease in group
        ]
        if len(leases) > INSTANCES_SHOWN:
            rows.append(_row(f"… and {len(leases) - INSTANCES_SHOWN} more", "", "", "", ""))
        heads = ("Application", "Instance", "Status", "Renewed", "Registered")
        return f"<h2>Applications</h2>{_table(heads, rows)}"

    def _replica_table(self, replicas: list[Replica]) -> str:
        if not replicas:
            return "<p>None: this one is alone.</p>"
        rows = [
            _row(
                escape(masked(replica.address)),
                _reached(replica),
                "never"
                if replica.answered_at is None
                else _age((time.time() - replica.answered_at) * 1000),
                str(len(replica.pending)),
            )
            for replica in replicas
        ]
        return _table(("Replica", "State", "Last answer", "Pending changes"), rows)


def _instance(lease: Lease) -> str:
    """Its id, as a link where what it registered is an address of the web and nothing else."""
    name = escape(lease.instance.id)
    address = lease.instance.texts.get("statusPageUrl", "")
    if not address.startswith(("http://", "https://")):
        return name
    return f'<a href="{escape(address)}" rel="noreferrer">{name}</a>'


def _override(lease: Lease) -> str:
    return " (by hand)" if lease.status is lease.overridden else ""


def _reached(replica: Replica) -> str:
    if replica.reached is None:
        return "not contacted yet"
    if replica.reached:
        return '<span class="UP">reached</span>'
    return f'<span class="unreachable">unreachable: {escape(masked(replica.error))}</span>'


def _entries(entries: Iterable[JournalEntry]) -> str:
    rows = [
        _row(
            time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(entry.at)),
            escape(entry.key[0]),
            escape(entry.key[1]),
            entry.event,
        )
        for entry in islice(entries, ENTRIES_SHOWN)
    ]
    return _table(("At", "Application", "Instance", ""), rows) if rows else "<p>None.</p>"


def _age(milliseconds: float) -> str:
    return f"{max(milliseconds, 0) / 1000:.0f} s ago"


def _row(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _table(heads: Iterable[str], rows: Iterable[str]) -> str:
    head = "".join(f"<th>{title}</th>" for title in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"

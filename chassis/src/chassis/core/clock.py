"""Times as everybody outside sees them: RFC 3339, UTC."""

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def now() -> str:
    return rfc3339(datetime.now(UTC))

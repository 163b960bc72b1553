"""An entry of the audit trail as an event, for the service that keeps the trail."""

from chassis.audit.entry import AuditEntry
from chassis.messaging.outbox import Message

TOPIC = "audit"
EVENT_TYPE = "audit.recorded"


def audit_recorded(entry: AuditEntry) -> Message:
    return Message(TOPIC, str(entry.id), EVENT_TYPE, entry.document())

"""The outbox and the inbox in catalog-service's own schema."""

from catalog_service.models import Base
from chassis.messaging.inbox import Inbox
from chassis.messaging.outbox import Outbox

outbox = Outbox(Base.metadata)
inbox = Inbox(Base.metadata)

"""The outbox and the inbox in catalog-service's own schema."""

from catalog_service.models import Base
from chassis.inbox import Inbox
from chassis.outbox import Outbox

outbox = Outbox(Base.metadata)
inbox = Inbox(Base.metadata)

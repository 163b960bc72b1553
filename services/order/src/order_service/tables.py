"""The outbox and the inbox in order-service's own schema."""

from chassis.messaging.inbox import Inbox
from chassis.messaging.outbox import Outbox
from order_service.models import Base

outbox = Outbox(Base.metadata)
inbox = Inbox(Base.metadata)

"""The outbox and the inbox in order-service's own schema."""

from chassis.inbox import Inbox
from chassis.outbox import Outbox
from order_service.models import Base

outbox = Outbox(Base.metadata)
inbox = Inbox(Base.metadata)

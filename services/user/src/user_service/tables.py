"""The outbox in user-service's own schema."""

from chassis.messaging.outbox import Outbox
from user_service.models import Base

outbox = Outbox(Base.metadata)

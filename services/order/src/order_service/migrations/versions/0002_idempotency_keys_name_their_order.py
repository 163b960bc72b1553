"""An idempotency key names its order, where it held a whole answer.

Only adds, so that instances of version 0.1 may run beside those that migrate: `answer` stays, what
it holds is still read, and a later version drops it.  An instance of 0.1 knows a key that was first
used here for another request's and refuses it; it never places a second order.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("ix_idempotency_keys_claimed_at", "idempotency_keys", ["claimed_at"])
    op.add_column("idempotency_keys", sa.Column("order_id", sa.Uuid))
    op.add_column("idempotency_keys", sa.Column("degraded", sa.JSON))

"""Which tokens say more than is so, and an index by which the admins are found."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_index(
        "ix_users_admins",
        "users",
        ["id"],
        postgresql_where=sa.text("role = 'admin' AND deleted_at IS NULL"),
    )
    op.create_table(
        "revocations",
        sa.Column("user_id", sa.Uuid, primary_key=True),
        sa.Column("roles", sa.ARRAY(sa.String), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_revocations_revoked_at", "revocations", ["revoked_at"])

"""Closed accounts are found whose orders are still to be detached, and by when they were closed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # Those of before are looked through as well.
    op.add_column(
        "closed_accounts", sa.Column("passes", sa.BigInteger, nullable=False, server_default="0")
    )
    op.create_index(
        "ix_closed_accounts_unsettled",
        "closed_accounts",
        ["closed_at"],
        postgresql_where=sa.text("passes < 2"),
    )
    op.create_index("ix_closed_accounts_closed_at", "closed_accounts", ["closed_at"])

"""Room on each page for the new versions of its rows (HOT updates leave the index alone)."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE products SET (fillfactor = 50)")

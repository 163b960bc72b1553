"""Room on each page for the new versions of its rows (HOT updates leave the indexes alone)."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE orders SET (fillfactor = 70)")
    op.execute("ALTER TABLE product_facts SET (fillfactor = 50)")

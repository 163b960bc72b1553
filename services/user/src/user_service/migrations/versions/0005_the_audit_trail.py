"""The audit trail, to which the database lets nobody but append, and the inbox of its events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"

now = sa.func.now()


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
    )
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"])
    op.create_table(
        "audit_entries",
        sa.Column("entry_id", sa.Uuid, primary_key=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("keep_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("service", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("actor", sa.String),
        sa.Column("source", sa.String),
        sa.Column("trace_id", sa.String),
        sa.Column("times", sa.BigInteger, nullable=False),
        sa.Column("detail", JSONB, nullable=False),
    )
    op.create_index("ix_audit_entries_actor", "audit_entries", ["actor", "entry_id"])
    op.create_index("ix_audit_entries_keep_until", "audit_entries", ["keep_until"])
    op.execute("""
        CREATE FUNCTION refuse_change_of_audit_entries() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND OLD.keep_until < now() THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'audit entries are kept as they are until their time is over'
                USING ERRCODE = 'insufficient_privilege';
        END
        $$
    """)
    op.execute("""
        CREATE TRIGGER audit_entries_are_kept BEFORE UPDATE OR DELETE ON audit_entries
        FOR EACH ROW EXECUTE FUNCTION refuse_change_of_audit_entries()
    """)
    op.execute("""
        CREATE TRIGGER audit_entries_are_not_truncated BEFORE TRUNCATE ON audit_entries
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit_entries()
    """)

"""Runs the migrations on the connection that `chassis.data.postgres.migrate` holds."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()

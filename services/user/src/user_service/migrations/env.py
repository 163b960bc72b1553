"""Runs user-service's migrations on the connection that `chassis.database.migrate` holds."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()

"""Runs migrations on the connection that is handed over; transactions are the caller's."""

from alembic import context

from bot.storage.tables import Row

context.configure(connection=context.config.attributes["connection"], target_metadata=Row.metadata)
context.run_migrations()

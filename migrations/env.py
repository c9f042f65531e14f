"""Alembic's entry: runs the migrations on the connection that monitor.store.schema hands over."""

from alembic import context
from sqlalchemy import create_engine


def run(connection) -> None:
    context.configure(connection=connection, render_as_batch=connection.dialect.name == "sqlite")
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:  # `alembic` on the command line, with sqlalchemy.url set
    with create_engine(context.config.get_main_option("sqlalchemy.url")).begin() as connection:
        run(connection)

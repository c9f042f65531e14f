"""The state of a database's tables, and bringing them up to date with Alembic."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from monitor.errors import SchemaTooNew, StoreError

_VERSION_TABLE = "alembic_version"


def folder() -> Path:
    """The migrations: inside an installed wheel, else beside the package in a checkout."""
    package = Path(__file__).resolve().parent.parent
    for place in (package / "_shipped" / "migrations", package.parent / "migrations"):
        if (place / "env.py").is_file():
            return place
    raise StoreError(f"the migrations are missing from {package / '_shipped'}: install rasid again")


def present(connection: sa.Connection) -> str | None:
    """The revision that the database has; None where it has none."""
    if not sa.inspect(connection).has_table(_VERSION_TABLE):
        return None
    version = connection.execute(sa.text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar()  # noqa: S608
    return None if version is None else str(version)


def check(connection: sa.Connection, place: str) -> bool:
    """Whether the tables are up to date. SchemaTooNew; StoreError where they belong to another program."""
    found = present(connection)
    known = revisions()
    if found is None:
        strangers = [name for name in sa.inspect(connection).get_table_names() if name != _VERSION_TABLE]
        if strangers:
            raise StoreError(
                f"{place} holds tables of another program ({', '.join(sorted(strangers)[:3])} …): "
                "point database.url at a database of its own"
            )
        return False
    if found not in known:
        raise SchemaTooNew(
            f"{place} was written by a newer rasid (schema {found}, this one knows up to {known[-1]}): "
            "upgrade rasid, or restore a backup made by this version"
        )
    return found == known[-1]


def revisions() -> list[str]:
    """All revisions that this program knows, oldest first, read from the file names (importing Alembic is slow)."""
    return sorted(file.name.split("_", 1)[0] for file in (folder() / "versions").glob("[0-9]*_*.py"))


def upgrade(connection: sa.Connection, place: str) -> bool:
    """Run the missing migrations inside the caller's transaction; True if there were any."""
    if check(connection, place):
        return False  # another process was quicker
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return True

"""Databases for the tests: each test that asks for `store_url` runs on SQLite and on a real Postgres."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from monitor.store.store import Store
from tests.living import SERVERS
from tests.postgres import PostgresServer, postgres_server


@pytest.fixture(scope="session", autouse=True)
def servers() -> Iterator[None]:
    """The servers that tests share are gone at the end."""
    yield
    SERVERS.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests of this process, started when the first of them asks."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """The name of a database with all tables, to copy."""
    url = postgres.new_database()
    Store.open(url, owner="template").close()
    return str(sa.make_url(url).database)


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh database."""
    return _fresh(request, tmp_path)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def module_store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a fresh database that the tests of a module share: for those that only read."""
    return _fresh(request, tmp_path_factory.mktemp("shared"))


def _fresh(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'rasid.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database(request.getfixturevalue("postgres_template"))

"""Every difference between SQLite and Postgres: types, pragmas, locks, upserts, search, sizes, and what errors mean.

Law of this file: nothing outside it asks which database it talks to.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
import xxhash
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url

from monitor.errors import Collision, StoreError

INTAKE_LOCK = 7_261_001  # advisory lock keys on Postgres; SQLite's one write lock covers all of them
CLAIM_LOCK = 7_261_002
SCHEMA_LOCK = 7_261_003
INDEX_LOCK = 7_261_004

T = TypeVar("T")
_PREPARED: dict[tuple[Callable[[sa.Connection], Any], str], Any] = {}
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_KEY_BYTES = 512  # well below Postgres' limit for an indexed value (2,704 bytes)
_IDLE_S = 60  # in a transaction, after which Postgres ends it: whoever began it has died, and all others wait for it
# A server that went away without a word is given up after a minute: the system alone would take a quarter of an hour to
# see that nobody answers, and two hours where it is us who wait.
_ALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}  # s, ms
_BUSY_MS = 5_000  # then the work is tried again; a stop waits no longer than this

# ── column types ─────────────────────────────────────────────────────────────────────────────────────────────────


def clean(text: str) -> str:
    """`text` with what no database can hold (NUL, lone surrogates) replaced one for one, so that spans stay true."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}") if "\x00" in text else text


def bounded(key: str) -> str:
    """`key` as it is stored and compared: clean, and short enough for an index; a longer one becomes its hash."""
    key = clean(key)
    raw = key.encode()
    return key if len(raw) <= _KEY_BYTES else f"xxh3:{xxhash.xxh3_128_hexdigest(raw)}"


class Words(sa.types.TypeDecorator[str]):
    """Text from outside."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else clean(value)


class Key(sa.types.TypeDecorator[str]):
    """Text that is indexed."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else bounded(value)


class Utc(sa.types.TypeDecorator[datetime]):
    """A moment. Aware on both sides, UTC in the database; a naive datetime is a bug and is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no timezone: the store takes aware datetimes only")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(sa.types.TypeDecorator[Any]):
    """A small structure as text: Postgres' own JSON types refuse what feeds may contain."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else clean(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        return None if value is None else json.loads(value)


class Names(sa.types.TypeDecorator[Sequence[str]]):
    """Many texts as one parameter: an array on Postgres, JSON on SQLite."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        return dialect.type_descriptor(sa.Text() if dialect.name == "sqlite" else postgresql.ARRAY(sa.Text))

    def process_bind_param(self, value: Sequence[str] | None, dialect: sa.Dialect) -> Any:
        names = list(value or ())
        return json.dumps(names) if dialect.name == "sqlite" else names


# ── connecting ───────────────────────────────────────────────────────────────────────────────────────────────────


def parse_url(url: str) -> URL:
    """The URL, refused with the mend where it names no database that Rasid speaks."""
    forms = "sqlite:///data/rasid.db or postgresql://user:password@host/database"
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError as error:
        raise StoreError(f"the database URL cannot be read; write it like {forms}") from error
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise StoreError(f"the database URL begins with {parsed.drivername!r}; write it like {forms}")
    return parsed


def sqlite_path(url: URL) -> Path | None:
    """The file of a SQLite URL; None for Postgres and for a database in memory."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Path(url.database.removeprefix("file:")).resolve()


def shown(url: URL) -> str:
    """The database as messages name it: no password, no query."""
    path = sqlite_path(url)
    if path is not None:
        return f"SQLite {path}"
    if url.get_backend_name() == "sqlite":
        return "SQLite in memory"
    host = url.query.get("host", url.host) or "localhost"
    return f"Postgres {url.database or ''} at {host}{f':{url.port}' if url.port else ''}"


def make_engine(url: URL, *, read_only: bool) -> sa.Engine:
    """An engine of exactly one connection. SQLite transactions begin IMMEDIATE when opened for writing."""
    pool: dict[str, Any] = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 5, "poolclass": sa.pool.QueuePool}
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url, connect_args={"timeout": _BUSY_MS / 1000, "check_same_thread": False}, **pool)
        _sqlite_events(engine, read_only=read_only)
        return engine
    session = f"-c timezone=UTC -c idle_in_transaction_session_timeout={_IDLE_S}s"
    options = {"connect_timeout": 10, "application_name": "rasid", "options": session, **_ALIVE}
    defaults: dict[str, Any] = {name: value for name, value in options.items() if name not in url.query}
    engine = sa.create_engine(url, pool_pre_ping=True, connect_args=defaults, **pool)
    if read_only:
        engine = engine.execution_options(postgresql_readonly=True)
    return engine


def _sqlite_events(engine: sa.Engine, *, read_only: bool) -> None:
    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions on its own
        pragmas = [f"busy_timeout={_BUSY_MS}", "foreign_keys=ON", "synchronous=FULL", "temp_store=MEMORY"]
        if read_only:
            pragmas.append("query_only=ON")
        else:
            # auto_vacuum only takes effect on an empty file, before the journal mode is set
            pragmas += ["auto_vacuum=INCREMENTAL", "journal_mode=WAL"]
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    def begun(connection: sa.Connection) -> None:
        write = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    sa.event.listen(engine, "connect", connected)
    sa.event.listen(engine, "begin", begun)


# ── statements ───────────────────────────────────────────────────────────────────────────────────────────────────


def is_sqlite(connection: sa.Connection) -> bool:
    return connection.dialect.name == "sqlite"


def exclude_others(connection: sa.Connection, key: int) -> None:
    """Until this transaction ends no other passes here with the same key. On SQLite BEGIN IMMEDIATE already did it."""
    if not is_sqlite(connection):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def insert_new(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, object]], *, columns: Sequence[str]
) -> None:
    """Insert the rows whose `columns` are not there yet."""
    if rows:
        statement = _insert(connection, table)
        connection.execute(statement.on_conflict_do_nothing(index_elements=list(columns)), list(rows))


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, object]],
    *,
    columns: Sequence[str],
    update: Sequence[str],
) -> None:
    """Insert the rows; where `columns` are there already, overwrite the columns of `update`."""
    if rows:
        statement = _insert(connection, table)
        change = {name: statement.excluded[name] for name in update}
        connection.execute(statement.on_conflict_do_update(index_elements=list(columns), set_=change), list(rows))


def _insert(connection: sa.Connection, table: sa.Table) -> Any:
    return sqlite.insert(table) if is_sqlite(connection) else postgresql.insert(table)


def one_of(connection: sa.Connection, column: Any, name: str) -> Any:
    """Whether a text column holds one of many values: one parameter of this name, however many they are."""
    given = sa.bindparam(name, type_=Names())
    if is_sqlite(connection):
        return column.in_(sa.select(sa.func.json_each(given).table_valued("value").c.value))
    return column == sa.any_(given)


def prepared(connection: sa.Connection, build: Callable[[sa.Connection], T]) -> T:
    """What `build` makes, once for each kind of database: a long statement takes longer to build than to run."""
    key = (build, connection.dialect.name)
    if key not in _PREPARED:
        _PREPARED[key] = build(connection)
    made: T = _PREPARED[key]
    return made


def lock_rows(statement: Any, *, skip_locked: bool = False, of: sa.Table | None = None) -> Any:
    """The select, holding its rows (those of one table) until the transaction ends. SQLite renders nothing: its lock
    is the whole file."""
    return statement.with_for_update(skip_locked=skip_locked, of=of)


# ── search ───────────────────────────────────────────────────────────────────────────────────────────────────────

_INDEX_CHARACTERS = 200_000  # a tsvector holds 1 MB


def index_words(text: str) -> str:
    """The words of an index text that both databases can hold, each once, in order."""
    words = dict.fromkeys(word for word in clean(text)[:_INDEX_CHARACTERS].split() if len(word) <= 200)
    return " ".join(words)


def add_to_index(connection: sa.Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """rows: {id, words}, of articles that are not in the index yet."""
    if not rows:
        return
    connection.execute(sa.text("INSERT INTO article_words (article_id, words) VALUES (:id, :words)"), list(rows))
    if is_sqlite(connection):
        connection.execute(sa.text("INSERT INTO article_search (rowid, words) VALUES (:id, :words)"), list(rows))


def remove_from_index(connection: sa.Connection, article_ids: Sequence[int]) -> None:
    ids: sa.BindParameter[Sequence[int]] = sa.bindparam("ids", list(article_ids), expanding=True)
    if is_sqlite(connection):
        connection.execute(
            sa.text(
                "INSERT INTO article_search (article_search, rowid, words) "
                "SELECT 'delete', article_id, words FROM article_words WHERE article_id IN :ids"
            ).bindparams(ids)
        )
    connection.execute(sa.text("DELETE FROM article_words WHERE article_id IN :ids").bindparams(ids))


Alternatives = tuple[str, ...]  # one of these words; a word ending in * is a prefix


def search_condition(
    connection: sa.Connection, wanted: Sequence[Alternatives], unwanted: Sequence[Alternatives], article_id: Any
) -> Any:
    """A condition on the column `article_id`: every group of `wanted` (not empty) occurs, and none of `unwanted`."""
    if is_sqlite(connection):
        match = " AND ".join(f"({' OR '.join(map(_fts5, group))})" for group in wanted)
        for group in unwanted:
            match = f"({match}) NOT ({' OR '.join(map(_fts5, group))})"
        inner = sa.text("SELECT rowid FROM article_search WHERE article_search MATCH :match")
    else:
        match = " & ".join(f"({' | '.join(map(_tsquery, group))})" for group in wanted)
        for group in unwanted:
            match = f"({match}) & !({' | '.join(map(_tsquery, group))})"
        inner = sa.text("SELECT article_id FROM article_words WHERE tsv @@ CAST(:match AS tsquery)")
    return article_id.in_(inner.bindparams(match=match).columns(sa.column("id", sa.Integer)))


def _fts5(word: str) -> str:
    stem, star = (word[:-1], "*") if word.endswith("*") else (word, "")
    return '"' + stem.replace('"', '""') + '"' + star


def _tsquery(word: str) -> str:
    stem, star = (word[:-1], ":*") if word.endswith("*") else (word, "")
    return "'" + stem.replace("\\", "\\\\").replace("'", "''") + "'" + star


# ── sizes and upkeep ─────────────────────────────────────────────────────────────────────────────────────────────


def size_in_bytes(connection: sa.Connection, url: URL) -> int:
    """What the database takes on disk, its write-ahead log included."""
    if not is_sqlite(connection):
        return int(connection.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one())
    path = sqlite_path(url)
    if path is None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        return int(pages) * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())
    files = [path, path.with_name(path.name + "-wal")]
    return sum(file.stat().st_size for file in files if file.exists())


def give_back_space(engine: sa.Engine) -> None:
    """Return freed pages to the file system, without the pause of a full VACUUM. Postgres does it by itself. StoreError
    where that cannot be now."""
    if engine.dialect.name != "sqlite":
        return
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA incremental_vacuum(20000)")
        cursor.fetchall()
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
        cursor.close()
    except sqlite3.Error as error:  # not by way of SQLAlchemy, which would word it
        raise explain(error, engine.url) from error
    finally:
        raw.close()


# ── what errors mean ─────────────────────────────────────────────────────────────────────────────────────────────

_COLLIDED = ("40001", "40P01")  # serialization failure, deadlock
_MENDS = (
    ("disk is full", "the disk is full: free some space (`rasid db prune` gives back space too)"),
    ("no space left", "the server's disk is full: free some space there"),
    ("readonly database", "it is read-only: give this user the right to write the file and its folder"),
    ("read-only transaction", "it is read-only: connect to the primary server, with a user who may write"),
    ("unable to open database file", "it cannot be opened: check that the folder exists and this user may write there"),
    ("malformed", "it is damaged: stop rasid and restore a backup, or try `sqlite3 FILE .recover`"),
    ("not a database", "it is no SQLite database: point database.url at another file, or restore a backup"),
    ("disk i/o error", "the disk does not read or write: check it and the free space"),
    ("database is locked", "another program holds it: close what else has it open, then try again"),
    ("password authentication", "the password is refused: correct RASID_DATABASE_PASSWORD in the environment or .env"),
    ("no password supplied", "it wants a password: set RASID_DATABASE_PASSWORD in the environment or .env"),
    ("resolve host", "the server's name is not known to DNS: correct database.url"),
    ("does not exist", "something is missing there: create the database, then `rasid db upgrade`"),
    ("no such table", "its tables are missing: run `rasid db upgrade`"),
    ("permission denied", "this user lacks a right there: grant it"),
    ("too many clients", "the server has no connection left: raise max_connections"),
    ("deadlock", "two processes wanted the same rows at once: try again"),
    ("foreign key", "a row that this one needs is gone (was it pruned?)"),
)


def explain(error: Exception, url: URL) -> StoreError:
    """The error as a sentence with its mend. Never shows statements, parameters or the password."""
    original = getattr(error, "orig", None) or error
    words = " ".join(str(original).split())
    if url.password:
        words = words.replace(str(url.password), "***")
    lower = words.lower()
    mend = next((mend for sign, mend in _MENDS if sign in lower), None)
    if mend is None and (getattr(error, "connection_invalidated", False) or "connection" in lower):
        mend = "the server does not answer: start it or correct database.url; Rasid reconnects by itself"
    kind = Collision if getattr(original, "sqlstate", None) in _COLLIDED else StoreError
    return kind(f"{shown(url)}: {mend or 'the statement failed'} [{words[:300]}]")

"""One database: opening it, the one-instance lock, transactions, the schema. Errors leave here as StoreError."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import URL

from monitor.errors import Collision, InstanceRunning, StoreError
from monitor.store import dialect, schema

T = TypeVar("T")
COLLISIONS = 2  # after which work is tried a last time


def utc_now() -> datetime:
    return datetime.now(UTC)


def undisturbed(work: Callable[..., T], *args: object) -> T:
    """What the work brings; it is done again where another process's work undid it, so it must bear that."""
    for _ in range(COLLISIONS):
        with suppress(Collision):
            return work(*args)
    return work(*args)


class InstanceLock:
    """An operating system lock on `<database>.lock`; it goes with the process, however the process ends.

    POSIX record locks, not flock: a forked parse worker must not inherit it. They do not hold inside one process,
    hence the list of held paths.
    """

    _held: set[Path] = set()  # noqa: RUF012 - process-wide on purpose
    _guard = threading.Lock()

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        with self._guard:
            if self._path in self._held:
                raise InstanceRunning(self._sentence(str(os.getpid())))
            self._file = self._open()
            self._held.add(self._path)

    def _open(self) -> IO[str]:
        try:
            file = self._path.open("a+", encoding="utf-8")
        except OSError as error:
            raise StoreError(
                f"{self._path}: the lock file cannot be written ({error.strerror}): "
                "check that the folder exists and this user may write there"
            ) from error
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            owner = file.read(20).strip()
            file.close()
            raise InstanceRunning(self._sentence(owner or "?")) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        return file

    def _sentence(self, owner: str) -> str:
        return (
            f"another rasid (process {owner}) runs on this database ({self._path}): "
            "stop it first, or point database.url at another file"
        )

    def release(self) -> None:
        with self._guard:
            if self._path in self._held:
                self._held.remove(self._path)
                self._file.close()


class Database:
    """A database of exactly one connection. Safe for threads, which then wait for each other."""

    def __init__(self, url: URL, *, owner: str, now: Callable[[], datetime], read_only: bool, lock: bool) -> None:
        self.owner = owner
        self.read_only = read_only
        self._url = url
        self._now = now
        self._busy = threading.Lock()
        self._busy_thread: int | None = None
        path = dialect.sqlite_path(url)
        if path is not None:
            _prepare_folder(path, read_only=read_only)
        self._instance = InstanceLock(path) if lock and path is not None else None
        self._engine = dialect.make_engine(url, read_only=read_only)

    @contextmanager
    def _transaction(self, *, write: bool) -> Iterator[sa.Connection]:
        """One transaction, rolled back by any exception. Nested use in one thread is a bug and is refused."""
        if write and self.read_only:
            raise StoreError(f"{self.place} was opened for reading only")
        if self._busy_thread == threading.get_ident():
            raise RuntimeError("a transaction is open in this thread: use its methods, not the store's")
        with self._busy:
            self._busy_thread = threading.get_ident()
            try:
                with self._engine.connect().execution_options(write=write) as connection, connection.begin():
                    yield connection
            except sa.exc.DBAPIError as error:
                raise dialect.explain(error, self._url) from error
            except sa.exc.StatementError as error:
                raise (error.orig if isinstance(error.orig, ValueError) else error) from None
            finally:
                self._busy_thread = None

    def _reading(self) -> AbstractContextManager[sa.Connection]:
        return self._transaction(write=False)

    def _writing(self) -> AbstractContextManager[sa.Connection]:
        return self._transaction(write=True)

    @property
    def place(self) -> str:
        """The database as messages name it, without its password."""
        return dialect.shown(self._url)

    @property
    def shared(self) -> bool:
        """Whether several processes may work on this database at once (Postgres)."""
        return self._engine.dialect.name != "sqlite"

    def schema_version(self) -> str | None:
        """The revision of the tables; None for an empty database."""
        with self._reading() as connection:
            return schema.present(connection)

    def upgrade(self) -> bool:
        """Bring the tables up to date; True if there was something to do. SchemaTooNew, StoreError."""
        with self._reading() as connection:
            current = schema.check(connection, self.place)
        if current:
            return False
        with self._writing() as connection:
            dialect.exclude_others(connection, dialect.SCHEMA_LOCK)
            return schema.upgrade(connection, self.place)

    def close(self) -> None:
        """Give up the connection and the instance lock. Safe to call twice."""
        self._engine.dispose()
        if self._instance is not None:
            self._instance.release()


def _prepare_folder(path: Path, *, read_only: bool) -> None:
    if read_only and not path.exists():
        raise StoreError(f"{path} does not exist: start rasid once, or correct database.url")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"{path.parent}: the folder cannot be made ({error.strerror})"
        raise StoreError(f"{what}: make it, or correct database.url") from error

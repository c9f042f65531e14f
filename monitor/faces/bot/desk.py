"""What the bot answers from: the running flow, its configuration, and a second connection that only reads.

Reads have a thread and a connection of their own: whatever people search for, no alert waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from monitor.faces.bot.people import Person
from monitor.faces.bot.sheet import Sheet
from monitor.flow import Flow
from monitor.runtime import database
from monitor.runtime.configuration import Configuration
from monitor.store.store import Store

T = TypeVar("T")


@dataclass(slots=True)
class Desk:
    """found: the configuration in force. followed: lets the flow know that somebody follows other rules now. wrote: set
    as soon as the writer thread begins with what was handed to `write`."""

    flow: Flow
    found: Configuration
    clock: Callable[[], datetime]
    followed: Callable[[], Awaitable[None]]
    wrote: bool = False
    _reader: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "bot"))
    _store: Store | None = None

    async def read(self, work: Callable[[Store], T]) -> T:
        """Run `work` on the connection that only reads."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._read, work)

    def _read(self, work: Callable[[Store], T]) -> T:
        if self._store is None:
            self._store = database.open_store(self.found, read_only=True)
        return work(self._store)

    async def write(self, work: Callable[[Store], T]) -> T:
        """Run `work` on the writer thread."""
        return await self.flow.write(self._write, work)

    def _write(self, work: Callable[[Store], T]) -> T:
        self.wrote = True
        return work(self.flow.store)

    def close(self) -> None:
        """Give the connection back."""
        self._reader.shutdown(wait=True, cancel_futures=True)
        if self._store is not None:
            self._store.close()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks of the bot. given: what stands behind the command."""

    person: Person
    given: str
    desk: Desk

    @property
    def flow(self) -> Flow:
        return self.desk.flow

    @property
    def now(self) -> datetime:
        return self.desk.clock()

    def sheet(self) -> Sheet:
        """An empty answer in the person's language."""
        return Sheet(self.person.language, self.flow.timezone, self.now, self.flow.rules)

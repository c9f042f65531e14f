"""The bot's life beside the daemon, in its loop: it listens for as long as the configuration says so.

The law: nothing that happens to the bot stops an alert.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from monitor.delivery.redact import hush_libraries
from monitor.faces.bot.desk import Desk
from monitor.faces.bot.way import way
from monitor.flow import Flow
from monitor.runtime.configuration import Configuration
from monitor.runtime.troubles import Troubles


class Bot:
    """Lives as long as `run`; `reloaded` hands it every configuration that is taken over."""

    def __init__(
        self,
        flow: Flow,
        found: Configuration,
        troubles: Troubles,
        clock: Callable[[], datetime],
        followed: Callable[[], Awaitable[None]],
    ) -> None:
        self._desk = Desk(flow, found, clock, followed)
        self._troubles = troubles
        self._way = way(found)
        self._changed = asyncio.Event()

    def reloaded(self, found: Configuration) -> None:
        """Work by this configuration from now on. Who may do what counts at once."""
        self._desk.found = found
        if way(found) != self._way:
            self._way = way(found)
            self._changed.set()

    async def run(self) -> None:
        """Listen until cancelled."""
        hush_libraries()
        try:
            while True:
                self._changed.clear()
                if self._way.token:
                    await self._listen()
                else:
                    await self._changed.wait()
        finally:
            await asyncio.to_thread(self._desk.close)

    async def _listen(self) -> None:
        """Listen until the way changes."""
        from monitor.faces.bot.listening import Listening  # the library is large, and most have no bot

        listening = asyncio.create_task(Listening(self._way, self._desk, self._troubles).run())
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait({listening, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (listening, changed):
                task.cancel()
            await asyncio.gather(listening, changed, return_exceptions=True)

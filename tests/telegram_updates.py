"""The updates of the tests' Bot API server: what people do in chats, fetched by getUpdates or posted to a webhook."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import aiohttp

TAKEN = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
HOOKED = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
EXPIRED = "query is too old and response timeout expired or query ID is invalid"


class Conflict(Exception):
    """The words of a 409."""


class Updates:
    """A queue that getUpdates reads, or a webhook that is told."""

    def __init__(self) -> None:
        self.pending: list[dict[str, Any]] = []
        self.queries: set[str] = set()  # callback queries that were not answered yet
        self.webhook: dict[str, str] = {}
        self._ids = itertools.count(1000)
        self._came = asyncio.Event()
        self._reader: asyncio.Future[None] | None = None
        self._posting: set[asyncio.Task[None]] = set()

    def add(self, update: dict[str, Any]) -> dict[str, Any]:
        """Somebody did something: {"message": …} or {"callback_query": …}. The update with its id."""
        full = {"update_id": next(self._ids), **update}
        if "callback_query" in full:
            self.queries.add(str(full["callback_query"]["id"]))
        if self.webhook:
            task = asyncio.get_running_loop().create_task(self._post(full))
            self._posting.add(task)
            task.add_done_callback(self._posting.discard)
        else:
            self.pending.append(full)
            self._came.set()
        return full

    async def get(self, offset: int, limit: int, timeout: float) -> list[dict[str, Any]]:
        """As getUpdates: waits for `timeout` where there are none. A second reader ends the first."""
        if self.webhook:
            raise Conflict(HOOKED)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
        reader = self._reader = asyncio.get_running_loop().create_future()
        self.pending = [one for one in self.pending if one["update_id"] >= offset]
        if not self.pending and timeout > 0:
            self._came.clear()
            came = asyncio.ensure_future(self._came.wait())
            await asyncio.wait({came, reader}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            came.cancel()
            if reader.done():
                raise Conflict(TAKEN)
        return self.pending[:limit]

    async def _post(self, update: dict[str, Any]) -> None:
        headers = {}
        if self.webhook.get("secret_token"):
            headers["X-Telegram-Bot-Api-Secret-Token"] = self.webhook["secret_token"]
        async with aiohttp.ClientSession(trust_env=False) as session:
            for wait in (0.2, 0.5, 1.0, None):
                try:
                    async with session.post(self.webhook.get("url", ""), json=update, headers=headers) as reply:
                        if reply.status < 300:
                            return
                except aiohttp.ClientError:
                    pass
                if wait is not None:
                    await asyncio.sleep(wait)
        self.pending.append(update)

    def stop(self) -> None:
        for task in self._posting:
            task.cancel()

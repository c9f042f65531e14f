"""People who talk to the bot: the real bot on a real flow, before the Bot API server of the tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from monitor import pipeline
from monitor.faces.bot.bot import Bot
from monitor.runtime import assembly, configuration, following
from monitor.runtime.configuration import Configuration
from monitor.runtime.troubles import Troubles
from tests.desk import NOW, Desk, desks
from tests.telegram_server import TOKEN, Chat, TelegramServer

CHANNEL = -1001234567890
OWNER, EDITOR, READER, STRANGER = 77001, 77002, 77003, 66666
RULES = """
rules:
  - id: shahed
    name: {en: Shahed drones, ar: مسيّرات شاهد}
    match: شاهد NEAR/4 (طائرة OR طائرات)
    severity: high
  - id: port
    name: {en: The port, ar: الميناء}
    any: [ميناء]
    cooldown: 1h
  - id: quiet
    name: {en: On trial, ar: تجربة}
    any: [روسيا]
    state: trial
"""
SETTINGS = """
timezone: Asia/Beirut
telegram: {{base_url: "{url}"}}
bot:
  enabled: true
  owners: ["77001"]
  editors: ["77002"]
  readers: ["77003"]
{more}
"""
FEEDS = """
outlets:
  - {id: a, name: {ar: النبأ, en: Anba}, country: LB, language: ar, feeds: [{id: a, url: "https://a.example/rss"}]}
  - {id: b, name: {ar: الصدى, en: Sada}, country: LB, language: ar, feeds: [{id: b, url: "https://b.example/rss"}]}
"""


@dataclass
class Talk:
    """The bot, its people, and the daemon's desk beside it."""

    server: TelegramServer
    desk: Desk
    folder: Path
    found: Configuration
    environ: dict[str, str]
    bot: Bot
    _ids: Any = field(default_factory=lambda: count(1))

    def now(self) -> datetime:
        return NOW + timedelta(minutes=self.desk.at)

    async def say(self, person: int, text: str, language: str = "ar", chat: int | None = None) -> list[str]:
        """Write to the bot; what it answers into that chat."""
        kind = "private" if chat is None else "supergroup"
        message = {
            "message_id": next(self._ids),
            "date": 1_790_000_000,
            "chat": {"id": chat or person, "type": kind, "first_name": "س"},
            "from": self.user(person, language),
            "text": text,
        }
        before = len(self.said(chat or person))
        await self.update({"message": message})
        return self.said(chat or person)[before:]

    async def press(self, person: int, data: str, language: str = "ar") -> list[str]:
        """Press a button under an alert; the words that pop up."""
        query = {"id": f"q{next(self._ids)}", "from": self.user(person, language), "chat_instance": "1", "data": data}
        before = len(self.popups())
        await self.update({"callback_query": query})
        return self.popups()[before:]

    async def update(self, update: dict[str, Any]) -> dict[str, Any]:
        """Let something happen, and wait until the bot has dealt with it."""
        added = self.server.updates.add(update)
        await self.until(lambda: not self.server.updates.pending)
        return added

    async def until(self, reached: Any, seconds: float = 20.0) -> None:
        """Wait until something holds."""
        for _ in range(int(seconds * 100)):
            if reached():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("not reached")

    def user(self, person: int, language: str) -> dict[str, Any]:
        return {"id": person, "is_bot": False, "first_name": "ليلى", "language_code": language}

    def said(self, chat: int) -> list[str]:
        return [one["text"] for one in self.server.events if one["event"] == "delivered" and one["chat"] == chat]

    def popups(self) -> list[str]:
        return [one["text"] for one in self.server.events if one["event"] == "answered"]

    def actions(self) -> list[tuple[str, str, str, str]]:
        found = self.desk.flow.store.actions(limit=100).items
        return [(one.person, one.role, one.action, one.result) for one in reversed(found)]

    async def deliver(self) -> None:
        """Send what waits, minute by minute."""
        for _ in range(12):
            self.desk.at += 1
            await pipeline.deliver_due(self.desk.flow, self.now)

    def buttons(self, message: int = 0) -> dict[str, str]:
        """The buttons of a message in the channel: what they say, and the data they send."""
        stored = list(self.server.chats[CHANNEL].messages.values())[message]
        rows = (stored["markup"] or {}).get("inline_keyboard", [])
        return {one["text"]: one["callback_data"] for row in rows for one in row}

    async def reload(self, more: str = "", **environ: str) -> None:
        """Let an edit of rasid.yaml or .env be taken over."""
        self.write(more)
        self.environ |= environ
        before, self.found = self.found, configuration.load(self.folder, self.environ)
        await assembly.configure(self.desk.flow, self.found, self.now(), before=before)
        self.bot.reloaded(self.found)

    def write(self, more: str = "") -> None:
        (self.folder / "rasid.yaml").write_text(SETTINGS.format(url=self.server.url, more=more), encoding="utf-8")


@asynccontextmanager
async def talking(url: str, folder: Path, more: str = "", token: str = TOKEN) -> AsyncIterator[Talk]:
    """The bot listens as long as this is open. more: lines of the section bot in rasid.yaml."""
    server = await TelegramServer(token=token).start()
    server.add(Chat(CHANNEL, type="channel"))
    for person in (OWNER, EDITOR, READER, STRANGER):
        server.add(Chat(person, type="private", status="member"))
    for name, text in (("rules", RULES), ("feeds", FEEDS), ("channels", "channels: [{name: main, type: telegram}]")):
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    (folder / "rasid.yaml").write_text(SETTINGS.format(url=server.url, more=more), encoding="utf-8")
    environ = {"RASID_TELEGRAM_TOKEN": TOKEN, "RASID_TELEGRAM_CHAT": str(CHANNEL), "RASID_DATABASE__URL": url}
    found = configuration.load(folder, environ)
    with desks(url) as (desk,):
        await assembly.configure(desk.flow, found, NOW)
        holder: list[Talk] = []

        async def followed() -> None:
            await following.refresh(desk.flow, lambda: holder[0].found, holder[0].now())

        def now() -> datetime:
            return NOW + timedelta(minutes=desk.at)

        troubles = Troubles(desk.flow, now)
        bot = Bot(desk.flow, found, troubles, now, followed)
        talk = Talk(server, desk, folder, found, environ, bot)
        holder.append(talk)
        task = asyncio.create_task(bot.run())
        try:
            yield talk
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await assembly.close_transports(desk.flow)
            await server.stop()

"""One update in, an answer out: who asks, may they, was it done already, do it, and write down what came of it.

The law: a stranger gets nothing. Whatever is asked is written into the audit log before it is done, under the number of
its update, so that an update that comes twice is done once. No error leaves this file but that of the audit log itself,
after which the update is asked for again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from functools import partial
from typing import Any, NamedTuple, TypeVar

from telegram import CallbackQuery, Message, Update, User
from telegram.constants import ChatType, ParseMode
from telegram.error import BadRequest, Forbidden, TelegramError

from monitor.delivery import callbacks
from monitor.delivery.redact import redact
from monitor.errors import StoreError
from monitor.faces.bot import commands, pressing
from monitor.faces.bot.commands import Line
from monitor.faces.bot.desk import Asked, Desk
from monitor.faces.bot.people import Allowance, Person, person_of
from monitor.faces.bot.pressing import Pressed
from monitor.faces.bot.sheet import Sheet
from monitor.runtime.logs import log

T = TypeVar("T")
PATIENCE = 30.0  # seconds for one command
LONGEST_GIVEN = 300  # code points that the audit log keeps of what was asked
LONGEST_POPUP = 200  # Telegram's limit
TEXT = "(text)"  # the action of a message that is no command


class Failed(NamedTuple):
    """What was not done. phrase: what the person is told; result: what the audit log says."""

    phrase: str
    result: str


class Answering:
    """Answers the updates of one bot, one after the other. bot: the library's, of python-telegram-bot."""

    def __init__(self, bot: Any, desk: Desk, token: str, allowance: Allowance) -> None:
        self._bot = bot
        self._desk = desk
        self._token = token
        self._allowance = allowance

    async def update(self, update: Update) -> None:
        """Do what an update asks for. Raises StoreError where that could not be written down."""
        query, message = update.callback_query, update.message
        if query is not None:
            await self._pressed(update.update_id, query)
        elif message is not None and message.from_user is not None and message.chat.type == ChatType.PRIVATE:
            await self._said(update.update_id, message, message.from_user)

    def _person(self, user: User) -> Person | None:
        settings = self._desk.found.settings.settings
        if user.is_bot:
            return None
        return person_of(user.id, user.full_name, user.language_code, settings.bot, settings.language)

    async def _begin(self, update_id: int, person: Person, action: str, given: str) -> tuple[int, bool] | None:
        """(number in the audit log, whether it is one too many), None where nothing is to be done or answered."""
        now = self._desk.clock()
        most = self._desk.found.settings.settings.bot.commands_a_minute
        granted = self._allowance.take(person, most, now)
        if granted == "refused":
            return None
        key = f"{self._token.partition(':')[0]}:{update_id}"
        about = (key, person.key, person.name, person.role.name.lower(), action, given[:LONGEST_GIVEN], now)
        number = await self._desk.write(lambda store: store.begin_action(*about))
        return None if number is None else (number, granted != "granted")

    async def _end(self, number: int, result: str) -> None:
        with contextlib.suppress(StoreError):  # it is done all the same, and they shall hear of it
            await self._desk.write(lambda store: store.end_action(number, result))

    # ── commands ──

    async def _said(self, update_id: int, message: Message, user: User) -> None:
        person, text = self._person(user), message.text or ""
        if person is None:
            return
        line = commands.read(text, self._bot.username)
        if line is None and text.startswith("/"):
            return  # for another bot
        line = line or Line(TEXT, text)
        action = line.name if line.name == TEXT else f"/{line.name}"
        begun = await self._begin(update_id, person, action[:60], line.given)
        if begun is None:
            return
        number, too_many = begun
        asked = Asked(person, line.given, self._desk)
        sheet = self._too_many(asked) if too_many else await self._answer(asked, line.name)
        await self._end(number, sheet.result)
        await self._send(message.chat.id, sheet)

    async def _answer(self, asked: Asked, name: str) -> Sheet:
        sheet = asked.sheet()
        command = commands.COMMANDS.get(name)
        if command is None:
            sheet.result = "not understood"
            return sheet.say("only_text" if name == TEXT else "unknown_command")
        if asked.person.role < command.role:
            sheet.result = f"refused: not an {command.role.name.lower()}"
            return sheet.say("not_allowed", role=sheet.phrase(asked.person.role.name.lower()))
        found = await self._patiently(command.does(asked))
        if isinstance(found, Sheet):
            return found
        sheet.result = found.result
        return sheet.say(found.phrase)

    def _too_many(self, asked: Asked) -> Sheet:
        sheet = asked.sheet()
        sheet.result = "refused: too many in a minute"
        return sheet.say("too_many")

    async def _patiently(self, work: Awaitable[T]) -> T | Failed:
        """What the work brings, or why it brings nothing.

        What began to write is waited for: it can no longer be given up, and nobody shall be told that it was.
        """
        self._desk.wrote = False
        doing = asyncio.ensure_future(work)
        try:
            done, _ = await asyncio.wait({doing}, timeout=PATIENCE)
            if not done and not self._desk.wrote:
                return Failed("too_slow", f"given up after {PATIENCE:.0f} s")
            return await doing
        except Exception as error:
            log().exception("the bot could not do what it was asked", error=redact(repr(error), self._token))
            return Failed("failed", f"failed: {type(error).__name__}")
        finally:
            doing.cancel()

    # ── buttons ──

    async def _pressed(self, update_id: int, query: CallbackQuery) -> None:
        person = self._person(query.from_user)
        if person is None:
            return
        signed = callbacks.read(self._token, query.data or "")
        action = pressing.NAMES.get(signed[0], "(button)") if signed else "(button)"
        begun = await self._begin(update_id, person, action, str(signed[1]) if signed else (query.data or ""))
        if begun is None:
            return
        number, too_many = begun
        asked = Asked(person, "", self._desk)
        pressed = self._popup(asked, "too_many", "refused: too many in a minute")
        if not too_many and signed is None:
            pressed = self._popup(asked, "button_old", "refused: not signed by this bot")
        elif not too_many and signed is not None:
            found = await self._patiently(pressing.press(asked, *signed))
            pressed = found if isinstance(found, Pressed) else self._popup(asked, found.phrase, found.result)
        popup = pressed.popup
        if pressed.private is not None and not await self._send(person.id, pressed.private):
            popup = asked.sheet().phrase("more_unsent")
        await self._end(number, pressed.result)
        await self._try(partial(self._bot.answer_callback_query, query.id, popup[:LONGEST_POPUP], show_alert=True))

    def _popup(self, asked: Asked, key: str, result: str) -> Pressed:
        return Pressed(asked.sheet().phrase(key), result)

    # ── sending ──

    async def _send(self, chat: int, sheet: Sheet) -> bool:
        """Send an answer; whether it arrived. Where its formatting is refused, it goes as plain text."""
        send = partial(self._bot.send_message, chat, disable_web_page_preview=True)
        try:
            await send(sheet.html(), parse_mode=ParseMode.HTML)
        except Forbidden:
            return False
        except BadRequest as error:
            if "parse" not in str(error).lower() and "too long" not in str(error).lower():
                return False
            return await self._try(partial(send, sheet.text()))
        except TelegramError as error:
            log().warning("an answer of the bot did not arrive", error=redact(str(error), self._token))
            return False
        return True

    async def _try(self, work: Any) -> bool:
        try:
            await work()
        except TelegramError as error:
            log().warning("an answer of the bot did not arrive", error=redact(str(error), self._token))
            return False
        return True

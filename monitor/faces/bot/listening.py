"""Listening to what people do in Telegram, by asking for it or by being told; and what is done when that fails.

The law: an update is confirmed only when it was dealt with. What goes wrong is told to the operator once, tried again,
and told once more when it is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import math
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from aiohttp import web
from telegram import Update
from telegram.error import Conflict, Forbidden, InvalidToken, RetryAfter, TelegramError
from telegram.ext import Application, TypeHandler
from telegram.request import HTTPXRequest

from monitor.delivery.callbacks import derived
from monitor.delivery.redact import redact
from monitor.delivery.transports import HttpOptions
from monitor.errors import StoreError
from monitor.faces.bot.answering import Answering
from monitor.faces.bot.desk import Desk
from monitor.faces.bot.people import Allowance
from monitor.faces.bot.way import Way
from monitor.runtime.logs import log
from monitor.runtime.troubles import Troubles

ALLOWED = ["message", "callback_query"]
POLL = 25  # seconds that Telegram may keep a question for updates open
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds between two tries
TELL_AFTER = 3  # failures in a row after which a network that may be back in a moment is told of
CALM = 180.0  # seconds without a conflict after which it is over: two that ask take turns, at LONGEST_WAIT or sooner
LARGEST_UPDATE = 1_000_000  # bytes
TROUBLE = "bot/"


class Listening:
    """One bot, reached in one way."""

    def __init__(self, way: Way, desk: Desk, troubles: Troubles) -> None:
        self._way = way
        self._desk = desk
        self._troubles = troubles
        self._allowance = Allowance()
        self._undone: StoreError | None = None
        self._failures = 0
        self._troubled = True  # it may have been told before this start
        self._conflicted = -math.inf  # when another program was last seen to ask

    async def run(self) -> None:
        """Listen until cancelled, and after whatever ended that, again."""
        while True:
            try:
                async with _application(self._way) as application:
                    answering = Answering(application.bot, self._desk, self._way.token, self._allowance)
                    application.add_handler(TypeHandler(Update, self._answer_by(answering)))
                    application.add_error_handler(_note)
                    log().info("the bot listens", name=application.bot.username, mode=self._way.wanted.mode)
                    if self._way.wanted.mode == "webhook":
                        await self._be_told(application)
                    else:
                        await self._poll(application)
            except Exception as error:
                await self._failed(error)

    def _answer_by(self, answering: Answering) -> Callable[[Update, Any], Coroutine[Any, Any, None]]:
        async def answer(update: Update, _: Any) -> None:
            try:
                await answering.update(update)
            except StoreError as error:  # the library would log it and go on
                self._undone = error

        return answer

    async def _poll(self, application: Application) -> None:  # type: ignore[type-arg]
        """Ask for updates, and confirm each only when it was dealt with."""
        await application.bot.delete_webhook()
        offset = None
        while True:
            updates = await application.bot.get_updates(offset, timeout=POLL, allowed_updates=ALLOWED)
            await self._works()
            for update in updates:
                await self._deal_with(application, update)
                offset = update.update_id + 1

    async def _be_told(self, application: Application) -> None:  # type: ignore[type-arg]
        """Listen on host:port for what Telegram posts; it proves itself by a secret that only it was told."""
        wanted = self._way.wanted.webhook
        secret = derived(self._way.token, "webhook").hex()
        one_by_one = asyncio.Lock()

        async def take(request: web.Request) -> web.Response:
            given = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
            if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), secret.encode()):
                return web.Response(status=404)
            try:
                update = Update.de_json(await request.json(), application.bot)
            except Exception:  # whatever it is, it is no update
                return web.Response(status=400)
            try:
                async with one_by_one:
                    await self._deal_with(application, update)
            except StoreError:
                return web.Response(status=503)
            return web.Response()

        app = web.Application(client_max_size=LARGEST_UPDATE)
        app.add_routes([web.post("/{tail:.*}", take)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, wanted.host, wanted.port).start()
            await application.bot.set_webhook(wanted.url or "", secret_token=secret, allowed_updates=ALLOWED)
            await self._works()
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _deal_with(self, application: Application, update: Update) -> None:  # type: ignore[type-arg]
        """Raises StoreError where it is to be asked for again."""
        self._undone = None
        await application.process_update(update)
        if self._undone is not None:
            raise self._undone

    # ── troubles ──

    async def _failed(self, error: Exception) -> None:
        """Tell it, once, and wait a while."""
        self._failures += 1
        if isinstance(error, Conflict):
            self._conflicted = time.monotonic()
        words = redact(f"{type(error).__name__}: {error}", self._way.token)
        log().debug("the bot failed", error=words, failures=self._failures)
        text = _told(error, words)
        if self._failures >= TELL_AFTER or not _may_pass(error):
            self._troubled = True
            with contextlib.suppress(Exception):  # the database may be what fails
                await self._troubles.tell(TROUBLE + type(error).__name__, text)
        wait = min(FIRST_WAIT * 2.0 ** min(self._failures - 1, 10), LONGEST_WAIT)
        if isinstance(error, RetryAfter):
            asked = error.retry_after
            wait = max(wait, asked if isinstance(asked, int) else asked.total_seconds())
        await asyncio.sleep(min(wait, 3600.0))

    async def _works(self) -> None:
        self._failures = 0
        if self._troubled and time.monotonic() - self._conflicted >= CALM:
            self._troubled = False
            await self._troubles.over(TROUBLE, "The bot answers again.")


def _may_pass(error: Exception) -> bool:
    """Whether it may be over in a moment, so that nobody need hear of it at once."""
    return isinstance(error, TelegramError) and not isinstance(error, Conflict | InvalidToken | Forbidden)


def _told(error: Exception, words: str) -> str:
    alerts = "Alerts are not touched by this; the bot tries again by itself."
    if isinstance(error, Conflict):
        return (
            f"The bot cannot listen: another program asks Telegram for the updates of the same bot ({words}). {alerts}"
        )
    if isinstance(error, InvalidToken | Forbidden):
        return f"The bot cannot listen: Telegram refuses its token ({words}). Put a valid one into .env. {alerts}"
    if isinstance(error, OSError):
        return f"The bot cannot listen on bot.webhook.host and port ({words}). {alerts}"
    return f"The bot cannot listen ({words}). {alerts}"


async def _note(_: object, context: Any) -> None:
    """A bug: told in the log, and the update counts as dealt with, or it would come for ever."""
    log().error("an update could not be dealt with", error=redact(repr(context.error)))


@contextlib.asynccontextmanager
async def _application(way: Way) -> AsyncIterator[Application]:  # type: ignore[type-arg]
    base = way.http.base_url.rstrip("/")
    base = base if base.endswith("/bot") else f"{base}/bot"
    builder = Application.builder().token(way.token).base_url(base).updater(None).job_queue(None)
    builder = builder.request(_request(way.http, 0)).get_updates_request(_request(way.http, POLL))
    application = builder.build()
    async with application:
        yield application


def _request(http: HttpOptions, poll: float) -> HTTPXRequest:
    return HTTPXRequest(
        connection_pool_size=4,
        connect_timeout=http.connect_timeout,
        read_timeout=min(http.read_timeout, 20.0) + poll,
        write_timeout=http.write_timeout,
        pool_timeout=http.pool_timeout,
        proxy=http.proxy,
        httpx_kwargs={"trust_env": False, "follow_redirects": False},
    )

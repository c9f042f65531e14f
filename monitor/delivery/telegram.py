"""Telegram through python-telegram-bot's bare Bot: one attempt in, one outcome out.

The law: the reply itself (status and JSON) decides, not the library's exception types, which blur what matters here:
whether the message surely was not sent, surely was, or may have been.
"""

from __future__ import annotations

import asyncio
import functools
import json
import ssl
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from monitor.delivery.callbacks import sign
from monitor.delivery.redact import host, hush_libraries, redact
from monitor.delivery.telegram_audit import TelegramAudit, Turn, mark_html, mark_text
from monitor.delivery.telegram_errors import Refused, classify_exception
from monitor.delivery.transports import Check, HttpOptions, required, short
from monitor.errors import DeliveryError
from monitor.model_delivery import Channel, ChatPace, DeliveryClaim, Operation, Outcome, OutcomeKind, Rendered

if TYPE_CHECKING:
    from telegram import Bot
    from telegram.request import HTTPXRequest

TOKEN_ENV = "RASID_TELEGRAM_TOKEN"  # noqa: S105 - a variable's name
CHAT_ENV = "RASID_TELEGRAM_CHAT"
MIN_GAP = 1.05  # seconds between two messages to a chat
LIMIT = 4095  # code points of a message, which has 4096: one is for the marker of an audit


def chat_of(channel: Channel, env: Mapping[str, str]) -> str:
    """The chat a telegram channel writes to: its `chat`, else the variable `chat_env` names; "" if neither is set."""
    chat = str(channel.options.get("chat") or "").strip()
    return chat or env.get(str(channel.options.get("chat_env") or CHAT_ENV), "").strip()


def token_of(channel: Channel, env: Mapping[str, str]) -> str:
    """The bot token of a telegram channel, "" if it is not in the environment."""
    return env.get(str(channel.options.get("token_env") or TOKEN_ENV), "").strip()


class TelegramTransport:
    """One chat (or one topic of it), written to by one bot."""

    def __init__(self, channel: Channel, env: Mapping[str, str], http: HttpOptions) -> None:
        self._name = channel.name
        self._token = required(channel, "token_env", TOKEN_ENV, env, "the token that @BotFather gave your bot")
        self._chat = chat_of(channel, env)
        if not self._chat:
            name = channel.options.get("chat_env") or CHAT_ENV
            raise DeliveryError(f"channel {channel.name}: give `chat` in channels.yaml, or set {name}")
        topic = channel.options.get("topic")
        self._topic = int(str(topic)) if topic else None
        self._silent = channel.options.get("silent") is True
        self._preview = channel.options.get("preview") is True
        self._picture = channel.options.get("picture") is True
        self._http = http
        self._bot = _bot(self._token, http)
        self.audit = self._audit(str(channel.options.get("audit") or ""))
        self.pace = self._pace(self._chat)
        self.limit = LIMIT

    def _pace(self, chat: str) -> ChatPace:
        bot_id = self._token.partition(":")[0]
        private = chat.isascii() and chat.isdigit()  # only users have positive ids
        return ChatPace(
            chat_key=f"telegram:{bot_id}:{chat}",
            min_gap=MIN_GAP,
            per_minute=0 if private else 20,
            shared_key=f"telegram:{bot_id}",
            shared_per_second=30,
        )

    def _audit(self, chat: str) -> TelegramAudit | None:
        if not chat:
            return None
        # Several daemons look at once, and their turns are not timed as exactly; 18 a minute go no faster anyway.
        pace = replace(self._pace(chat), min_gap=3 * MIN_GAP, per_minute=18)
        return TelegramAudit(self._bot, _chat_id(chat), pace, self._http.total * 0.7)

    def __repr__(self) -> str:
        return f"TelegramTransport({self._name!r}, chat={self._chat!r})"

    async def deliver(self, claim: DeliveryClaim, rendered: Rendered) -> Outcome:
        """One attempt: send or edit. Every failure becomes an outcome; only cancellation is raised."""
        chat = _chat_id(claim.chat_id or self._chat)
        try:
            async with asyncio.timeout(self._http.total):
                if claim.operation is Operation.EDIT:
                    return await self._edit(chat, claim, rendered)
                return await self._send(chat, claim.plain, rendered, claim.marker)
        except Exception as error:
            return self._outcome(error, claim.operation)

    async def look(self, claim: DeliveryClaim, confirmed: int, turn: Turn) -> Outcome:
        """Whether a lost message is in the chat, by way of the audit chat, which there must be."""
        assert self.audit is not None
        outcome = await self.audit.look(_chat_id(claim.chat_id or self._chat), claim, confirmed, turn)
        return replace(outcome, detail=short(redact(outcome.detail, self._token)))

    async def _send(self, chat: int | str, plain: bool, rendered: Rendered, marker: str = "") -> Outcome:
        text, mode = _body(rendered, plain)
        entities: list[dict[str, Any]] = []
        if marker and self.audit is not None:
            if mode is None:
                text, entities = mark_text(text, marker)
            else:
                text = mark_html(text, marker, last=self._preview)
        message = await self._bot.send_message(
            chat,
            text,
            parse_mode=mode,
            entities=[_entity(one) for one in entities] or None,
            disable_notification=self._silent or rendered.silent,
            link_preview_options=self._link_preview(rendered),
            message_thread_id=self._topic,
            reply_markup=self._keyboard(rendered),
            reply_parameters=_reply(rendered),
        )
        return Outcome(OutcomeKind.SENT, external_id=str(message.message_id))

    async def _edit(self, chat: int | str, claim: DeliveryClaim, rendered: Rendered) -> Outcome:
        text, mode = _body(rendered, claim.plain)
        await self._bot.edit_message_text(
            text,
            chat_id=chat,
            message_id=_message_id(claim),
            parse_mode=mode,
            link_preview_options=self._link_preview(rendered),
            reply_markup=self._keyboard(rendered),
        )
        return Outcome(OutcomeKind.SENT, external_id=claim.external_id)

    def _keyboard(self, rendered: Rendered) -> Any:
        from telegram import InlineKeyboardButton, InlineKeyboardMarkup

        rows = [
            [InlineKeyboardButton(one.label, callback_data=sign(self._token, one.action, one.alert_id)) for one in row]
            for row in rendered.buttons
        ]
        return InlineKeyboardMarkup(rows) if rows else None

    def _link_preview(self, rendered: Rendered) -> Any:
        """Of the article, small below the text, or its picture above it. Telegram reads both from the article's page:
        a message stays text, which has more room than a caption and can be edited as a story grows."""
        from telegram import LinkPreviewOptions

        if not (self._preview or self._picture) or not rendered.link:
            return LinkPreviewOptions(is_disabled=True)
        if self._picture:
            return LinkPreviewOptions(url=rendered.link, prefer_large_media=True, show_above_text=True)
        return LinkPreviewOptions(url=rendered.link, prefer_small_media=True)

    def _outcome(self, error: Exception, operation: Operation) -> Outcome:
        outcome = classify_exception(error, operation)
        detail = short(redact(outcome.detail, self._token))
        return Outcome(outcome.kind, detail, outcome.external_id, outcome.retry_after, outcome.chat_id)

    async def diagnose(self, sample: Rendered | None = None) -> list[Check]:
        """Token, host, chat, rights and topic, in this order; stops at the first that makes the rest moot."""
        from monitor.delivery.telegram_diagnosis import diagnose, diagnose_audit

        checks = await diagnose(self._bot, _chat_id(self._chat), self._topic, host(self._http.base_url))
        if self.audit is not None and all(check.ok for check in checks):
            checks += await diagnose_audit(self._bot, _chat_id(self._chat), self.audit.chat)
        if sample is not None and all(check.ok for check in checks):
            checks.append(await self._sample(sample))
        return [Check(c.ok, short(redact(c.what, self._token)), redact(c.mend, self._token)) for c in checks]

    async def _sample(self, sample: Rendered) -> Check:
        from monitor.delivery.telegram_diagnosis import unsent

        try:
            async with asyncio.timeout(self._http.total):
                outcome = await self._send(_chat_id(self._chat), False, sample)
        except Exception as error:
            outcome = self._outcome(error, Operation.SEND)
        if outcome.kind is OutcomeKind.SENT:
            return Check(True, f"a sample was sent (message {outcome.external_id})")
        return unsent(outcome)

    async def close(self) -> None:
        """Close the connections to the Bot API."""
        for request in self._bot._request:  # Bot.shutdown() does nothing for a bot that was never initialised
            await request.shutdown()


def _bot(token: str, http: HttpOptions) -> Bot:
    from telegram import Bot
    from telegram.warnings import PTBUserWarning

    hush_libraries()
    warnings.filterwarnings("ignore", r"Please use 'Bot\.", PTBUserWarning)  # the diagnosis wants raw replies
    base = http.base_url.rstrip("/")
    base = base if base.endswith("/bot") else f"{base}/bot"
    try:
        return Bot(token, base_url=base, request=_request(http), get_updates_request=_request(http))
    except Exception as error:
        raise DeliveryError(f"the Telegram client cannot be set up: {redact(str(error), token)}") from None


def _request(http: HttpOptions) -> HTTPXRequest:
    from telegram.request import HTTPXRequest

    class Request(HTTPXRequest):
        """Hands on only replies that say ok; all others are raised as they came, before the library words them."""

        async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
            status, payload = await super().do_request(*args, **kwargs)
            try:
                reply = json.loads(payload.decode("utf-8", "replace"))
            except (ValueError, RecursionError):
                reply = None
            if not (200 <= status <= 299 and isinstance(reply, dict) and reply.get("ok") is True and "result" in reply):
                raise Refused(status, reply if isinstance(reply, dict) else None)
            return status, payload

    return Request(
        connection_pool_size=8,
        connect_timeout=http.connect_timeout,
        read_timeout=http.read_timeout,
        write_timeout=http.write_timeout,
        pool_timeout=http.pool_timeout,
        proxy=http.proxy,
        httpx_kwargs={"trust_env": False, "follow_redirects": False, "verify": _certificates()},
    )


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Read once: for each of sixty channels anew, a start would take seconds longer."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def _chat_id(chat: str) -> int | str:
    try:
        return int(chat)
    except ValueError:
        return chat if chat.startswith("@") else f"@{chat}"


def _entity(given: Mapping[str, Any]) -> Any:
    from telegram import MessageEntity

    return MessageEntity(**given)


def _message_id(claim: DeliveryClaim) -> int:
    try:
        return int(claim.external_id or "")
    except ValueError:
        raise Refused(400, {"description": "message to edit not found: it has no id", "error_code": 400}) from None


def _reply(rendered: Rendered) -> Any:
    """What the message replies to; where that is no longer there, it is sent all the same."""
    from telegram import ReplyParameters

    if rendered.reply_to is None or not rendered.reply_to.isdigit():
        return None
    return ReplyParameters(int(rendered.reply_to), allow_sending_without_reply=True)


def _body(rendered: Rendered, plain: bool) -> tuple[str, str | None]:
    return (rendered.text, None) if plain or rendered.html is None else (rendered.html, "HTML")

"""Was a message sent of which nobody knows? Looked up by forwarding what came after the last known one.

The law: a look sends nothing to the chat and changes nothing there; it says "there" only of a message that carries
the very marker, and "not there" only after ids beyond the newest one. Anything else is no answer yet.

The marker is a link over one invisible character (U+2060). Telegram trims spaces, strips U+2028–202E and lets runs of
RLM collapse, but keeps this character and its link, also in a forwarded copy; readers see nothing of it, and an equal
text in another message has another marker. It stands first, where the limit of 100 entities does not cut it off; last,
where a preview is wanted, which is made of the first link.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from html import unescape
from typing import TYPE_CHECKING, Any

from monitor.delivery.telegram_errors import classify_exception
from monitor.model_delivery import ChatPace, DeliveryClaim, Operation, Outcome, OutcomeKind

if TYPE_CHECKING:
    from telegram import Bot

Turn = Callable[[], Awaitable[float]]  # seconds until one message more may go to the audit chat; 0: it may, and counts

BEYOND = 5  # ids in a row without a message: there is none after them
AT_ONCE = 20  # ids in one look
FAR = 200  # ids looked at for one message; so many others do not come within a minute and a half
_MARK = "\u2060"
_PLACE = "https://rasid.invalid/"  # a name that never leads anywhere (RFC 2606)
_LIMIT = 4096
_TAG = re.compile(r"<[^>]*>")
_LOOKABLE = ("channel", "supergroup")


def mark_html(html: str, marker: str, *, last: bool) -> str:
    """The message with its marker; as it was where no room is left for one character more."""
    if len(unescape(_TAG.sub("", html))) >= _LIMIT:
        return html
    link = f'<a href="{_PLACE}{marker}">{_MARK}</a>'
    return html + link if last else link + html


def mark_text(text: str, marker: str) -> tuple[str, list[dict[str, Any]]]:
    """(the plain text with its marker, the entities that make it one)"""
    if len(text) >= _LIMIT:
        return text, []
    return _MARK + text, [{"type": "text_link", "offset": 0, "length": 1, "url": _PLACE + marker}]


def cannot_look(kind: str, protected: object) -> str:
    """Why lost messages of a chat cannot be looked for; "" if they can."""
    if kind not in _LOOKABLE:
        return f"a {kind} chat numbers its messages together with others"
    return "its content is protected from being forwarded" if protected else ""


class TelegramAudit:
    """Looks for lost messages of one channel by way of a silent audit chat."""

    def __init__(self, bot: Bot, audit: int | str, pace: ChatPace, seconds: float) -> None:
        self.chat = audit
        self.pace = pace
        self._bot = bot
        self._seconds = seconds  # that one look may take
        self._looked: dict[int, int] = {}  # by delivery: the last id that a look without an answer came to

    async def look(self, chat: int | str, claim: DeliveryClaim, confirmed: int, turn: Turn) -> Outcome:
        """Is the message of this claim in the chat? confirmed: the last id known to be in it, 0 if none is.

        SENT with its id, UNSENT (it is not there, or cannot be looked for), or UNSEEN (no answer yet).
        """
        try:
            about: Mapping[str, Any] = await self._bot.do_api_request("getChat", {"chat_id": chat})
        except Exception as error:
            return _unseen(classify_exception(error, Operation.SEND))
        if why := cannot_look(str(about.get("type")), about.get("has_protected_content")):
            return Outcome(OutcomeKind.UNSENT, f"it cannot be looked for: {why}")
        outcome = await self._search(chat, claim, confirmed, turn)
        if outcome.kind is not OutcomeKind.UNSEEN:
            self._looked.pop(claim.id, None)
        return outcome

    async def _search(self, chat: int | str, claim: DeliveryClaim, confirmed: int, turn: Turn) -> Outcome:
        end = time.monotonic() + self._seconds
        first = max(confirmed, self._looked.get(claim.id, 0)) + 1
        missing = 0
        for message_id in range(first, first + AT_ONCE):
            while not missing and (wait := await turn()):  # a turn that no copy came of is not spent
                if time.monotonic() + wait >= end:
                    return Outcome(OutcomeKind.UNSEEN, "the audit chat was busy", retry_after=wait)
                await asyncio.sleep(wait)
            found = await self._forward(chat, message_id)
            if isinstance(found, Outcome):
                return found
            if found is not None and _marker(found) == claim.marker:
                return Outcome(OutcomeKind.SENT, "found in the chat", external_id=str(message_id))
            missing = missing + 1 if found is None else 0
            if missing == BEYOND:
                return Outcome(OutcomeKind.UNSENT, "looked for, and not there")
            if not missing:
                self._looked[claim.id] = message_id
        if first > confirmed + FAR:
            return Outcome(OutcomeKind.UNSENT, f"it cannot be looked for: more than {FAR} messages came after")
        return Outcome(OutcomeKind.UNSEEN, "many messages came after; looked for in more of them next time")

    async def _forward(self, chat: int | str, message_id: int) -> Mapping[str, Any] | Outcome | None:
        """The message as its copy shows it, {} if it cannot be forwarded, None if there is none."""
        asked = {"chat_id": self.chat, "from_chat_id": chat, "message_id": message_id, "disable_notification": True}
        try:
            copy: Mapping[str, Any] = await self._bot.do_api_request("forwardMessage", asked)
        except Exception as error:
            outcome = classify_exception(error, Operation.SEND)
            words = outcome.detail.lower()
            if "message to forward not found" in words or "message_id_invalid" in words:
                return None
            if "can't be forwarded" in words:  # someone joined, something was pinned
                return {}
            return _unseen(outcome, audit=True)
        return copy


def _unseen(outcome: Outcome, *, audit: bool = False) -> Outcome:
    """What a look that failed says of the message. A refusal of the audit chat will not change by itself."""
    detail = f"while it was looked for: {outcome.detail}"
    passing = (OutcomeKind.RETRY, OutcomeKind.UNKNOWN, OutcomeKind.STOP)
    if audit and outcome.kind not in passing:
        return Outcome(OutcomeKind.UNSENT, f"it cannot be looked for; the audit chat: {outcome.detail}")
    if outcome.kind is OutcomeKind.MIGRATED:
        return Outcome(OutcomeKind.UNSENT, f"it cannot be looked for: {outcome.detail}")
    return Outcome(OutcomeKind.UNSEEN, detail, retry_after=outcome.retry_after)


def _marker(message: Mapping[str, Any]) -> str:
    for entity in (*message.get("entities", ()), *message.get("caption_entities", ())):
        url = str(entity.get("url", ""))
        if url.startswith(_PLACE):
            return url.removeprefix(_PLACE)
    return ""

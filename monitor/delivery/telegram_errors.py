"""The Bot API's words → outcomes. Pure; the only place that knows how Telegram phrases its refusals."""

from __future__ import annotations

import re
from collections.abc import Mapping

from monitor.model_delivery import Operation, Outcome, OutcomeKind

DEFAULT_RETRY_AFTER = 30.0  # for a 429 that does not say how long
_LARGEST = 2**53  # of the numbers that Telegram sends: its ids fit into a double

_HOLD = (
    *("chat not found", "not enough rights", "have no rights", "no write access", "need administrator rights"),
    *("chat_write_forbidden", "chat_admin_required", "chat_restricted", "chat_send_", "channel_private"),
    *("peer_id_invalid", "user_is_blocked", "bot was kicked", "bot was blocked", "bot is not a member"),
    *("group chat was upgraded", "group chat was deactivated", "chat_forbidden", "user is deactivated"),
    *("input_user_deactivated", "can't initiate conversation"),
)
_HOLD_TOPIC = ("topic_closed", "topic closed", "topic_deleted", "topic deleted", "thread not found", "topic_id_invalid")
_PLAIN = (
    *("can't parse entities", "can't parse message text", "message is too long", "message_too_long"),
    *("entities_too_long", "entity_bounds_invalid", "entity_", "can't find end of", "media_caption_too_long"),
)
_GONE = (*("message to edit not found", "message can't be edited", "message_id_invalid", "message not found"),)
_RETRY_IN_WORDS = re.compile(r"retry (?:after|in) (\d+)", re.IGNORECASE)
_MIGRATED_IN_WORDS = re.compile(r"new chat id:? (-?\d+)", re.IGNORECASE)


class Refused(Exception):
    """Any reply of the Bot API other than a result. reply is its JSON object, None where it sent something else."""

    def __init__(self, status: int, reply: Mapping[str, object] | None) -> None:
        self.status = status
        self.reply = reply
        super().__init__(f"status {status}")


def classify(status: int, reply: Mapping[str, object] | None, operation: Operation) -> Outcome:
    """What a reply without a result means.

    Args:
        status: of HTTP.
        reply: the JSON object, or None where the body was no JSON object (HTML of a proxy, cut off, empty).
        operation: what was attempted.
    """
    if reply is None:
        return _without_json(status)
    words = str(reply.get("description") or f"status {status} without a description")
    code = reply.get("error_code")
    if 200 <= status <= 299:  # ok: false, or a result that is missing, under a good status
        if not isinstance(code, int) or reply.get("ok") is True:
            return Outcome(OutcomeKind.UNKNOWN, f"a reply without a result: {words}")
        status = code
    parameters = reply.get("parameters")
    parameters = parameters if isinstance(parameters, Mapping) else {}
    new_chat = _integer(parameters.get("migrate_to_chat_id")) or _integer_in(_MIGRATED_IN_WORDS, words)
    if new_chat:
        return Outcome(OutcomeKind.MIGRATED, words, chat_id=str(new_chat))
    if status == 429:
        wait = _integer(parameters.get("retry_after")) or _integer_in(_RETRY_IN_WORDS, words) or DEFAULT_RETRY_AFTER
        return Outcome(OutcomeKind.RETRY, words, retry_after=float(wait))
    return Outcome(_by_words(status, words.lower(), operation), words)


def _by_words(status: int, words: str, operation: Operation) -> OutcomeKind:
    if status in (401, 404):
        return OutcomeKind.STOP
    if status == 413:
        return OutcomeKind.PLAIN
    if status not in (400, 403):
        return OutcomeKind.UNKNOWN
    if "message is not modified" in words:
        return OutcomeKind.NOT_MODIFIED
    if any(said in words for said in _HOLD_TOPIC):
        return OutcomeKind.HOLD_CHANNEL
    if any(said in words for said in _HOLD):
        return OutcomeKind.HOLD_CHAT
    if any(said in words for said in _PLAIN):
        return OutcomeKind.PLAIN
    if operation is not Operation.SEND and any(said in words for said in _GONE):
        return OutcomeKind.GONE
    return OutcomeKind.HOLD_CHAT if status == 403 else OutcomeKind.REJECTED


def _without_json(status: int) -> Outcome:
    if status == 429:
        return Outcome(OutcomeKind.RETRY, "Too Many Requests", retry_after=DEFAULT_RETRY_AFTER)
    if status in (401, 404):
        words = f"status {status} and no JSON: is telegram.base_url the address of a Bot API server?"
        return Outcome(OutcomeKind.STOP, words)
    if status == 413:
        return Outcome(OutcomeKind.PLAIN, "Request Entity Too Large")
    return Outcome(OutcomeKind.UNKNOWN, f"status {status} and a body that is no JSON object")


def classify_exception(error: BaseException, operation: Operation) -> Outcome:
    """What an exception raised by the client means. Its text may hold secrets: the caller redacts `detail`."""
    import httpx

    if isinstance(error, Refused):
        return classify(error.status, error.reply, operation)
    cause = _cause(error)
    if isinstance(cause, Refused):
        return classify(cause.status, cause.reply, operation)
    if isinstance(cause, httpx.PoolTimeout):
        return Outcome(OutcomeKind.RETRY, "no free connection; the request was not sent")
    if isinstance(cause, httpx.ConnectTimeout | httpx.ConnectError | httpx.ProxyError):
        return Outcome(OutcomeKind.RETRY, f"no connection: {_words(cause)}")
    if isinstance(cause, httpx.UnsupportedProtocol | httpx.InvalidURL):
        return Outcome(OutcomeKind.STOP, f"the Bot API's address cannot be used: {_words(cause)}")
    if isinstance(cause, TimeoutError | httpx.TimeoutException):
        return Outcome(OutcomeKind.UNKNOWN, "no answer in time")
    return Outcome(OutcomeKind.UNKNOWN, _words(cause))


def _cause(error: BaseException) -> BaseException:
    """The exception at the root of the chain: the library wraps the client's, which alone tells when it happened."""
    for _ in range(5):
        if not isinstance(error.__cause__, BaseException) or type(error).__module__.partition(".")[0] != "telegram":
            break
        error = error.__cause__
    return error


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST else None


def _integer_in(pattern: re.Pattern[str], words: str) -> int | None:
    found = pattern.search(words)
    return _integer(int(found.group(1)[:18])) if found else None

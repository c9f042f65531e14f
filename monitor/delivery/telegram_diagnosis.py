"""Why does nothing arrive in this Telegram chat? Asked of the Bot API step by step, answered in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from monitor.delivery.telegram_audit import cannot_look
from monitor.delivery.telegram_errors import classify_exception
from monitor.delivery.transports import Check
from monitor.model_delivery import Operation, Outcome, OutcomeKind

if TYPE_CHECKING:
    from telegram import Bot

Reply = Mapping[str, Any]  # as the server sent it: the library's classes refuse servers older or newer than they are


async def diagnose(bot: Bot, chat: int | str, topic: int | None, server: str) -> list[Check]:
    """Token, chat, rights, topic. Texts are not yet redacted; `server` is what may be shown of its address."""
    checks: list[Check] = []
    try:
        me: Reply = await bot.do_api_request("getMe")
    except Exception as error:
        return [_no_bot(_outcome(error), server)]
    username = str(me.get("username", ""))
    checks.append(Check(True, f"the token is good: it belongs to @{username}"))
    try:
        found: Reply = await bot.do_api_request("getChat", {"chat_id": chat})
    except Exception as error:
        return [*checks, _no_chat(_outcome(error), chat, username)]
    title = found.get("title") or found.get("username") or found.get("first_name") or ""
    checks.append(Check(True, f"the chat is there: {found.get('type')} “{title}” ({found.get('id')})"))
    if found.get("type") != "private":
        checks.append(await _membership(bot, found, me))
    if topic is not None and checks[-1].ok:
        checks.append(await _topic(bot, chat, topic))
    return checks


async def _membership(bot: Bot, chat: Reply, me: Reply) -> Check:
    try:
        asked = {"chat_id": chat.get("id"), "user_id": me.get("id")}
        member: Reply = await bot.do_api_request("getChatMember", asked)
    except Exception as error:
        what = f"the bot's rights cannot be seen: {_outcome(error).detail}"
        return Check(False, what, _add_bot(str(me.get("username", ""))))
    return _rights(member, str(chat.get("type")), str(me.get("username", "")))


async def diagnose_audit(bot: Bot, chat: int | str, audit: int | str) -> list[Check]:
    """Can lost messages of the chat be looked for by way of the audit chat?"""
    try:
        about: Reply = await bot.do_api_request("getChat", {"chat_id": chat})
        me: Reply = await bot.do_api_request("getMe")
        found: Reply = await bot.do_api_request("getChat", {"chat_id": audit})
    except Exception as error:
        mend = "Make a channel of its own, with the bot as an administrator, or leave out `audit`."
        return [Check(False, f"the audit chat {audit} is not there for this bot: {_outcome(error).detail}", mend)]
    if why := cannot_look(str(about.get("type")), about.get("has_protected_content")):
        return [Check(False, f"lost messages cannot be looked for: {why}", "Leave out `audit`: it is of no use here.")]
    member = await _membership(bot, found, me)
    what = f"the audit chat is there: “{found.get('title') or audit}”" if member.ok else f"audit chat: {member.what}"
    return [Check(member.ok, what, member.mend)]


async def _topic(bot: Bot, chat: int | str, topic: int) -> Check:
    asked = {"chat_id": chat, "action": "typing", "message_thread_id": topic}
    try:
        await bot.do_api_request("sendChatAction", asked)
    except Exception as error:
        return _no_topic(_outcome(error), topic)
    return Check(True, f"topic {topic} is there and open")


def _outcome(error: Exception) -> Outcome:
    return classify_exception(error, Operation.SEND)


def _no_bot(outcome: Outcome, server: str) -> Check:
    if outcome.kind is OutcomeKind.STOP:
        mend = "Copy the token again from @BotFather (/mybots → API Token) into .env, which is taken over at once."
        return Check(False, f"the token is refused: {outcome.detail}", mend)
    mend = "Is the machine online? Where Telegram is blocked, set telegram.proxy (http:// or socks5://)."
    return Check(False, f"{server} cannot be reached: {outcome.detail}", mend)


def _no_chat(outcome: Outcome, chat: int | str, username: str) -> Check:
    if outcome.kind in (OutcomeKind.RETRY, OutcomeKind.UNKNOWN):
        return Check(False, f"chat {chat} could not be looked up: {outcome.detail}", "Try again in a minute.")
    if outcome.kind is OutcomeKind.MIGRATED:
        return Check(False, f"the group {chat} became a supergroup", _new_chat(outcome))
    return Check(
        False, f"chat {chat} is not there for this bot: {outcome.detail}", f"{_spelling(chat)} {_add_bot(username)}"
    )


def unsent(outcome: Outcome) -> Check:
    """What a sample says that did not arrive although all else looked right."""
    words = outcome.detail.lower()
    mend = "The words after the colon are Telegram's."
    if outcome.kind is OutcomeKind.MIGRATED:
        mend = _new_chat(outcome)
    elif "blocked" in words or "can't initiate" in words or "deactivated" in words:
        mend = "The person must open the chat with the bot and press Start (or Unblock); or write to another chat."
    elif "not enough rights" in words or "chat_send_" in words or "restricted" in words:
        mend = "In the group's permissions, allow the bot to send text messages, or make it an administrator."
    elif outcome.retry_after is not None:
        mend = f"Telegram asks to wait {outcome.retry_after:.0f} seconds; then try again."
    elif outcome.kind is OutcomeKind.UNKNOWN:
        mend = "It may have arrived all the same: look there, then try again."
    return Check(False, f"the sample was not sent: {outcome.detail}", mend)


def _new_chat(outcome: Outcome) -> str:
    return f'Write chat: "{outcome.chat_id}" into channels.yaml.'


def _spelling(chat: int | str) -> str:
    if isinstance(chat, str):
        return f"{chat} must be the public name of a channel or group; private ones need their number."
    if chat > 0:
        return "A positive number is a person, who must press Start in the bot first; channels and groups are negative."
    if not str(chat).startswith("-100"):
        return f"Channels and supergroups begin with -100: perhaps it is -100{-chat}."
    return "Check the number: forward a post of the channel to @userinfobot, which tells it."


def _add_bot(username: str) -> str:
    return f"Add @{username} to the channel as an administrator with the right to post messages."


def _rights(member: Reply, kind: str, username: str) -> Check:
    status = str(member.get("status"))
    if status in ("left", "kicked"):
        return Check(
            False, "the bot is not in the chat" if status == "left" else "the bot was removed", _add_bot(username)
        )
    if kind == "channel":
        if status not in ("administrator", "creator"):
            return Check(False, "the bot is not an administrator of the channel", _add_bot(username))
        if status == "administrator" and not member.get("can_post_messages"):
            mend = f"In the channel: Administrators → @{username} → allow “Post messages”."
            return Check(False, "the bot is an administrator but may not post messages", mend)
    if status == "restricted" and not member.get("can_send_messages", True):
        return Check(
            False,
            "the bot is restricted and may not send messages",
            f"In the group's permissions, lift the restriction of @{username}.",
        )
    return Check(True, f"the bot may post there ({status})")


def _no_topic(outcome: Outcome, topic: int) -> Check:
    mend = (
        "Take the number from a link to a message of the topic (t.me/c/…/TOPIC/…), or leave out `topic`; "
        "a closed topic must be reopened."
    )
    return Check(False, f"topic {topic} cannot be written to: {outcome.detail}", mend)

"""Why does nothing arrive in this Telegram chat? Asked of the Bot API step by step, answered in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.delivery.telegram_errors import classify_exception
from monitor.delivery.transports import Check
from monitor.model import Operation, Outcome, OutcomeKind

if TYPE_CHECKING:
    from telegram import Bot, ChatFullInfo, ChatMember


async def diagnose(bot: Bot, chat: int | str, topic: int | None, server: str) -> list[Check]:
    """Token, chat, rights, topic. Texts are not yet redacted; `server` is what may be shown of its address."""
    checks: list[Check] = []
    try:
        me = await bot.get_me()
    except Exception as error:
        return [_no_bot(_outcome(error), server)]
    checks.append(Check(True, f"the token is good: it belongs to @{me.username}"))
    try:
        found = await bot.get_chat(chat)
    except Exception as error:
        return [*checks, _no_chat(_outcome(error), chat, str(me.username))]
    title = found.title or found.username or found.first_name or ""
    checks.append(Check(True, f"the chat is there: {found.type} “{title}” ({found.id})"))
    if found.type != "private":
        try:
            member = await bot.get_chat_member(found.id, me.id)
        except Exception as error:
            return [
                *checks,
                Check(False, f"the bot's rights cannot be seen: {_outcome(error).detail}", _add_bot(me.username)),
            ]
        checks.append(_rights(member, found, str(me.username)))
    if topic is not None and checks[-1].ok:
        try:
            await bot.send_chat_action(found.id, "typing", message_thread_id=topic)
            checks.append(Check(True, f"topic {topic} is there and open"))
        except Exception as error:
            checks.append(_no_topic(_outcome(error), topic))
    return checks


def _outcome(error: Exception) -> Outcome:
    return classify_exception(error, Operation.SEND)


def _no_bot(outcome: Outcome, server: str) -> Check:
    if outcome.kind is OutcomeKind.STOP:
        mend = "Copy the token again from @BotFather (/mybots → API Token) into the environment or .env, and restart."
        return Check(False, f"the token is refused: {outcome.detail}", mend)
    mend = "Is the machine online? Where Telegram is blocked, set telegram.proxy (http:// or socks5://)."
    return Check(False, f"{server} cannot be reached: {outcome.detail}", mend)


def _no_chat(outcome: Outcome, chat: int | str, username: str) -> Check:
    if outcome.kind in (OutcomeKind.RETRY, OutcomeKind.UNKNOWN):
        return Check(False, f"chat {chat} could not be looked up: {outcome.detail}", "Try again in a minute.")
    return Check(
        False, f"chat {chat} is not there for this bot: {outcome.detail}", f"{_spelling(chat)} {_add_bot(username)}"
    )


def _spelling(chat: int | str) -> str:
    if isinstance(chat, str):
        return f"{chat} must be the public name of a channel or group; private ones need their number."
    if chat > 0:
        return "A positive number is a person, who must press Start in the bot first; channels and groups are negative."
    if not str(chat).startswith("-100"):
        return f"Channels and supergroups begin with -100: perhaps it is -100{-chat}."
    return "Check the number: forward a post of the channel to @userinfobot, which tells it."


def _add_bot(username: str | None) -> str:
    return f"Add @{username} to the channel as an administrator with the right to post messages."


def _rights(member: ChatMember, chat: ChatFullInfo, username: str) -> Check:
    status = str(member.status)
    if status in ("left", "kicked"):
        return Check(
            False, "the bot is not in the chat" if status == "left" else "the bot was removed", _add_bot(username)
        )
    if chat.type == "channel":
        if status not in ("administrator", "creator"):
            return Check(False, "the bot is not an administrator of the channel", _add_bot(username))
        if status == "administrator" and not getattr(member, "can_post_messages", False):
            mend = f"In the channel: Administrators → @{username} → allow “Post messages”."
            return Check(False, "the bot is an administrator but may not post messages", mend)
    if status == "restricted" and not getattr(member, "can_send_messages", True):
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

"""Links to messages that were posted: of Telegram's channels and supergroups, the only chats whose posts have one."""

from __future__ import annotations

import re

_PLACE = re.compile(r"telegram:\d+:(\S+)(?: (-?\d+))?")  # as store.claiming.place writes it: key, id after a migration
_PUBLIC = re.compile(r"@([A-Za-z]\w{3,31})")


def link(chat: str | None, external_id: str | None) -> str | None:
    """The t.me address of a message; None where it has none (private chats, basic groups, other channels).

    chat, external_id: as the store keeps them of a message. Of a message of several parts, the first.
    """
    place = _PLACE.fullmatch(chat or "")
    number = re.match(r"\d+", external_id or "")
    if place is None or number is None:
        return None
    name = place[2] or place[1]
    public = _PUBLIC.fullmatch(name)
    if public:
        return f"https://t.me/{public[1]}/{number[0]}"
    return f"https://t.me/c/{name[4:]}/{number[0]}" if re.fullmatch(r"-100\d+", name) else None

"""Who may do what. Strangers are not answered at all, so that nobody learns that there is a bot to be tried."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Literal

from monitor.settings.models import Bot

MINUTE = timedelta(minutes=1)


class Role(IntEnum):
    """What somebody may do; each may what those before it may."""

    READER = 1
    EDITOR = 2
    OWNER = 3


@dataclass(frozen=True, slots=True)
class Person:
    """A Telegram user who may use the bot. language: ar or en."""

    id: int
    name: str
    role: Role
    language: str

    @property
    def key(self) -> str:
        """As the store names them."""
        return str(self.id)


def person_of(user_id: int, name: str, language_code: str | None, bot: Bot, usual: str) -> Person | None:
    """The person behind a Telegram user, None for a stranger. usual: the language where Telegram tells none."""
    held = {Role.OWNER: bot.owners, Role.EDITOR: bot.editors, Role.READER: bot.readers}
    roles = [role for role, ids in held.items() if str(user_id) in ids]
    if not roles:
        return None
    language: str = bot.language
    if language == "auto":
        language = ("ar" if language_code.lower().startswith("ar") else "en") if language_code else usual
    return Person(user_id, _clean(name), max(roles), language)


def _clean(name: str) -> str:
    """A name as it may stand in lists and on terminals."""
    return " ".join("".join(one if one.isprintable() else " " for one in name).split())[:80]


@dataclass(slots=True)
class Allowance:
    """How many commands a person may still give in a minute."""

    _given: dict[int, deque[datetime]] = field(default_factory=dict)

    def take(self, person: Person, most: int, now: datetime) -> Literal["granted", "first refused", "refused"]:
        """Count one more. Refused ones count too: who floods has to stop before being answered again."""
        given = self._given.setdefault(person.id, deque(maxlen=most + 2))
        while given and not now - MINUTE < given[0] <= now:
            given.popleft()
        given.append(now)
        if len(given) <= most:
            return "granted"
        return "first refused" if len(given) == most + 1 else "refused"

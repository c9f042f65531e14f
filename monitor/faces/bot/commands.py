"""The table of commands, and how a line is read as one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from monitor.faces.bot import doing, looking
from monitor.faces.bot.desk import Asked
from monitor.faces.bot.people import Role
from monitor.faces.bot.sheet import Sheet


class Command(NamedTuple):
    """does: what it does. role: who may. shown: how it is written, for the list. looks: its help for readers, who may
    only look, where that is another; it is then written as its bare name."""

    does: Callable[[Asked], Awaitable[Sheet]]
    role: Role
    shown: str
    looks: str = ""


async def show_help(asked: Asked) -> Sheet:
    """The commands that the person may give."""
    sheet = asked.sheet()
    sheet.title(sheet.phrase("help"))
    for name, command in COMMANDS.items():
        if asked.person.role < command.role:
            continue
        looks = command.looks if asked.person.role is Role.READER else ""
        sheet.line(sheet.written(f"/{name}" if looks else command.shown))
        sheet.line(f"    {sheet.phrase(looks or f'help_{name}')}")
    return sheet.say("role", role=sheet.phrase(asked.person.role.name.lower()))


COMMANDS: Mapping[str, Command] = {
    "status": Command(looking.status, Role.READER, "/status"),
    "rules": Command(looking.rules, Role.READER, "/rules [WORD]"),
    "rule": Command(looking.rule, Role.READER, "/rule ID"),
    "hits": Command(looking.hits, Role.READER, "/hits [RULE]"),
    "find": Command(looking.find, Role.READER, "/find WORDS"),
    "test": Command(looking.test, Role.READER, "/test TEXT"),
    "silence": Command(
        doing.silence, Role.READER, "/silence [RULE | story N | outlet ID] 6h · /silence end N", "help_silences"
    ),
    "follow": Command(doing.follow, Role.READER, "/follow RULE"),
    "unfollow": Command(doing.unfollow, Role.READER, "/unfollow RULE"),
    "following": Command(doing.following, Role.READER, "/following"),
    "audit": Command(looking.audit, Role.OWNER, "/audit"),
    "help": Command(show_help, Role.READER, "/help"),
}


class Line(NamedTuple):
    """A message read as a command: its name, and what stands behind it."""

    name: str
    given: str


def read(text: str, bot_name: str) -> Line | None:
    """The command of a message; None where it is none, or is meant for another bot."""
    if not text.startswith("/"):
        return None
    head, _, given = text[1:].replace("\n", " \n", 1).partition(" ")
    name, _, addressed = head.partition("@")
    if addressed and addressed.lower() != bot_name.lower():
        return None
    name = name.lower()
    return Line("help" if name == "start" else name, given.strip(" "))

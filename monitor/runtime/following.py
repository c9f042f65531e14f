"""Rules that people follow in private: each of these people is a channel, beside those of channels.yaml.

What they are sent goes through the same outbox as everything else. Who may not use the bot any more is sent nothing:
what still waited for them ends, with that as its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitor.delivery import telling, transports
from monitor.delivery.telegram import TOKEN_ENV
from monitor.flow import Flow
from monitor.model_delivery import PERSON, Channel
from monitor.runtime.configuration import Configuration
from monitor.settings import Settings
from monitor.store.store import Store

NO_ACCESS = "this person may not use the bot any more, or it was turned off"


@dataclass(frozen=True, slots=True)
class Followed:
    """channels: of people, by name. by_rule: the names of those who follow each rule."""

    channels: Mapping[str, Channel] = field(default_factory=dict)
    by_rule: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def bot_token(found: Configuration) -> str:
    """The token of the bot that people talk to; "" where it is off, or has none."""
    return found.settings.environ.get(TOKEN_ENV, "").strip() if found.settings.settings.bot.enabled else ""


def with_buttons(found: Configuration, channels: Mapping[str, Channel]) -> dict[str, bool]:
    """The channels whose alerts bear buttons: those that the bot itself writes to. False: readers may only look."""
    token, bot = bot_token(found), found.settings.settings.bot
    telegram = [one for one in channels.values() if one.type == "telegram"]
    mine = [one.name for one in telegram if token and _token(one, found) == token]
    editors = {PERSON + person for person in (*bot.owners, *bot.editors)}
    return {name: not name.startswith(PERSON) or name in editors for name in mine}


def _token(channel: Channel, found: Configuration) -> str:
    return found.settings.environ.get(str(channel.options.get("token_env") or TOKEN_ENV), "").strip()


def followed(store: Store, found: Configuration, now: datetime) -> Followed:
    """Who follows what, as far as they may. Runs on the writer thread, and ends what waits for those who may not."""
    settings = found.settings.settings
    allowed = set(settings.bot.people) if bot_token(found) else set()
    languages: dict[str, str] = {}
    by_rule: dict[str, tuple[str, ...]] = {}
    for one in store.follows():
        if one.person in allowed:
            languages[one.person] = one.language
            by_rule[one.rule_id] = (*by_rule.get(one.rule_id, ()), PERSON + one.person)
    for name in store.waiting_channels(PERSON):
        person = name.removeprefix(PERSON)
        if person in allowed:  # what was on its way when they unfollowed still arrives
            languages.setdefault(person, settings.language)
        else:
            store.end_channel(name, NO_ACCESS, now)
    channels = {PERSON + person: _person(person, language, settings) for person, language in languages.items()}
    return Followed(channels, by_rule)


def _person(person: str, language: str, settings: Settings) -> Channel:
    """What a channel is told that sets nothing."""
    return Channel(
        PERSON + person,
        "telegram",
        language,
        settings.zone,
        {"chat": person},
        burst=telling.BURST,
        burst_window=telling.BURST_WINDOW,
        quiet=settings.alerts.quiet,
    )


async def refresh(flow: Flow, found: Callable[[], Configuration], now: datetime) -> None:
    """Let the flow know who follows what now: other processes, and the bot, change it while this one runs."""
    async with flow.configuring:
        present = found()
        people = await flow.write(followed, flow.store, present, now)
        known = {name: one for name, one in flow.channels.items() if name.startswith(PERSON)}
        if people.channels == known and people.by_rule == flow.followers:
            return
        # one that is there stays, for it may be sending: a person's language, quiet hours … are nothing to it
        new = {name: one for name, one in people.channels.items() if name not in flow.transports}
        gone = [one for name, one in flow.transports.items() if name in known and name not in people.channels]
        http = present.http_options()
        built = {name: transports.build(one, present.settings.environ, http=http) for name, one in new.items()}
        stay = {name: one for name, one in flow.channels.items() if not name.startswith(PERSON)}
        with flow.changing:
            flow.channels = {**stay, **people.channels}
            kept = {name: one for name, one in flow.transports.items() if name in flow.channels}
            flow.transports = {**kept, **built}
            flow.followers = people.by_rule
            flow.buttons = with_buttons(present, flow.channels)
        await flow.write(flow.store.open_chats, {name: one.pace for name, one in flow.transports.items()}, now)
        for transport in gone:
            await transport.close()

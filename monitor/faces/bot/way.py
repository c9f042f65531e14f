"""How the bot is reached, by the configuration."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.delivery.transports import HttpOptions
from monitor.runtime.configuration import Configuration
from monitor.runtime.following import bot_token
from monitor.settings.models import Bot


@dataclass(frozen=True, slots=True)
class Way:
    """When it changes, the bot begins anew. token "": the bot is off."""

    token: str
    wanted: Bot
    http: HttpOptions


def way(found: Configuration) -> Way:
    """As the configuration says. A bot that nobody may use is off, as is one that another process listens for."""
    wanted = found.settings.settings.bot
    return Way(bot_token(found) if wanted.people and wanted.listen else "", wanted, found.http_options())

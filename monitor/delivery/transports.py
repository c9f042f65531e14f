"""What a transport is, and the table of those there are. A new kind of channel is one file and one row here.

The law: only a transport reads its server's words; it never raises out of `deliver`, and no text that leaves it
(outcome, check, log line, repr) carries a secret.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from monitor.errors import DeliveryError
from monitor.model_delivery import Channel, ChatPace, DeliveryClaim, Outcome, Rendered

if TYPE_CHECKING:
    from rich.console import Console

LONGEST_TEXT = 32_000  # code points of a message where the channel sets no limit of its own
LONGEST_DETAIL = 300  # code points of a server's words that are kept


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """How transports reach the network. Times in seconds; `total` must stay below the delivery lease of 80 s."""

    proxy: str | None = None  # http://, https:// or socks5://; the environment's proxies are never used
    base_url: str = "https://api.telegram.org"  # of the Bot API
    connect_timeout: float = 10.0
    read_timeout: float = 75.0
    write_timeout: float = 30.0
    pool_timeout: float = 5.0
    total: float = 78.0


@dataclass(frozen=True, slots=True)
class Check:
    """One finding of a diagnosis: what was looked at and how it is; mend says what to do where it is not ok."""

    ok: bool
    what: str
    mend: str = ""


class Transport(Protocol):
    """Speaks one channel's protocol. limit: most code points of a message's text."""

    pace: ChatPace
    limit: int

    async def deliver(self, claim: DeliveryClaim, rendered: Rendered) -> Outcome:
        """Make one attempt. Never raises, except when cancelled."""
        ...

    async def diagnose(self, sample: Rendered | None = None) -> list[Check]:
        """Look at the channel as a person would who wonders why nothing arrives; send the sample if given."""
        ...

    async def close(self) -> None:
        """Give back connections. Idempotent."""
        ...


class Audit(Protocol):
    """Finds out whether a message of which nobody knows was sent."""

    pace: ChatPace  # of the audit chat

    async def look(
        self, chat: int | str, claim: DeliveryClaim, confirmed: int, turn: Callable[[], Awaitable[float]]
    ) -> Outcome:
        """SENT, UNSENT or UNSEEN. confirmed: the last id known in the chat; turn: seconds until the audit chat
        may be written to, 0 if now."""
        ...


@runtime_checkable
class Audited(Protocol):
    """A transport that can look for lost messages; audit is None where none was configured."""

    audit: Audit | None

    async def look(self, claim: DeliveryClaim, confirmed: int, turn: Callable[[], Awaitable[float]]) -> Outcome:
        """Is the message of a lost claim there? See Audit.look."""
        ...


Factory = Callable[[Channel, Mapping[str, str], HttpOptions, "Console | None"], Transport]


def _telegram(channel: Channel, env: Mapping[str, str], http: HttpOptions, console: Console | None) -> Transport:
    from monitor.delivery.telegram import TelegramTransport

    return TelegramTransport(channel, env, http)


def _webhook(channel: Channel, env: Mapping[str, str], http: HttpOptions, console: Console | None) -> Transport:
    from monitor.delivery.webhook import WebhookTransport

    return WebhookTransport(channel, env, http)


def _apprise(channel: Channel, env: Mapping[str, str], http: HttpOptions, console: Console | None) -> Transport:
    from monitor.delivery.apprise import AppriseTransport

    return AppriseTransport(channel, env, http)


def _file(channel: Channel, env: Mapping[str, str], http: HttpOptions, console: Console | None) -> Transport:
    from monitor.delivery.file import FileTransport

    return FileTransport(channel)


def _console(channel: Channel, env: Mapping[str, str], http: HttpOptions, console: Console | None) -> Transport:
    from monitor.delivery.console import ConsoleTransport

    return ConsoleTransport(channel, console)


TRANSPORTS: Mapping[str, Factory] = {
    "telegram": _telegram,
    "webhook": _webhook,
    "apprise": _apprise,
    "file": _file,
    "console": _console,
}


def build(
    channel: Channel,
    env: Mapping[str, str],
    *,
    http: HttpOptions | None = None,
    on_console: Console | None = None,
) -> Transport:
    """The transport of a channel. Libraries are loaded only for the types in use.

    Args:
        channel: as configured (and resolved: a telegram channel has its token and chat in the environment).
        env: the environment, for secrets.
        http: how to reach the network.
        on_console: the rich console that console channels print on; None: standard output.

    Raises:
        DeliveryError: the type is unknown, or a secret that it needs is not in the environment.
    """
    factory = TRANSPORTS.get(channel.type)
    if factory is None:
        raise DeliveryError(f"channel {channel.name}: no type {channel.type!r}; there are {', '.join(TRANSPORTS)}")
    return factory(channel, env, http or HttpOptions(), on_console)


def required(channel: Channel, option: str, default: str, env: Mapping[str, str], what: str) -> str:
    """The secret whose environment variable `option` names. Raises DeliveryError naming the variable to set."""
    name = str(channel.options.get(option) or default)
    value = env.get(name, "").strip()
    if not value:
        raise DeliveryError(f"channel {channel.name}: set {name} to {what}, in the environment or in .env")
    return value


def short(text: str) -> str:
    """A server's words in one line of at most LONGEST_DETAIL code points, without control characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: LONGEST_DETAIL * 4]).split())
    return line if len(line) <= LONGEST_DETAIL else line[: LONGEST_DETAIL - 1] + "…"

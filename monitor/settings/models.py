"""The settings as pydantic models. Every field has a default and a description, which docs/configuration.md repeats.

Durations are timedeltas, sizes are bytes. A setting that may be switched off is None when it is.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from monitor.settings.kinds import Host, Proxy, Size, between, database_url, off_or, origin_url, timezone_name
from monitor.yamlfile import Duration, Hours, Strict, Strings, quoted, show_duration

__all__ = ["Settings"]

_Off = BeforeValidator(off_or("off", "none", ""))
_Forever = BeforeValidator(off_or("forever", "off", "none"))


def _wait(low: str, high: str) -> AfterValidator:
    return AfterValidator(between(low, high))


class Database(Strict):
    """Where everything is stored."""

    url: Annotated[str, AfterValidator(database_url)] = Field(
        default="sqlite:///data/rasid.db",
        description="SQLite file (relative to the folder that holds the configuration folder) or postgresql://host/name",
        repr=False,
    )


class Polling(Strict):
    """How often and how many feeds are asked."""

    interval: Annotated[Duration, _wait("15s", "7d")] = Field(
        default=timedelta(minutes=5), description="time between two polls of a feed that sets none of its own"
    )
    concurrency: int = Field(default=20, ge=1, le=500, description="feeds polled at the same time")
    tick: Annotated[Duration, _wait("1s", "5m")] = Field(
        default=timedelta(seconds=2), description="how often the daemon looks for feeds that are due"
    )
    lease: Annotated[Duration, _wait("1m", "1h")] = Field(
        default=timedelta(minutes=5), description="a claimed feed is given to someone else after this long"
    )
    per_feed_cap: int = Field(
        default=20,
        ge=0,
        le=10_000,
        description="alerts one poll of a feed may send one by one; more come as a digest; 0: no cap",
    )


class Fetch(Strict):
    """The HTTP client for feeds and pages, and what it may connect to."""

    user_agent: str = Field(
        default="Rasid (feed reader)", min_length=1, max_length=300, description="how Rasid names itself"
    )
    proxy: Annotated[Proxy | None, _Off] = Field(
        default=None,
        repr=False,
        description="http://, https:// or socks5:// proxy for feeds and pages; system proxies are never used",
    )
    total_seconds: float = Field(default=30.0, ge=1, le=300, description="seconds from first look-up to last byte")
    max_bytes: Size = Field(
        default=15 * 1024 * 1024, ge=10_000, le=200 * 1024 * 1024, description="largest feed or page, uncompressed"
    )
    max_redirects: int = Field(default=5, ge=0, le=20, description="redirects followed")
    per_host: int = Field(default=2, ge=1, le=50, description="fetches at the same time from one host")
    allow_private: bool = Field(default=False, description="may fetch from private networks (10.x, 192.168.x …)")
    allow_loopback: bool = Field(default=False, description="may fetch from this machine itself")
    extra_ports: Strings = Field(
        default=(), description="ports beside 80 and 443 that may be fetched from, like [8080, 8443]"
    )

    @field_validator("user_agent")
    @classmethod
    def _printable(cls, value: str) -> str:
        if not (value.isascii() and value.isprintable()):
            raise ValueError("may hold plain ASCII characters only, in one line: it is sent as an HTTP header")
        return value

    @field_validator("extra_ports")
    @classmethod
    def _ports(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for port in value:
            if not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
                raise ValueError(f"{port!r} is no port: write numbers from 1 to 65535, like [8080, 8443]")
        return value

    @property
    def ports(self) -> tuple[int, ...]:
        """extra_ports as numbers."""
        return tuple(map(int, self.extra_ports))


class Parsing(Strict):
    """The processes that read feeds and pages, and what one of them may use for one feed."""

    workers: int = Field(default=2, ge=1, le=64, description="processes that read feeds and pages at the same time")
    cpu_seconds: int = Field(
        default=5, ge=1, le=60, description="seconds of CPU for one feed or page; then it is given up"
    )
    megabytes: int = Field(default=512, ge=128, le=4096, description="memory for one feed or page, in MB")
    wall_seconds: float = Field(default=30.0, ge=1, le=300, description="seconds by the clock for one feed or page")
    idle: Annotated[Duration, _wait("1s", "1d")] = Field(
        default=timedelta(minutes=1), description="a process without work ends after this long"
    )


class Stories(Strict):
    """Recognising the same story."""

    window: Annotated[Duration, _wait("1h", "30d")] = Field(
        default=timedelta(days=7), description="an article can join a story whose articles are at most this old"
    )


class Alerts(Strict):
    """What is still worth an alert."""

    max_age: Annotated[Duration, _wait("1m", "3650d")] = Field(
        default=timedelta(days=2),
        description="older articles are stored, but never alert (a feed or rule may set its own)",
    )
    first_poll_age: Annotated[Duration, _wait("0s", "30d")] = Field(
        default=timedelta(hours=3), description="on the first poll of a feed, only articles younger than this alert"
    )
    quiet: Hours = Field(
        default=None, description="quiet hours of channels that set none, like 23:00-07:00; severity high passes"
    )


class Telegram(Strict):
    """How the Bot API is reached. The token is a secret: RASID_TELEGRAM_TOKEN."""

    base_url: Annotated[str, AfterValidator(origin_url)] = Field(
        default="https://api.telegram.org",
        description="address of the Bot API; another one for a Bot API server of your own",
    )
    proxy: Annotated[Proxy | None, _Off] = Field(
        default=None, repr=False, description="http://, https:// or socks5:// proxy for messages of every channel type"
    )
    connect_timeout: Annotated[Duration, _wait("1s", "60s")] = Field(
        default=timedelta(seconds=10), description="wait for a connection"
    )
    read_timeout: Annotated[Duration, _wait("1s", "5m")] = Field(
        default=timedelta(seconds=75),
        description="wait for an answer; a shorter wait makes more sends of unknown outcome",
    )
    write_timeout: Annotated[Duration, _wait("1s", "5m")] = Field(
        default=timedelta(seconds=30), description="wait while sending"
    )
    pool_timeout: Annotated[Duration, _wait("1s", "60s")] = Field(
        default=timedelta(seconds=5), description="wait for a free connection"
    )
    total: Annotated[Duration, _wait("1s", "5m")] = Field(
        default=timedelta(seconds=78), description="one attempt from start to end; shorter than delivery.lease"
    )


class Delivery(Strict):
    """The outbox."""

    tick: Annotated[Duration, _wait("1s", "5m")] = Field(
        default=timedelta(seconds=1), description="how often the daemon looks for messages that are due"
    )
    batch: int = Field(default=20, ge=1, le=500, description="messages claimed at once")
    lease: Annotated[Duration, _wait("2s", "1h")] = Field(
        default=timedelta(seconds=80), description="an attempt that has not ended by then counts as of unknown outcome"
    )
    drain: Annotated[Duration, _wait("0s", "5m")] = Field(
        default=timedelta(seconds=8), description="at a stop, messages under way get this long to end"
    )


class Operator(Strict):
    """Who hears of Rasid's own troubles."""

    channel: str = Field(default="log", min_length=1, description="log, or the name of a channel in channels.yaml")


class Log(Strict):
    """The daemon's log, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )
    format: Literal["auto", "console", "json"] = Field(
        default="auto",
        description="console (for people), json (one object a line) or auto: console on a terminal, else json",
    )


class Http(Strict):
    """The port for /healthz and /metrics."""

    host: Host = Field(default="127.0.0.1", description="address to listen on; 0.0.0.0 opens it to the network")
    port: Annotated[Annotated[int, Field(ge=1, le=65_535)] | None, _Off] = Field(
        default=None, description="port to listen on, like 8787; off: none"
    )


class Retention(Strict):
    """How long things are kept."""

    keep: Annotated[Annotated[Duration, _wait("1d", "3650d")] | None, _Forever] = Field(
        default=timedelta(days=180),
        description="articles, hits and messages older than this are removed; forever: never",
    )


class Webhook(Strict):
    """How Telegram reaches the bot, where it is not asked for what is new."""

    url: Annotated[str | None, _Off] = Field(
        default=None, description="public https address that leads to host and port below"
    )
    host: Host = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8788, ge=1, le=65_535, description="port to listen on")

    @field_validator("url")
    @classmethod
    def _https(cls, value: str | None) -> str | None:
        if value and not value.startswith(("https://", "http://127.0.0.1")):
            raise ValueError("must begin with https://: Telegram calls no other")
        return value


class Bot(Strict):
    """The Telegram bot that people talk to. It is the one of RASID_TELEGRAM_TOKEN."""

    enabled: bool = Field(default=False, description="answer commands, and put buttons under alerts")
    listen: bool = Field(default=True, description="of several processes on one database one listens: false in others")
    mode: Literal["polling", "webhook"] = Field(
        default="polling", description="polling: ask Telegram for what is new; webhook: be told by it"
    )
    owners: Strings = Field(default=(), description="Telegram user ids that may do everything")
    editors: Strings = Field(default=(), description="user ids that may also silence and mark as not relevant")
    readers: Strings = Field(default=(), description="user ids that may look, and follow rules in private")
    language: Literal["auto", "ar", "en"] = Field(
        default="auto", description="of its answers: ar, en, or auto: that of each user's Telegram"
    )
    commands_a_minute: int = Field(default=20, ge=1, le=600, description="more from one user are not answered")
    webhook: Webhook = Webhook()

    @field_validator("owners", "editors", "readers")
    @classmethod
    def _ids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            if not (one.isascii() and one.isdigit() and 0 < int(one) < 2**52):
                raise ValueError(f"{quoted(one)} is no user id: it is a number, which @userinfobot tells you")
        return tuple(str(int(one)) for one in value)

    @model_validator(mode="after")
    def _reachable(self) -> Bot:
        if self.enabled and self.mode == "webhook" and self.webhook.url is None:
            raise ValueError("mode webhook needs webhook.url, the public https address of this machine")
        return self

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who may use it."""
        return (*self.owners, *self.editors, *self.readers)


class Settings(Strict):
    """All settings. timezone is never None once `load` has returned."""

    language: Literal["ar", "en"] = Field(
        default="ar", description="of the words around the articles in messages: ar or en"
    )
    timezone: Annotated[str, AfterValidator(timezone_name)] | None = Field(
        default=None, description="of times in messages, like Asia/Riyadh; without it TZ, the system's, or UTC"
    )
    database: Database = Database()
    polling: Polling = Polling()
    fetch: Fetch = Fetch()
    parsing: Parsing = Parsing()
    stories: Stories = Stories()
    alerts: Alerts = Alerts()
    telegram: Telegram = Telegram()
    delivery: Delivery = Delivery()
    operator: Operator = Operator()
    bot: Bot = Bot()
    log: Log = Log()
    http: Http = Http()
    retention: Retention = Retention()

    @model_validator(mode="after")
    def _fit_together(self) -> Settings:
        if self.telegram.total >= self.delivery.lease:
            raise ValueError(
                f"telegram.total ({show_duration(self.telegram.total)}) must be shorter than delivery.lease "
                f"({show_duration(self.delivery.lease)}): lower the one or raise the other"
            )
        if self.retention.keep is not None and self.retention.keep < self.stories.window:
            raise ValueError(
                f"retention.keep ({show_duration(self.retention.keep)}) must not be shorter than stories.window "
                f"({show_duration(self.stories.window)}): articles of a running story would vanish"
            )
        return self

    @property
    def zone(self) -> str:
        """The time zone's IANA name."""
        return self.timezone or "UTC"

"""feeds.yaml as pydantic models: what may stand where. Errors say what is wrong and the mend."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from monitor.errors import FetchError
from monitor.feeds.guard import Guard
from monitor.feeds.urls import MAX_URL, host_of
from monitor.yamlfile import Duration, Strict, Strings, quoted

_SECRET_HEADERS = ("authorization", "cookie", "proxy-authorization")
_OWN_HEADERS = ("host", "content-length", "connection", "transfer-encoding", "accept-encoding")


def _matches(pattern: str, what: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"{quoted(value)} {what}")
        return value

    return AfterValidator(check)


def check_url(value: str) -> str:
    """An address that may be polled; ValueError with the mend. Ports and private addresses are judged at the fetch."""
    if re.search(r"[\s\x00-\x1f\x7f]", value) or len(value) > MAX_URL:
        raise ValueError(f"is no address: it has spaces, or more than {MAX_URL} letters")
    try:
        parsed = Guard(True, True, tuple(range(1, 65_536))).check_url(value, shown=host_of(value))
    except FetchError as error:
        raise ValueError(f"{quoted(value)} cannot be polled: {error}") from None
    if parsed.user or parsed.password:
        raise ValueError("holds a login, and secrets are not kept in this file: use username_env and password_env")
    return value


def _proxy(value: str) -> str:
    if value.lower() in ("off", "none"):
        return ""
    if not re.fullmatch(r"(https?|socks4|socks5h?)://[^\s/]+/?", value):
        raise ValueError("is no proxy: write it like http://host:3128 or socks5://host:1080")
    if "@" in value:
        raise ValueError("holds a login, and secrets are not kept in this file: set RASID_FETCH__PROXY instead")
    return value


def _interval(value: timedelta) -> timedelta:
    if not timedelta(seconds=15) <= value <= timedelta(days=7):
        raise ValueError("should be between 15s and 7d")
    return value


def _headers(value: dict[str, str]) -> dict[str, str]:
    for name, text in value.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or name.lower() in _OWN_HEADERS:
            raise ValueError(f"{quoted(name)} is no header that can be set")
        if not (text.isascii() and text.isprintable()):
            raise ValueError(f"the value of {name} may hold plain ASCII characters only, in one line")
        if name.lower() in _SECRET_HEADERS and not text.startswith("$"):
            raise ValueError(
                f"{name} is a secret, and secrets are not kept in this file: write {name}: $NAME, with NAME a variable "
                "of the environment or .env"
            )
    return value


_Url = Annotated[str, AfterValidator(check_url)]
_Id = Annotated[str, _matches(r"[a-z0-9][a-z0-9._-]{0,63}", "is no id: small letters, digits, '-', '_' and '.'")]
_EnvName = Annotated[
    str, _matches(r"[A-Za-z_][A-Za-z0-9_]*", "is no variable's name: give the name, not the secret itself")
]
_Country = Annotated[
    str,
    BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value),
    _matches(r"[A-Z]{2}", "is no country: write its two letters, like EG, or UN"),
]
_Language = Annotated[str, _matches(r"[a-z]{2,3}|auto", "is no language: write ar, or auto to go by the letters")]


class Defaults(Strict):
    """What holds for every feed that does not say otherwise."""

    interval: Annotated[Duration, AfterValidator(_interval)] | None = None
    max_age: Duration | None = None
    user_agent: str | None = Field(default=None, max_length=300)
    proxy: Annotated[str, AfterValidator(_proxy)] | None = None
    full_text: bool | None = None
    headers: Annotated[dict[str, str], AfterValidator(_headers)] = Field(default_factory=dict)


class FeedEntry(Defaults):
    """One feed. language auto: each article's letters decide."""

    url: _Url
    id: _Id | None = None
    language: _Language | None = None
    username_env: _EnvName | None = None
    password_env: _EnvName | None = None
    ca_file: str | None = None
    tags: Strings = ()
    enabled: bool = True


def _short_form(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


class Names(Strict):
    """An outlet's name in Arabic and in English."""

    ar: str = Field(min_length=1, max_length=120)
    en: str = Field(min_length=1, max_length=120)


class OutletEntry(Strict):
    """One publisher with its feeds."""

    id: _Id
    name: Names
    country: _Country
    language: _Language = "ar"
    feeds: tuple[Annotated[FeedEntry, BeforeValidator(_short_form)], ...] = ()


class FeedFile(Strict):
    """feeds.yaml."""

    defaults: Defaults = Field(default_factory=Defaults)
    outlets: tuple[OutletEntry, ...] = ()

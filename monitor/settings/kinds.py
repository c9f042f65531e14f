"""Types of settings: sizes, proxies, database addresses, time zones. Each check says what is wrong and the mend."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from monitor.yamlfile import parse_duration, quoted, show_duration

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]?)i?b?", re.IGNORECASE)
_FACTORS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
PROXY_SCHEMES = ("http", "https", "socks4", "socks5", "socks5h")
MASK = "•••"


def between(low: str, high: str) -> Callable[[timedelta], timedelta]:
    """A check that a duration lies between two, which are given as they are written."""
    least, most = parse_duration(low), parse_duration(high)

    def check(value: timedelta) -> timedelta:
        if not least <= value <= most:
            raise ValueError(f"should be between {low} and {high}; here is {show_duration(value)}")
        return value

    return check


def off_or(*words: str) -> Callable[[object], object]:
    """Read any of the words as None and leave other values to the next check."""

    def check(value: object) -> object:
        return None if isinstance(value, str) and value.strip().lower() in words else value

    return check


def parse_size(value: object) -> object:
    """`15 MB`, `500k` or a plain number of bytes as bytes (1 MB is 1024 × 1024)."""
    if not isinstance(value, str):
        return value
    found = _SIZE.fullmatch(value.strip())
    if not found:
        raise ValueError(f"{quoted(value)} is no size: write it like 15MB or 500kB")
    return round(float(found[1]) * _FACTORS[found[2].lower()])


def show_size(value: int) -> str:
    """The shortest spelling that parse_size reads back as the same value."""
    for unit, factor in (("GB", 1024**3), ("MB", 1024**2), ("kB", 1024)):
        if value >= factor and value % factor == 0:
            return f"{value // factor}{unit}"
    return str(value)


Size = Annotated[int, BeforeValidator(parse_size), PlainSerializer(show_size, return_type=str)]


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.hostname, parts.port
    except ValueError:
        return None
    return parts


def proxy_url(value: str) -> str:
    """Check a proxy's address."""
    parts = _split(value)
    if parts is None or parts.scheme not in PROXY_SCHEMES or not parts.hostname or re.search(r"[\s\x00-\x1f]", value):
        raise ValueError("is no proxy: write it like http://host:3128 or socks5://host:1080")
    return value


Proxy = Annotated[str, AfterValidator(proxy_url)]


def origin_url(value: str) -> str:
    """Check an http(s) address without login; a slash at its end is dropped."""
    parts = _split(value)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", value):
        raise ValueError("must be a full address that begins with https:// (or http://)")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must be an address without login, ? and #")
    return value.rstrip("/")


def host_name(value: str) -> str:
    """Check an address or name to listen on."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", value) or re.fullmatch(r"[\d.]+", value):
            raise ValueError(f"{quoted(value)} is no address: write it like 127.0.0.1, ::1 or localhost") from None
    return value


Host = Annotated[str, AfterValidator(host_name)]


def database_url(value: str) -> str:
    """Check a database's address; postgres:// and postgresql:// get the driver Rasid uses."""
    for scheme in ("postgres://", "postgresql://", "postgresql+psycopg://"):
        if value.startswith(scheme):
            parts = _split(value)
            if parts is None or len(parts.path) < 2:
                raise ValueError("names no database: write it like postgresql://user@host:5432/rasid")
            return "postgresql+psycopg://" + value.removeprefix(scheme)
    if value.startswith("sqlite:///") and len(value) > len("sqlite:///"):
        if value.removeprefix("sqlite:///").startswith(":memory:"):
            raise ValueError("a database in memory forgets everything: write it like sqlite:///data/rasid.db")
        return value
    if "://" not in value:
        raise ValueError(f"is no database address: for a file write sqlite:///{value.lstrip('/') or 'data/rasid.db'}")
    raise ValueError(
        "only SQLite and Postgres can be used: write sqlite:///data/rasid.db or postgresql://user@host/rasid"
    )


def timezone_name(value: str) -> str:
    """Check an IANA time zone."""
    zones = available_timezones()
    if value in zones:
        return value
    places = {zone.rpartition("/")[2].lower(): zone for zone in sorted(zones)}
    close = difflib.get_close_matches(value.rpartition("/")[2].lower().replace(" ", "_"), list(places), 1, 0.7)
    mend = f"did you mean {places[close[0]]}?" if close else "write it like Asia/Riyadh"
    raise ValueError(f"there is no time zone {quoted(value)}: {mend}")


def password_of(url: str) -> str:
    """The password in an address, "" if there is none (also one given as a parameter)."""
    parts = _split(url)
    if parts is None:
        return ""
    parameter = re.search(r"(?:^|&)password=([^&]*)", parts.query)
    return parts.password or (parameter[1] if parameter else "")


def with_password(url: str, password: str) -> str:
    """The address with the password in its login."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    user = parts.netloc.rpartition("@")[0].partition(":")[0] if "@" in parts.netloc else ""
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))


def masked(url: str) -> str:
    """The address with its password hidden; anything that cannot be taken apart is hidden whole where it has an @."""
    parts = _split(url)
    if parts is None:
        return MASK if "@" in url else url
    netloc = parts.netloc
    if parts.password is not None:
        login, _, host = netloc.rpartition("@")
        netloc = f"{login.partition(':')[0]}:{MASK}@{host}"
    query = re.sub(r"(^|&)(password=)[^&]*", rf"\1\2{MASK}", parts.query)
    if (netloc, query) == (parts.netloc, parts.query):
        return url  # urlunsplit would drop the empty host of sqlite:///
    return urlunsplit(parts._replace(netloc=netloc, query=query))

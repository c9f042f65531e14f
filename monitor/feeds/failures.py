"""What went wrong with a fetch, said to the person who must mend it. No text here carries a URL, login or header."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp

from monitor.errors import FetchError

_MENDS = {
    401: "the server wants a login: set the feed's username and password",
    402: "the server wants payment",
    403: "the server refuses this program: try another user_agent or a proxy for this feed",
    404: "nothing is there: look for the feed's new address",
    405: "the server refuses to serve this address: check it",
    406: "the server has no form of it that can be read: check the address",
    407: "the proxy wants a login: write it into the proxy setting as http://user:password@host:port",
    408: "the server gave up waiting; the next poll tries again",
    410: "the feed is gone for good: remove it or give its new address",
    429: "the server asks for fewer requests; the next poll waits longer",
    451: "withheld for legal reasons: a proxy elsewhere may help",
}


def status_error(status: int, headers: Mapping[str, str], where: str, now: datetime) -> FetchError:
    mend = _MENDS.get(status)
    if mend is None:
        trouble = "the server is in trouble; the next poll tries again"
        mend = trouble if status >= 500 else "check the feed's address"
    wait = retry_after(headers, now)
    return FetchError("status", f"{where}: answered {status}; {mend}", status=status, retry_after=wait)


def is_of_the_network(error: Exception) -> bool:
    """Whether an error is the world's, not ours. SOCKS proxies have errors outside of every tree."""
    if isinstance(error, (aiohttp.ClientError, OSError, ValueError, zlib.error)):
        return True
    return type(error).__module__.startswith(("aiohttp_socks", "python_socks"))


def explained(error: Exception, where: str) -> FetchError:
    """Any failure of the network as a FetchError; its text carries no URL, login or header."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, FetchError):
            return FetchError(seen.reason, str(seen), status=seen.status, retry_after=seen.retry_after)
        if isinstance(seen, PermissionError) and " is " in str(seen):
            return FetchError("address", f"{where}: {seen}; it may not be fetched")
        seen = seen.__cause__ or seen.__context__
    if isinstance(error, (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError, ssl.SSLError)):
        return FetchError(
            "tls", f"{where}: its certificate is not trusted; if it is the outlet's own, set ca_file for this feed"
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return FetchError("dns", f"{where}: the name is not known to DNS; check its spelling and this machine's DNS")
    if isinstance(error, aiohttp.ClientHttpProxyError):
        mend = _MENDS[407] if error.status == 407 else f"the proxy refused with {error.status}; check the proxy setting"
        return FetchError("proxy", f"{where}: {mend}")
    if isinstance(error, aiohttp.ClientProxyConnectionError) or "proxy" in type(error).__name__.lower():
        return FetchError("proxy", f"{where}: the proxy does not work; check the proxy setting and its login")
    if isinstance(error, aiohttp.ClientConnectorError | ConnectionRefusedError):
        return FetchError("refused", f"{where}: no connection could be made; the next poll tries again")
    if isinstance(error, zlib.error):
        return FetchError("encoding", f"{where}: the compressed answer is damaged; the next poll tries again")
    return FetchError("network", f"{where}: the connection broke ({type(error).__name__}); the next poll tries again")


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or as a date; None if there is none to read."""
    value = headers.get("Retry-After", headers.get("retry-after", "")).strip()
    if not value:
        return None
    try:
        return min(max(float(value), 0.0), 86_400.0 * 7)
    except ValueError:
        try:
            then = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError):
            return None
        then = then if then.tzinfo else then.replace(tzinfo=UTC)
        return min(max((then - now).total_seconds(), 0.0), 86_400.0 * 7)

"""JSON over HTTP to an address of the user's. Body: the structured message; signed when there is a secret.

The receiver verifies: X-Rasid-Signature is "sha256=" + hex(HMAC-SHA256(secret, X-Rasid-Timestamp + "." + body)), and
X-Rasid-Timestamp (Unix seconds) is recent. Idempotency-Key is the same for every attempt of one delivery, and of no
other's: not even where a new database counts from 1 again, so that a receiver's memory drops nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from monitor.delivery.redact import host, redact
from monitor.delivery.transports import LONGEST_TEXT, Check, HttpOptions, required, short
from monitor.errors import DeliveryError
from monitor.model_delivery import Channel, ChatPace, DeliveryClaim, Outcome, OutcomeKind, Rendered

if TYPE_CHECKING:
    import aiohttp

URL_ENV = "RASID_WEBHOOK_URL"
LONGEST_REPLY = 64 * 1024  # bytes that are read of a reply
LONGEST_TALK = 5.0  # seconds that they may take


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The value of X-Rasid-Signature."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


class WebhookTransport:
    """POSTs one JSON object per delivery; redirects are not followed."""

    def __init__(
        self, channel: Channel, env: Mapping[str, str], http: HttpOptions, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._name = channel.name
        options = channel.options
        self._url = str(options.get("url") or "") or required(
            channel, "url_env", URL_ENV, env, "the address to POST to"
        )
        _check_url(channel.name, self._url)
        secret = options.get("secret_env")
        self._secret = required(channel, "secret_env", "", env, "the secret both sides know") if secret else ""
        self._http = http
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        address = hashlib.sha256(self._url.encode()).hexdigest()[:16]
        self.limit = LONGEST_TEXT
        self.pace = ChatPace(chat_key=f"webhook:{address}")

    def __repr__(self) -> str:
        return f"WebhookTransport({self._name!r}, {host(self._url)})"

    async def deliver(self, claim: DeliveryClaim, rendered: Rendered) -> Outcome:
        """POST {event, delivery, message, text, …data}. Every failure becomes an outcome."""
        payload: dict[str, object] = {
            "event": claim.operation.value,
            "delivery_id": claim.id,
            "message_id": claim.message_id,
            "external_id": claim.external_id,
            "attempt": claim.attempt,
            "text": rendered.text,
            **rendered.data,
        }
        return await self._post(payload, f"rasid-{claim.marker}-{claim.id}", f"{claim.message_id}")

    async def _post(self, payload: Mapping[str, object], key: str, default_id: str) -> Outcome:
        body = json.dumps(payload, ensure_ascii=True, separators=(",", ":"), default=str).encode("ascii")
        timestamp = str(int(self._clock()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "rasid",
            "X-Rasid-Timestamp": timestamp,
            "Idempotency-Key": key,
        }
        if self._secret:
            headers["X-Rasid-Signature"] = sign(self._secret, timestamp, body)
        try:
            async with asyncio.timeout(self._http.total):
                session = self._open()
                async with session.post(self._url, data=body, headers=headers, allow_redirects=False) as reply:
                    return self._reply(reply.status, reply.headers, await _words(reply), default_id)
        except Exception as error:
            outcome = _failure(error)
            return Outcome(outcome.kind, short(redact(outcome.detail, self._url, self._secret)))

    def _reply(self, status: int, headers: Mapping[str, str], words: str, default_id: str) -> Outcome:
        if 200 <= status <= 299:
            return Outcome(OutcomeKind.SENT, external_id=_given_id(words) or default_id)
        detail = short(redact(f"{host(self._url)} answered {status}: {words}", self._url, self._secret))
        if status in (429, 503):
            wait = retry_after(headers.get("Retry-After", ""), self._clock())
            return Outcome(OutcomeKind.RETRY, detail, retry_after=wait)
        if status in (401, 403):
            return Outcome(OutcomeKind.HOLD_CHAT, detail)
        if 300 <= status <= 399:
            return Outcome(OutcomeKind.HOLD_CHAT, f"{detail} (redirects are not followed: give the final address)")
        if status == 408 or status >= 500:
            return Outcome(OutcomeKind.UNKNOWN, detail)
        return Outcome(OutcomeKind.REJECTED, detail)

    def _open(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None or self._session.closed:
            connector, self._proxy = _connector(self._http.proxy)
            self._session = aiohttp.ClientSession(
                connector=connector,
                proxy=self._proxy,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    total=self._http.total,
                    sock_connect=self._http.connect_timeout,
                    sock_read=self._http.read_timeout,
                ),
            )
        return self._session

    async def diagnose(self, sample: Rendered | None = None) -> list[Check]:
        """Without a sample only the configuration is looked at: a receiver should see nothing but messages."""
        checks = [
            Check(True, f"messages are posted to {host(self._url)}, {'signed' if self._secret else 'not signed'}")
        ]
        if sample is None:
            return checks
        payload = {"event": "test", "text": sample.text, **sample.data}
        outcome = await self._post(payload, f"rasid-{self._name}-test-{int(self._clock())}", "test")
        if outcome.kind is OutcomeKind.SENT:
            return [*checks, Check(True, "a sample was accepted")]
        mend = "Is the address right, does the receiver run, does it accept a POST with a JSON body?"
        return [*checks, Check(False, f"the sample was not accepted: {outcome.detail}", mend)]

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


async def _words(reply: aiohttp.ClientResponse) -> str:
    """What a receiver says, as far as it comes: what became of the message, the status has told already."""
    said = b""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(LONGEST_TALK):
            said = await reply.content.read(LONGEST_REPLY)
    return said.decode("utf-8", "replace")


def retry_after(value: str, now: float) -> float | None:
    """Seconds from a Retry-After header (seconds or an HTTP date); None where it says nothing usable."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(parsedate_to_datetime(text).timestamp() - now, 1.0)
    except (ValueError, TypeError, OverflowError):
        return None


def _check_url(name: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise DeliveryError(f"channel {name}: the webhook's address must be a full http:// or https:// URL")


def _connector(proxy: str | None) -> tuple[Any, str | None]:
    """A connector, and the proxy that requests name themselves (a SOCKS proxy is the connector's business)."""
    import aiohttp

    if proxy and proxy.startswith("socks"):
        from aiohttp_socks import ProxyConnector

        return ProxyConnector.from_url(proxy), None
    return aiohttp.TCPConnector(limit=4), proxy


def _failure(error: Exception) -> Outcome:
    import aiohttp

    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return Outcome(OutcomeKind.RETRY, f"no connection: {words}")
    if isinstance(error, aiohttp.ClientHttpProxyError | aiohttp.ClientProxyConnectionError):
        return Outcome(OutcomeKind.RETRY, f"the proxy refuses: {words}")
    if type(error).__module__.startswith(("aiohttp_socks", "python_socks")):
        return Outcome(OutcomeKind.RETRY, f"no connection through the proxy: {words}")
    if isinstance(error, aiohttp.InvalidURL):
        return Outcome(OutcomeKind.HOLD_CHAT, "the webhook's address cannot be used")
    if isinstance(error, TimeoutError):
        return Outcome(OutcomeKind.UNKNOWN, "no answer in time")
    return Outcome(OutcomeKind.UNKNOWN, words)


def _given_id(words: str) -> str | None:
    """The id a receiver may give the message: {"id": …} as JSON."""
    try:
        reply = json.loads(words)
    except (ValueError, RecursionError):
        return None
    given = reply.get("id") if isinstance(reply, dict) else None
    return str(given)[:200] if isinstance(given, str | int) and not isinstance(given, bool) and given != "" else None

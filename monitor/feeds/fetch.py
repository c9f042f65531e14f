"""Fetch feeds and pages from a hostile world: guarded at every hop, bounded in time and size, conditional.

Redirects are followed by hand so that each hop passes the guard; bodies are read raw and inflated with a bound. Only
gzip and deflate are asked for: brotli and zstd turn kilobytes into gigabytes before anyone can look.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import hdrs
from yarl import URL

from monitor.errors import FetchError
from monitor.feeds.failures import explained, is_of_the_network, status_error
from monitor.feeds.guard import Guard, Limits
from monitor.feeds.inflate import Inflate, too_large
from monitor.feeds.resolve import GuardedResolver
from monitor.feeds.urls import host_of
from monitor.model import Feed, FetchOutcome

_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/rdf+xml, application/xml;q=0.9, "
    "text/xml;q=0.9, text/html;q=0.8, application/json;q=0.7, */*;q=0.5"
)
_REDIRECTS = {301, 302, 303, 307, 308}
_CHUNK = 65_536


@dataclass(slots=True)
class _Hop:
    """What one fetch carries from hop to hop."""

    url: URL
    shown: str
    feed: Feed | None
    headers: dict[str, str]
    cookies: aiohttp.CookieJar
    permanent: bool = True
    seen: set[tuple[str, str]] = field(default_factory=set)


@dataclass(slots=True)
class _Gate:
    """One host's turnstile; waiting counts how many hold or want it, so that idle ones can be dropped."""

    turns: asyncio.Semaphore
    waiting: int = 0


class Fetcher:
    """One HTTP client for feeds and pages; use as an async context.

    Redirects, addresses and sizes are checked as the module says. proxy: http://, https://, socks4://, socks5:// or
    socks5h:// address, used only because it is given: the environment's proxies are never read. Behind a proxy names
    are resolved there, so only literal addresses can be checked here.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        allow_private: bool = False,
        allow_loopback: bool = False,
        extra_ports: tuple[int, ...] = (),
        proxy: str | None = None,
        user_agent: str = "Rasid (feed reader)",
        per_host: int = 2,
    ) -> None:
        self.limits = limits or Limits()
        self.guard = Guard(allow_private, allow_loopback, extra_ports)
        self._proxy = proxy
        self._user_agent = user_agent
        self._per_host = per_host
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._tls: dict[str, ssl.SSLContext] = {}
        self._gates: dict[str, _Gate] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            await session.close()

    async def fetch(
        self,
        url: str,
        *,
        feed: Feed | None = None,
        etag: str | None = None,
        last_modified: str | None = None,
    ) -> FetchOutcome:
        """GET `url`, following redirects. feed lends its login, headers, user agent, proxy and CA file; login and
        headers go only to the feed's own origin. Raises FetchError, whose text names the host, what and the mend."""
        shown = host_of(url)
        parsed = self.guard.check_url(url, shown=shown)
        headers: dict[str, str] = {hdrs.ACCEPT: _ACCEPT, hdrs.ACCEPT_ENCODING: "gzip, deflate"}
        headers[hdrs.USER_AGENT] = (feed.user_agent if feed else None) or self._user_agent
        if etag:
            headers[hdrs.IF_NONE_MATCH] = etag
        if last_modified:
            headers[hdrs.IF_MODIFIED_SINCE] = last_modified
        hop = _Hop(parsed, shown, feed, headers, aiohttp.CookieJar(unsafe=True))
        async with self._turn(shown):
            started = time.monotonic()
            try:
                async with asyncio.timeout(self.limits.total_seconds):
                    outcome = await self._follow(hop)
            except TimeoutError:
                raise FetchError(
                    "timeout",
                    f"{hop.shown}: no complete answer within {self.limits.total_seconds:g} s; "
                    "the next poll tries again, or raise fetch.total_seconds",
                ) from None
            except Exception as error:
                if not is_of_the_network(error):
                    raise
                raise explained(error, hop.shown) from error
        object.__setattr__(outcome, "elapsed", time.monotonic() - started)
        return outcome

    @asynccontextmanager
    async def _turn(self, host: str) -> AsyncIterator[None]:
        """At most per_host fetches of one host at a time; the wait is outside the fetch's own deadline."""
        gate = self._gates.setdefault(host, _Gate(asyncio.Semaphore(self._per_host)))
        gate.waiting += 1
        try:
            async with gate.turns:
                yield
        finally:
            gate.waiting -= 1
            if not gate.waiting:
                self._gates.pop(host, None)

    async def _follow(self, hop: _Hop) -> FetchOutcome:
        redirects = 0
        while True:
            async with self._request(hop) as response:
                self._check_peer(response, hop)
                if response.status not in _REDIRECTS:
                    return await self._outcome(response, hop, redirects)
                if redirects >= self.limits.max_redirects:
                    raise FetchError(
                        "redirect",
                        f"{hop.shown}: more than {self.limits.max_redirects} redirects; open the address in a browser "
                        "and use the one it ends at",
                    )
                redirects += 1
                self._redirect(response, hop)

    def _request(self, hop: _Hop) -> Any:
        feed = hop.feed
        headers = dict(hop.headers)
        auth = None
        if feed is not None and _may_see_login(URL(feed.url), hop.url):
            headers.update({k: v for k, v in feed.headers.items() if k.lower() not in ("host", "content-length")})
            auth = _login(feed)
        proxy = self._proxy_for(feed)
        return self._session(proxy).get(
            hop.url,
            headers=headers,
            auth=auth,
            cookies={k: m.value for k, m in hop.cookies.filter_cookies(hop.url).items()} or None,
            allow_redirects=False,
            ssl=self._context(feed.ca_file) if feed and feed.ca_file else True,
            proxy=proxy if proxy and not proxy.startswith("socks") else None,
        )

    def _proxy_for(self, feed: Feed | None) -> str | None:
        """The feed's own proxy, else the setting's; a feed's "" means none at all."""
        return self._proxy if feed is None or feed.proxy is None else feed.proxy or None

    def _session(self, proxy: str | None) -> aiohttp.ClientSession:
        key = proxy or ""
        if key not in self._sessions:
            connector: aiohttp.BaseConnector
            if key.startswith("socks"):
                connector = _socks_connector(key)
            elif key:
                connector = aiohttp.TCPConnector(limit=100)
            else:
                connector = aiohttp.TCPConnector(
                    limit=200, resolver=GuardedResolver(self.guard), socket_factory=self.guard.socket, ttl_dns_cache=60
                )
            self._sessions[key] = aiohttp.ClientSession(
                connector=connector,
                trust_env=False,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=15),
                max_line_size=32_768,
                max_field_size=65_536,
                skip_auto_headers=(hdrs.CONTENT_TYPE,),
            )
        return self._sessions[key]

    def _context(self, ca_file: str) -> ssl.SSLContext:
        if ca_file not in self._tls:
            try:
                context = ssl.create_default_context()
                context.load_verify_locations(cafile=ca_file)
            except (OSError, ssl.SSLError) as error:
                raise FetchError(
                    "tls", f"the CA file {ca_file} cannot be used ({error}); give a readable file in PEM form"
                ) from error
            self._tls[ca_file] = context
        return self._tls[ca_file]

    def _check_peer(self, response: aiohttp.ClientResponse, hop: _Hop) -> None:
        """The address the answer really comes from; behind a proxy that is the proxy's, which the setting names."""
        if self._proxy_for(hop.feed):
            return
        transport = response.connection.transport if response.connection else None
        peer = transport.get_extra_info("peername") if transport else None
        if peer:
            self.guard.check_host(str(peer[0]), shown=hop.shown)

    def _redirect(self, response: aiohttp.ClientResponse, hop: _Hop) -> None:
        location = response.headers.get(hdrs.LOCATION, "").strip()
        if not location:
            raise FetchError("redirect", f"{hop.shown}: redirects without saying where to; check the feed's address")
        try:
            target = hop.url.join(URL(location))
            if not target.fragment and hop.url.fragment:
                target = target.with_fragment(hop.url.fragment)
        except (ValueError, UnicodeError):
            raise FetchError(
                "redirect", f"{hop.shown}: redirects to something that is no address; check the feed's address"
            ) from None
        where = target.host or f"{target.scheme}:"
        shown = hop.shown if where == hop.url.host else f"{hop.shown.split(' ')[0]} (redirected to {where})"
        target = self.guard.check_url(str(target.with_user(None) if target.user else target), shown=shown)
        hop.permanent &= response.status in (301, 308) and not (hop.url.scheme == "https" and target.scheme == "http")
        hop.cookies.update_cookies(response.cookies, response.url)
        state = (str(target), str(sorted((k, m.value) for k, m in hop.cookies.filter_cookies(target).items())))
        if state in hop.seen:
            raise FetchError("redirect", f"{hop.shown}: redirects in a circle; open the address in a browser")
        hop.seen.add(state)
        hop.url, hop.shown = target, shown

    async def _outcome(self, response: aiohttp.ClientResponse, hop: _Hop, redirects: int) -> FetchOutcome:
        conditional = hdrs.IF_NONE_MATCH in hop.headers or hdrs.IF_MODIFIED_SINCE in hop.headers
        headers = {k.lower(): v for k, v in response.headers.items()}
        body: bytes | None = None
        if response.status in (200, 203):
            body = await self._body(response, hop)
        elif not (response.status == 304 and conditional):
            raise status_error(response.status, headers, hop.shown, datetime.now(UTC))
        return FetchOutcome(
            status=response.status,
            url=str(hop.url),
            body=body,
            headers=headers,
            etag=headers.get("etag") or (hop.headers.get(hdrs.IF_NONE_MATCH) if body is None else None),
            last_modified=headers.get("last-modified")
            or (hop.headers.get(hdrs.IF_MODIFIED_SINCE) if body is None else None),
            permanent_url=str(hop.url) if redirects and hop.permanent else None,
        )

    async def _body(self, response: aiohttp.ClientResponse, hop: _Hop) -> bytes:
        limit = self.limits.max_bytes
        if (response.content_length or 0) > limit:
            raise too_large(hop.shown, limit)
        inflate = Inflate(response.headers.get(hdrs.CONTENT_ENCODING, ""), limit, hop.shown)
        async for chunk in response.content.iter_chunked(_CHUNK):
            inflate.feed(chunk)
        return inflate.finish()


def _socks_connector(proxy: str) -> aiohttp.BaseConnector:
    from aiohttp_socks import ProxyConnector

    try:
        connector: aiohttp.BaseConnector = ProxyConnector.from_url(
            proxy.replace("socks5h://", "socks5://").replace("socks4a://", "socks4://"), rdns=True, limit=100
        )
    except ValueError as error:
        raise FetchError("proxy", f"the proxy {host_of(proxy)} cannot be used: {error}") from error
    return connector


def _may_see_login(owner: URL, target: URL) -> bool:
    """Whether `target` is the origin the feed's login was given for; https in place of http on one host counts."""
    if owner.host != target.host:
        return False
    if owner.scheme == target.scheme:
        return owner.port == target.port
    return owner.scheme == "http" and owner.port == 80 and target.scheme == "https" and target.port == 443


def _login(feed: Feed) -> aiohttp.BasicAuth | None:
    if feed.username is not None:
        return aiohttp.BasicAuth(feed.username, feed.password or "", "utf-8")
    written = URL(feed.url)
    return aiohttp.BasicAuth(written.user, written.password or "", "utf-8") if written.user else None

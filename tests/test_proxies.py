"""Feeds behind proxies, own certificates and user agents: each by an explicit setting, none by the environment."""

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from monitor.errors import FetchError
from monitor.feeds.fetch import Fetcher
from monitor.model import Feed, Outlet
from tests.feed_server import FeedServer, Route
from tests.living import Living, living, rss
from tests.proxies import Proxy
from tests.test_end_to_end import STRIKE
from tests.test_fetch import RSS

FEED = Feed("sahel", "", Outlet("sahel", "أنباء الساحل", "Sahel", "SY", "ar"))


@pytest.fixture(scope="module")
def server() -> Iterator[FeedServer]:
    with FeedServer() as running:
        running.set("/feed", Route(RSS))
        yield running


def fetcher(server: FeedServer, proxy: str | None = None) -> Fetcher:
    return Fetcher(extra_ports=(server.port,), allow_loopback=True, proxy=proxy)


@pytest.mark.parametrize("kind", ["http", "socks5", "socks5h"])
@pytest.mark.parametrize("login", ["", "user:geheim"])
async def test_a_feed_is_fetched_through_the_proxy_that_is_set_and_names_are_resolved_there(
    server: FeedServer, kind: str, login: str
) -> None:
    url = f"http://no-such-host.example:{server.port}/feed"
    with Proxy(kind, login) as proxy:
        async with fetcher(server, proxy.url) as client:
            assert (await client.fetch(url)).body == RSS
        assert len(proxy.asked) == 1 and "no-such-host.example" in proxy.asked[0]


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_a_refused_or_absent_proxy_is_named_and_its_password_is_not(server: FeedServer, kind: str) -> None:
    with Proxy(kind, "user:richtig") as proxy:
        port = proxy.port
        wrong = proxy.url.replace("richtig", "geheim")
        async with fetcher(server, wrong) as client:
            with pytest.raises(FetchError) as refused:
                await client.fetch(server.url("/feed"))
        assert proxy.asked == []
    async with fetcher(server, f"{kind}://user:geheim@127.0.0.1:{port}") as client:
        with pytest.raises(FetchError) as absent:
            await client.fetch(server.url("/feed"))
    for error in (refused.value, absent.value):
        assert "proxy" in str(error) and "geheim" not in str(error)


async def test_a_feeds_own_proxy_goes_before_the_setting_and_off_undoes_both(server: FeedServer) -> None:
    url = server.url("/feed")
    with Proxy("http") as usual, Proxy("socks5") as own:
        async with fetcher(server, usual.url) as client:
            await client.fetch(url, feed=replace(FEED, url=url))
            await client.fetch(url, feed=replace(FEED, url=url, proxy=own.url))
            await client.fetch(url, feed=replace(FEED, url=url, proxy=""))
        assert (len(usual.asked), len(own.asked)) == (1, 1)


async def test_a_redirect_behind_a_proxy_may_not_lead_to_this_machine(server: FeedServer) -> None:
    server.set("/away", Route(status=302, headers={"Location": "http://169.254.169.254/latest"}))
    with Proxy("http") as proxy:
        async with fetcher(server, proxy.url) as client:
            with pytest.raises(FetchError, match=r"169\.254\.169\.254"):
                await client.fetch(f"http://sahel.example:{server.port}/away")
        assert len(proxy.asked) == 1


def test_the_environments_proxies_are_ignored_and_the_files_are_used(tmp_path: Path) -> None:
    def polled(here: Living, **more: str) -> int:
        before = here.rows("select count(*) from articles")[0][0] if here.rows("select 1 from articles") else 0
        here.start(**more)
        here.wait(lambda: here.rows("select count(*) from articles") == [(before + 1,)])
        return here.stop()

    with Proxy("http") as proxy, living(tmp_path, f"sqlite:///{tmp_path / 'rasid.db'}") as here:
        environment = dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"), proxy.url)
        here.feeds.set("/anba", rss("anba", STRIKE))
        here.outlets("anba")
        polled(here, **environment)
        assert proxy.asked == []
        here.feeds.set("/sada", rss("sada", STRIKE))
        here.outlets("sada")
        feeds = (here.config / "feeds.yaml").read_text().replace("'}", f"', proxy: '{proxy.url}'}}")
        here.write("feeds.yaml", feeds)
        polled(here)
        assert proxy.asked == [f"GET {here.feeds.url('/sada')}"]


async def test_headers_and_user_agent_are_the_feeds_own(server: FeedServer) -> None:
    url = server.url("/feed")
    server.forget_requests()
    async with fetcher(server) as client:
        await client.fetch(url, feed=replace(FEED, url=url, user_agent="Analyst/1", headers={"X-Key": "abc"}))
        await client.fetch(url)
    first, second = ({name.lower(): text for name, text in one.headers.items()} for one in server.requests("/feed"))
    assert (first["user-agent"], first["x-key"]) == ("Analyst/1", "abc")
    assert "Rasid" in second["user-agent"] and "x-key" not in second


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
async def test_a_feed_with_a_certificate_of_its_own_is_read_with_its_ca_file_only(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "ca.pem"
    made = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {key} -out {certificate}"
    subprocess.run(
        ["openssl", *made.split(), "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=RSS, content_type="application/rss+xml")

    app = web.Application()
    app.router.add_get("/feed", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    port = runner.addresses[0][1]
    url = f"https://127.0.0.1:{port}/feed"
    try:
        async with Fetcher(extra_ports=(port,), allow_loopback=True) as client:
            got = await client.fetch(url, feed=replace(FEED, url=url, ca_file=str(certificate)))
            assert got.body == RSS
            with pytest.raises(FetchError) as refused:
                await client.fetch(url, feed=replace(FEED, url=url))
        assert refused.value.reason == "tls" and "ca_file" in str(refused.value)
    finally:
        await runner.cleanup()

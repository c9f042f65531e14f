"""The fetcher against a real server that misbehaves in every way it can."""

import asyncio
from collections.abc import Iterator

import pytest

from monitor.errors import FetchError
from monitor.feeds.fetch import Fetcher
from monitor.feeds.guard import Limits
from monitor.model import Feed, Outlet
from tests.feed_server import FeedServer, Route

RSS = (
    '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>أنباء الساحل</title>'
    "<item><title>افتتاح ميناء جديد في اللاذقية</title><guid>1</guid></item></channel></rss>"
).encode()
SHORT = Limits(total_seconds=0.6, max_bytes=1024 * 1024, max_redirects=5)
OUTLET = Outlet("sahel", "أنباء الساحل", "Sahel", "SY", "ar")


@pytest.fixture(scope="module")
def server() -> Iterator[FeedServer]:
    with FeedServer() as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(server: FeedServer) -> None:
    server.clear()
    server.forget_requests()


def fetcher(server: FeedServer, limits: Limits | None = None, *, allow_loopback: bool = True) -> Fetcher:
    return Fetcher(limits=limits, extra_ports=(server.port,), allow_loopback=allow_loopback)


async def failure(server: FeedServer, route: Route, limits: Limits = SHORT) -> FetchError:
    url = server.set("/feed", route)
    async with fetcher(server, limits) as client:
        with pytest.raises(FetchError) as caught:
            async with asyncio.timeout(20):
                await client.fetch(url)
    assert "127.0.0.1" in str(caught.value)
    return caught.value


async def test_an_unchanged_feed_is_asked_for_with_what_the_server_gave(server: FeedServer) -> None:
    url = server.set("/feed", Route(RSS, etag='"a1"', last_modified="Mon, 02 Mar 2026 10:00:00 GMT"))
    async with fetcher(server) as client:
        first = await client.fetch(url)
        again = await client.fetch(url, etag=first.etag, last_modified=first.last_modified)
    assert (first.status, first.body) == (200, RSS)
    assert (again.status, again.body, again.etag, again.last_modified) == (
        304,
        None,
        '"a1"',
        "Mon, 02 Mar 2026 10:00:00 GMT",
    )
    asked = server.requests("/feed")[1].headers
    assert asked["if-none-match"] == '"a1"'
    assert asked["accept-encoding"] == "gzip, deflate"


async def test_a_304_that_nobody_asked_for_is_no_answer(server: FeedServer) -> None:
    assert (await failure(server, Route(status=304))).status == 304


@pytest.mark.parametrize(("said", "low", "high"), [("120", 120, 120), ("+90", 60, 90), ("soon", None, None)])
async def test_retry_after_is_read_as_seconds_and_as_a_date(
    server: FeedServer, said: str, low: float | None, high: float | None
) -> None:
    error = await failure(server, Route(status=429, retry_after=said))
    assert (error.reason, error.status) == ("status", 429)
    if low is None or high is None:
        assert error.retry_after is None
    else:
        assert error.retry_after is not None
        assert low <= error.retry_after <= high


@pytest.mark.parametrize("status", [204, 400, 401, 403, 404, 410, 451, 500, 503, 599])
async def test_every_other_status_is_an_error_with_its_number(server: FeedServer, status: int) -> None:
    error = await failure(server, Route(status=status))
    assert error.status == status
    assert f"answered {status}; " in str(error)


@pytest.mark.parametrize("kind", ["hang", "hang_body", "trickle"])
async def test_what_does_not_end_is_ended_at_the_deadline(server: FeedServer, kind: str) -> None:
    assert (await failure(server, Route(RSS, kind=kind))).reason == "timeout"


@pytest.mark.parametrize("kind", ["reset", "reset_body", "close", "garbage"])
async def test_a_broken_connection_is_an_error_of_the_network(server: FeedServer, kind: str) -> None:
    assert (await failure(server, Route(RSS, kind=kind), Limits(total_seconds=10))).reason == "network"


async def test_a_body_shorter_than_it_says_is_not_taken_for_the_feed(server: FeedServer) -> None:
    assert (await failure(server, Route(RSS, content_length=len(RSS) + 500), Limits(total_seconds=10))).reason in (
        "network",
        "timeout",
    )


@pytest.mark.parametrize(
    "route",
    [
        Route(b"x" * 65_536, kind="endless"),
        Route(b"<rss>", kind="bomb", encoding="gzip", size=1 << 27),
        Route(b"<rss>", kind="bomb", encoding="deflate", size=1 << 27),
        Route(RSS, content_length=1 << 40),
        Route(b"x" * (1024 * 1024 + 1)),
    ],
    ids=["endless", "gzip bomb", "deflate bomb", "claims a terabyte", "one byte too many"],
)
async def test_what_is_too_large_is_refused_before_it_is_held(server: FeedServer, route: Route) -> None:
    limits = Limits(total_seconds=15, max_bytes=1024 * 1024)
    assert (await failure(server, route, limits)).reason == "too_large"


async def test_brotli_is_refused_unread(server: FeedServer) -> None:
    assert (await failure(server, Route(kind="bomb", encoding="br"))).reason == "encoding"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw-deflate"])
async def test_compressed_bodies_are_read(server: FeedServer, encoding: str) -> None:
    async with fetcher(server) as client:
        assert (await client.fetch(server.set("/feed", Route(RSS, encoding=encoding)))).body == RSS


async def test_a_wrong_claim_of_compression_is_seen_through(server: FeedServer) -> None:
    async with fetcher(server) as client:
        plain = await client.fetch(server.set("/plain", Route(RSS, claim_encoding="gzip")))
        silent = await client.fetch(server.set("/silent", Route(RSS, encoding="gzip", claim_encoding="")))
    assert (plain.body, silent.body) == (RSS, RSS)


async def test_permanent_redirects_are_told_and_a_temporary_one_on_the_way_is_not(server: FeedServer) -> None:
    end = server.set("/new", Route(RSS))
    server.set("/moved", Route(status=308, location="{base}/new"))
    server.set("/old", Route(status=301, location="/moved"))
    server.set("/mixed", Route(status=302, location="/old"))
    async with fetcher(server) as client:
        moved = await client.fetch(server.url("/old"))
        mixed = await client.fetch(server.url("/mixed"))
    assert (moved.body, moved.permanent_url, mixed.body, mixed.permanent_url) == (RSS, end, RSS, None)


async def test_circles_and_long_chains_of_redirects_end(server: FeedServer) -> None:
    assert (await failure(server, Route(status=302, location="/feed"))).reason == "redirect"
    for i in range(8):
        server.set(f"/chain{i}", Route(status=307, location=f"/chain{i + 1}"))
    assert "more than 5 redirects" in str(await failure(server, Route(status=302, location="/chain0")))


async def test_a_page_that_sets_a_cookie_and_sends_you_back_is_read(server: FeedServer) -> None:
    async with fetcher(server) as client:
        got = await client.fetch(server.set("/feed", Route(RSS, cookie=("visit", "7"))))
    assert got.body == RSS


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data/", "address"),
        ("http://10.0.0.8/feed", "address"),
        ("http://[::ffff:169.254.169.254]/", "address"),
        ("http://0251.0376.0251.0376/", "address"),
        ("http://127.0.0.1:22/", "address"),
        ("file:///etc/passwd", "url"),
        ("ftp://127.0.0.1/feed", "url"),
        ("javascript:alert(1)", "url"),
    ],
)
async def test_a_redirect_is_checked_like_an_address_that_was_typed(
    server: FeedServer, location: str, reason: str
) -> None:
    error = await failure(server, Route(status=302, location=location))
    assert error.reason in (reason, "redirect")
    assert len(server.requests()) == 1


async def test_this_machine_is_closed_unless_a_setting_opens_it(server: FeedServer) -> None:
    async with fetcher(server, allow_loopback=False) as client:
        for host in ("127.0.0.1", "localhost"):
            with pytest.raises(FetchError, match="allow_loopback"):
                await client.fetch(server.url("/feed", host))
    assert server.requests() == []


async def test_login_and_headers_go_to_the_feeds_own_origin_only(server: FeedServer) -> None:
    with FeedServer() as other:
        other.set("/feed", RSS)
        server.set("/feed", Route(status=302, location=other.url("/feed"), login=("قارئ", "سر")))
        feed = Feed("a", server.url("/feed"), OUTLET, headers={"X-Key": "k"}, username="قارئ", password="سر")
        async with Fetcher(allow_loopback=True, extra_ports=(server.port, other.port)) as client:
            assert (await client.fetch(feed.url, feed=feed)).body == RSS
        assert server.requests()[0].headers["x-key"] == "k"
        assert {"x-key", "authorization"}.isdisjoint(other.requests()[0].headers)


async def test_a_host_is_never_asked_more_than_twice_at_once(server: FeedServer) -> None:
    urls = [server.set(f"/feed{i}", Route(RSS, delay=0.15)) for i in range(6)]
    async with fetcher(server) as client:
        tasks = [asyncio.create_task(client.fetch(url)) for url in urls]
        await asyncio.sleep(0.05)
        running = sum(gate.waiting for gate in client._gates.values())
        got = await asyncio.gather(*tasks)
        assert (running, len(client._gates)) == (6, 0)
    assert [one.body for one in got] == [RSS] * 6
    at = sorted(seen.at for seen in server.requests())
    assert at[-1] - at[0] >= 0.2  # three rounds of two


async def test_a_hanging_host_does_not_delay_another(server: FeedServer) -> None:
    server.set("/hang", Route(kind="hang"))
    server.set("/feed", RSS)
    async with fetcher(server, Limits(total_seconds=15)) as client:
        stuck = [asyncio.create_task(client.fetch(server.url("/hang"))) for _ in range(3)]
        got = await asyncio.wait_for(client.fetch(server.url("/feed", "localhost")), 10)
        assert not any(task.done() for task in stuck)
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
    assert got.body == RSS

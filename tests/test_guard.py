"""Which addresses may be connected to, in every form an address can be written."""

import socket
from ipaddress import ip_address

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from monitor.errors import FetchError
from monitor.feeds.fetch import Fetcher
from monitor.feeds.guard import Guard
from monitor.feeds.resolve import GuardedResolver
from tests.feed_server import FeedServer

DENIED = """
127.0.0.1 127.255.255.254 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 192.0.0.8
192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.1 203.0.113.9 224.0.0.1 240.0.0.1 255.255.255.255
::1 :: ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe
64:ff9b:1::1 2002:7f00:1::1 2002:a00:1:: 2001::1 2001:db8::1 100::1 fc00::1 fd12:3456::1 fe80::1 fec0::1 ff02::1
3fff::1 5f00::1 4000::1 ::2
"""
OPEN = "1.1.1.1 8.8.8.8 172.15.0.1 172.32.0.1 100.128.0.1 2606:4700::1111 2a00:1450::1 ::ffff:8.8.8.8"
DISGUISED = """
2130706433 0x7f000001 017700000001 0x7f.1 127.1 127.0.1 0177.0.0.1 0x7f.0.0.1 127.0.0.1. 2130706433. 0 00000177.1
[::1] [::ffff:7f00:1] [0:0:0:0:0:ffff:127.0.0.1] [fe80::1%25eth0] ①②⑦.⓪.⓪.①
"""


@pytest.mark.parametrize("address", DENIED.split())
def test_an_address_that_is_not_public_is_denied(address: str) -> None:
    assert Guard().denied(ip_address(address))


@pytest.mark.parametrize("address", OPEN.split())
def test_a_public_address_is_not_denied(address: str) -> None:
    assert Guard().denied(ip_address(address)) is None


def test_settings_open_no_more_than_they_say() -> None:
    home, here = Guard(allow_private=True), Guard(allow_loopback=True)
    assert home.denied(ip_address("192.168.1.1")) is None
    assert home.denied(ip_address("127.0.0.1"))
    assert here.denied(ip_address("::ffff:127.0.0.1")) is None
    assert here.denied(ip_address("10.0.0.1"))
    both = Guard(allow_private=True, allow_loopback=True)
    assert both.denied(ip_address("169.254.169.254"))
    assert both.denied(ip_address("64:ff9b::7f00:1"))
    assert both.denied(ip_address("0.0.0.0"))


@pytest.mark.parametrize("host", DISGUISED.split())
def test_an_address_in_disguise_is_refused(host: str) -> None:
    with pytest.raises(FetchError) as caught:
        Guard().check_url(f"http://{host}/feed", shown="here")
    assert caught.value.reason in ("address", "url")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a.example/", "//a.example", "http:"])
def test_only_http_and_https_may_be_fetched(url: str) -> None:
    with pytest.raises(FetchError) as caught:
        Guard().check_url(url, shown="here")
    assert caught.value.reason == "url"


@pytest.mark.parametrize("port", [22, 25, 6379, 8080])
def test_other_ports_are_closed_until_a_setting_opens_them(port: int) -> None:
    url = f"https://anba.example:{port}/feed"
    with pytest.raises(FetchError, match="extra_ports"):
        Guard().check_url(url, shown="here")
    assert Guard(extra_ports=(port,)).check_url(url, shown="here").port == port


class Rebinding(AbstractResolver):
    """A name server of an attacker: every answer is the next of a list."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        hosts = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [ResolveResult(hostname=host, host=h, port=port, family=family, proto=0, flags=0) for h in hosts]

    async def close(self) -> None:
        self.answers.clear()


async def test_of_a_names_addresses_only_public_ones_are_used() -> None:
    resolver = GuardedResolver(Guard())
    resolver._inner = Rebinding(["10.0.0.1", "93.184.216.34", "127.0.0.1"])
    assert [found["host"] for found in await resolver.resolve("mixed.example", 80)] == ["93.184.216.34"]
    resolver._inner = Rebinding(["169.254.169.254"])
    with pytest.raises(FetchError, match="metadata"):
        await resolver.resolve("cloud.example", 80)


async def test_a_name_that_points_inside_is_refused_before_any_connection() -> None:
    with FeedServer() as server:
        server.set("/feed", "<rss/>")
        async with Fetcher(extra_ports=(server.port,)) as fetcher:
            connector = fetcher._session(None).connector
            guarded = getattr(connector, "_resolver", None)
            assert isinstance(guarded, GuardedResolver)
            guarded._inner = Rebinding(["127.0.0.1"])
            with pytest.raises(FetchError) as caught:
                await fetcher.fetch(f"http://rebound.example:{server.port}/feed")
        assert caught.value.reason == "address"
        assert server.requests() == []


async def test_a_resolver_that_is_fooled_does_not_fool_the_socket() -> None:
    """The last check is of the address that the socket connects to, whatever was resolved before."""
    with FeedServer() as server:
        server.set("/feed", "<rss/>")
        async with Fetcher(extra_ports=(server.port,)) as fetcher:
            connector = fetcher._session(None).connector
            connector._resolver = Rebinding(["127.0.0.1"])  # type: ignore[union-attr]
            with pytest.raises(FetchError) as caught:
                await fetcher.fetch(f"http://rebound.example:{server.port}/feed")
        assert caught.value.reason == "address"
        assert server.requests() == []

"""What the daemon may connect to. The deny list is our own: Python's `is_global` has changed between releases.

Every hop of a fetch is checked three times: the URL as written (`check_url`), the addresses its name resolves to
(`resolve.py`), and the very address a socket is about to connect to (`Guard.socket`), which closes the gap that
DNS rebinding needs.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Any

from yarl import URL

from monitor.errors import FetchError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
AddrInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]

_LOOPBACK = tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "::1/128")))
_PRIVATE = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
_NEVER: tuple[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, str], ...] = tuple(
    (ipaddress.ip_network(net), why)
    for net, why in (
        ("0.0.0.0/8", "this network"),
        ("100.64.0.0/10", "carrier NAT"),
        ("169.254.0.0/16", "link-local, where clouds keep their metadata"),
        ("192.0.0.0/24", "protocol assignments"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "6to4 relay"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("::/96", "IPv4-compatible"),
        ("64:ff9b::/96", "NAT64"),
        ("64:ff9b:1::/48", "local NAT64"),
        ("100::/64", "discard"),
        ("2001::/23", "protocol assignments, Teredo"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "documentation"),
        ("5f00::/16", "segment routing"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
# 2130706433, 0x7f.1, 0177.0.0.1 and the like: forms that C libraries read as IPv4 addresses.
_NUMERIC_HOST = re.compile(r"(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+)){0,3}\.?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one fetch: seconds from first lookup to last byte, decoded bytes, redirects followed."""

    total_seconds: float = 30.0
    max_bytes: int = 15 * 1024 * 1024
    max_redirects: int = 5


@dataclass(frozen=True, slots=True)
class Guard:
    """The rules of one Fetcher. allow_private opens home and office networks, allow_loopback this machine."""

    allow_private: bool = False
    allow_loopback: bool = False
    extra_ports: tuple[int, ...] = ()

    def denied(self, address: Address) -> str | None:
        """Why `address` may not be connected to, or None."""
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        if mapped is not None:
            return self.denied(mapped)
        if any(address in net for net in _LOOPBACK):
            return None if self.allow_loopback else "this machine itself (loopback)"
        if any(address in net for net in _PRIVATE):
            return None if self.allow_private else "a private network"
        for net, why in _NEVER:
            if address in net:
                return f"not a public address ({why})"
        if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_V6:
            return "not a public address (unassigned)"
        return None

    def check_url(self, url: str, *, shown: str) -> URL:
        """`url` parsed, if its scheme, port and any literal address are allowed; else FetchError naming `shown`."""
        try:
            parsed = URL(url)
            port = parsed.port
            host = parsed.raw_host or ""
        except (ValueError, TypeError, UnicodeError):
            raise FetchError("url", f"{shown}: the address cannot be read; write it as https://host/path") from None
        if parsed.scheme not in ("http", "https"):
            raise FetchError("url", f"{shown}: only http and https can be fetched; correct the address")
        if not host:
            raise FetchError("url", f"{shown}: the address names no host; write it as https://host/path")
        if port not in (80, 443) and port not in self.extra_ports:
            raise FetchError(
                "address", f"{shown}: port {port} is not open to fetches; add {port} to the setting fetch.extra_ports"
            )
        self.check_host(host, shown=shown)
        return parsed

    def check_host(self, host: str, *, shown: str) -> None:
        """Refuse a literal address that is denied or written in a form made to mislead."""
        bare = host.split("%", 1)[0].rstrip(".")
        try:
            address = ipaddress.ip_address(bare)
        except ValueError:
            if _NUMERIC_HOST.fullmatch(host):
                raise FetchError(
                    "address", f"{shown}: {host} is an IP address in disguise; write the host's name"
                ) from None
            return
        if why := self.denied(address):
            raise FetchError("address", self.refusal(shown, address, why))

    def socket(self, info: AddrInfo) -> socket.socket:
        """A socket for aiohttp to connect with, or PermissionError: the last check, of the address really used."""
        family, kind, proto, _, sockaddr = info
        address = ipaddress.ip_address(str(sockaddr[0]).split("%", 1)[0])
        if why := self.denied(address):
            raise PermissionError(f"{address} is {why}")
        return socket.socket(family, kind, proto)

    def refusal(self, shown: str, address: Address, why: str) -> str:
        """What to say of `shown`, which leads to a denied address, and the mend."""
        setting = {"a private network": "fetch.allow_private", "this machine itself (loopback)": "fetch.allow_loopback"}
        mend = f"; if that is intended, set {setting[why]}" if why in setting else "; correct the address"
        return f"{shown}: leads to {address}, which is {why}{mend}"

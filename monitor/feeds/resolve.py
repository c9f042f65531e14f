"""Names to addresses, for the fetcher. Apart from guard.py because reading a feed file needs no aiohttp."""

from __future__ import annotations

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver

from monitor.errors import FetchError
from monitor.feeds.guard import Guard


class GuardedResolver(AbstractResolver):
    """DNS through `inner` (aiohttp's default resolver), minus every address the guard denies."""

    def __init__(self, guard: Guard, inner: AbstractResolver | None = None) -> None:
        self._guard = guard
        self._inner: AbstractResolver = inner or DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        allowed: list[ResolveResult] = []
        refusal = ""
        for result in found:
            address = ipaddress.ip_address(result["host"].split("%", 1)[0])
            why = self._guard.denied(address)
            if why:
                refusal = self._guard.refusal(host, address, why)
            else:
                allowed.append(result)
        if not allowed and refusal:
            raise FetchError("address", refusal)
        return allowed

    async def close(self) -> None:
        await self._inner.close()

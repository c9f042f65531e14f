"""Bounded decoding of HTTP bodies: gzip and deflate, never past the limit."""

from __future__ import annotations

import zlib
from typing import Any

from monitor.errors import FetchError


class Inflate:
    """Bounded decoding of one body. A body that is gzip without saying so, or says so without being, is read right."""

    def __init__(self, encoding: str, limit: int, shown: str) -> None:
        name = encoding.strip().lower()
        if name not in ("", "identity", "gzip", "x-gzip", "deflate", "none", "utf-8"):
            raise FetchError(
                "encoding", f"{shown}: sent as {encoding!r} though only gzip was asked for; it cannot be read"
            )
        self._name = name
        self._limit = limit
        self._shown = shown
        self._zip: Any = None
        self._begun = False
        self._out = bytearray()

    def feed(self, chunk: bytes) -> None:
        if not self._begun:
            self._begun = True
            if chunk.startswith(b"\x1f\x8b"):
                self._zip = zlib.decompressobj(31)
            elif self._name == "deflate" and not chunk.lstrip().startswith((b"<", b"{", b"\xef\xbb\xbf<")):
                wrapped = chunk[0] & 0x0F == 8 and int.from_bytes(chunk[:2].ljust(2, b"\0"), "big") % 31 == 0
                self._zip = zlib.decompressobj(15 if wrapped else -15)
        while chunk:
            if self._zip is None:
                self._out += chunk
                chunk = b""
            else:
                self._out += self._zip.decompress(chunk, self._limit - len(self._out) + 1)
                if self._zip.eof and self._zip.unused_data.startswith(b"\x1f\x8b"):  # gzip may come in members
                    chunk, self._zip = self._zip.unused_data, zlib.decompressobj(31)
                else:
                    chunk = b"" if self._zip.eof else self._zip.unconsumed_tail
            if len(self._out) > self._limit:
                raise too_large(self._shown, self._limit)

    def finish(self) -> bytes:
        if self._zip is not None and not self._zip.eof:
            raise FetchError(
                "encoding", f"{self._shown}: the compressed answer ends too early; the next poll tries again"
            )
        return bytes(self._out)


def too_large(shown: str, limit: int) -> FetchError:
    return FetchError(
        "too_large",
        f"{shown}: the answer is larger than {limit / 1048576:g} MB; raise fetch.max_bytes if it is right",
    )

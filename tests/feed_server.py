"""A feed server of our own, for tests: real HTTP, scriptable routes, every misbehaviour a feed can show.

In a thread of the test, or as a process of its own; both speak the same way:

    with FeedServer() as server:                       # or FeedServerProcess()
        server.set("/anba.xml", Route(body=rss))       # at any time; bytes, text or a Route
        ... fetch server.url("/anba.xml") ...
        assert [r.status for r in server.requests("/anba.xml")] == [200, 304]

    python -m tests.feed_server [--port 0] [--directory FOLDER] [--log FILE]

prints its port on the first line. A file FOLDER/a/b.xml is served as /a/b.xml and read anew for each request.
POST /-/routes takes {path: {field of Route: value}} (body_base64 in place of body for bytes), DELETE /-/routes forgets
all, GET /-/requests lists the requests so far, DELETE /-/requests forgets them.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
import contextlib
import hashlib
import json
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from email.utils import formatdate
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from aiohttp import web

ROOT = Path(__file__).resolve().parents[1]
TYPES = {".json": "application/feed+json", ".html": "text/html; charset=utf-8", ".atom": "application/atom+xml"}
_ZEROS = b"\0" * 65_536
# What any brotli encoder makes of a long run of one byte: 16 MiB blocks that copy the byte before them. Never decoded
# here; only its header matters, for the fetcher refuses brotli unread.
_BROTLI = bytes.fromhex("cbffff7f0024e2b1") + b"\x00" * 1_600


@dataclass(frozen=True)
class Route:
    """What a path answers.

    kind: normal · hang (no answer) · hang_body (half the body, then silence) · trickle (one byte each `seconds`) ·
    reset (TCP reset before the answer) · reset_body (half the body, then reset) · endless (the body for ever) ·
    bomb (`size` decoded bytes, as `encoding` says) · close (closes without a word) · garbage (bytes that are no HTTP).
    """

    body: bytes = b""
    kind: str = "normal"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = "application/rss+xml; charset=utf-8"
    etag: str | None = None  # "auto": from the body
    last_modified: str | None = None
    conditional: bool = True  # whether it answers 304 where it may
    location: str | None = None  # of redirects; {base} is the server's own address
    retry_after: str | None = None  # seconds, an HTTP date, or +N: the HTTP date N seconds from now
    encoding: str = ""  # gzip, deflate, raw-deflate: the body is so compressed; br: only for bombs
    claim_encoding: str | None = None  # the Content-Encoding that is claimed, where it is another
    content_length: int | None = None  # claimed in place of the true one
    size: int = 1 << 30
    seconds: float = 0.5
    delay: float = 0.0  # before a normal answer
    login: tuple[str, str] | None = None  # else 401
    required: Mapping[str, str] = field(default_factory=dict)  # request headers that must be as given, else 403
    cookie: tuple[str, str] | None = None  # set, and asked for: without it the path redirects to itself
    times: int | None = None  # this route serves so many requests, then `then` takes its place
    then: Route | None = None

    @classmethod
    def of(cls, what: Route | bytes | str) -> Route:
        if isinstance(what, Route):
            return what
        return cls(body=what.encode() if isinstance(what, str) else what)

    def as_json(self) -> dict[str, Any]:
        data = asdict(self)
        data["body_base64"] = base64.b64encode(data.pop("body")).decode()
        data["then"] = self.then.as_json() if self.then else None
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Route:
        given = dict(data)
        if "body_base64" in given:
            given["body"] = base64.b64decode(given.pop("body_base64"))
        if isinstance(given.get("body"), str):
            given["body"] = given["body"].encode()
        for name in ("login", "cookie"):
            given[name] = tuple(given[name]) if given.get(name) else None
        given["then"] = cls.from_json(given["then"]) if given.get("then") else None
        return cls(**given)


@dataclass(frozen=True)
class Seen:
    """One request as it arrived. headers: lower-case names; status 0: none was given; at: seconds since the epoch."""

    method: str
    path: str
    headers: Mapping[str, str]
    at: float
    status: int = 0


class Server(Protocol):
    """What tests use, whichever way the server runs."""

    port: int

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str: ...

    def set(self, path: str, what: Route | bytes | str) -> str: ...

    def clear(self) -> None: ...

    def requests(self, path: str | None = None) -> list[Seen]: ...

    def forget_requests(self) -> None: ...


class FeedServer:
    """The server in a thread of its own, with a loop of its own. directory: files served where no route is set."""

    def __init__(self, *, port: int = 0, host: str = "127.0.0.1", directory: Path | None = None) -> None:
        self.port = port
        self.host = host
        self.directory = directory
        self.log: Path | None = None
        self._routes: dict[str, Route] = {}
        self._seen: list[Seen] = []
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event | None = None

    # ── for tests ────────────────────────────────────────────────────────────────────────────────────────────

    def __enter__(self) -> Self:
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve(started.set)), daemon=True)
        self._thread.start()
        if not started.wait(20):
            raise RuntimeError("the feed server did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(20)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def set(self, path: str, what: Route | bytes | str) -> str:
        """Let `path` answer so from now on; returns its URL."""
        with self._lock:
            self._routes[path] = Route.of(what)
        return self.url(path)

    def clear(self) -> None:
        """Forget every route."""
        with self._lock:
            self._routes.clear()

    def requests(self, path: str | None = None) -> list[Seen]:
        """The requests so far, oldest first; of one path, without its query, where one is given."""
        with self._lock:
            return [one for one in self._seen if path is None or one.path.partition("?")[0] == path]

    def forget_requests(self) -> None:
        with self._lock:
            self._seen.clear()

    # ── serving ──────────────────────────────────────────────────────────────────────────────────────────────

    async def serve(self, ready: Any = None) -> None:
        """Serve until stopped; `ready` is called once the port is known."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=256 * 1024 * 1024)
        app.router.add_route("*", "/-/routes", self._control_routes)
        app.router.add_route("*", "/-/requests", self._control_requests)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, self.host, self.port, reuse_address=True).start()
        self.port = runner.addresses[0][1]
        if ready is not None:
            ready()
        try:
            await self._stop.wait()
        finally:
            await runner.cleanup()

    async def _control_routes(self, request: web.Request) -> web.Response:
        if request.method == "DELETE":
            self.clear()
        elif request.method == "POST":
            for path, data in (await request.json()).items():
                self.set(path, Route.from_json(data))
        return web.json_response(sorted(self._routes))

    async def _control_requests(self, request: web.Request) -> web.Response:
        if request.method == "DELETE":
            self.forget_requests()
        return web.json_response([asdict(one) for one in self.requests(request.query.get("path"))])

    def _route(self, path: str) -> Route | None:
        with self._lock:
            route = self._routes.get(path)
            if route is None:
                return self._file(path)
            if route.times is not None:
                left = replace(route, times=route.times - 1)
                self._routes[path] = (route.then or Route(status=404)) if left.times == 0 else left
            return route

    def _file(self, path: str) -> Route | None:
        if self.directory is None:
            return None
        file = (self.directory / path.lstrip("/")).resolve()
        if not file.is_file() or not file.is_relative_to(self.directory.resolve()):
            return None
        kind = TYPES.get(file.suffix, "application/rss+xml; charset=utf-8")
        return Route(body=file.read_bytes(), content_type=kind, etag="auto")

    def _note(self, request: web.Request, status: int) -> None:
        seen = Seen(
            request.method, request.path_qs, {k.lower(): v for k, v in request.headers.items()}, time.time(), status
        )
        with self._lock:
            self._seen.append(seen)
            if self.log is not None:
                with self.log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(seen)) + "\n")

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        route = self._route(request.path)
        if route is None:
            self._note(request, 404)
            return web.Response(status=404)
        if refusal := _refused(request, route):
            self._note(request, refusal.status)
            return refusal
        if route.kind != "normal":
            self._note(request, 0 if route.kind in ("hang", "reset", "close", "garbage") else route.status)
            return await self._misbehave(request, route)
        if route.delay:
            await asyncio.sleep(route.delay)
        response = self._normal(request, route)
        self._note(request, response.status)
        return response

    def _normal(self, request: web.Request, route: Route) -> web.StreamResponse:
        headers = self._headers(route)
        if route.cookie and f"{route.cookie[0]}={route.cookie[1]}" not in request.headers.get("Cookie", ""):
            cookie = "=".join(route.cookie)
            return web.Response(status=302, headers={"Location": request.path_qs, "Set-Cookie": f"{cookie}; Path=/"})
        if route.status == 200 and route.conditional and _unchanged(request, headers):
            kept: dict[str, str] = {k: v for k, v in headers.items() if k in ("ETag", "Last-Modified")}
            return web.Response(status=304, headers=kept)
        body = compressed(route.body, route.encoding)
        if route.content_length is not None:
            return _Wrong(body, route.content_length, route.status, headers)
        return web.Response(status=route.status, headers=headers, body=body)

    def _headers(self, route: Route) -> dict[str, str]:
        headers = dict(route.headers)
        if route.content_type is not None:
            headers.setdefault("Content-Type", route.content_type)
        if route.etag:
            digest = hashlib.sha256(route.body).hexdigest()[:16]
            headers["ETag"] = f'"{digest}"' if route.etag == "auto" else route.etag
        if route.last_modified:
            headers["Last-Modified"] = route.last_modified
        if route.location is not None:
            headers["Location"] = route.location.replace("{base}", self.url("")).replace("{port}", str(self.port))
        if route.retry_after is not None:
            later = route.retry_after.startswith("+")
            headers["Retry-After"] = (
                formatdate(time.time() + int(route.retry_after), usegmt=True) if later else route.retry_after
            )
        claimed = route.claim_encoding if route.claim_encoding is not None else route.encoding.removeprefix("raw-")
        if claimed:
            headers["Content-Encoding"] = claimed
        return headers

    async def _misbehave(self, request: web.Request, route: Route) -> web.StreamResponse:
        if route.kind == "hang":
            await asyncio.sleep(3600)
        if route.kind == "reset":
            return _reset(request)
        if route.kind in ("close", "garbage"):
            if route.kind == "garbage" and request.transport is not None:
                request.transport.write(b"\x16\x03\x01 this is no HTTP at all\r\n\r\n" + route.body)
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        response = web.StreamResponse(status=route.status, headers=self._headers(route))
        if route.kind in ("hang_body", "trickle", "reset_body"):
            response.content_length = max(len(route.body), 1)
        await response.prepare(request)
        with contextlib.suppress(ConnectionResetError):  # whoever asked has heard enough
            await self._stream(request, response, route)
        return response

    async def _stream(self, request: web.Request, response: web.StreamResponse, route: Route) -> None:
        half = route.body[: len(route.body) // 2]
        if route.kind == "hang_body":
            await response.write(half)
            await asyncio.sleep(3600)
        elif route.kind == "reset_body":
            await response.write(half)
            await asyncio.sleep(0.05)
            _reset(request)
        elif route.kind == "trickle":
            for byte in route.body:
                await response.write(bytes((byte,)))
                await asyncio.sleep(route.seconds)
        elif route.kind == "endless":
            await response.write(route.body)
            while True:
                await response.write(route.body or b" " * 65_536)
        elif route.kind == "bomb":
            await _bomb(response, route)
        else:
            raise ValueError(f"no such kind of route: {route.kind}")


class FeedServerProcess:
    """The same server as a process of its own, told what to do over HTTP."""

    def __init__(self, *, port: int = 0, directory: Path | None = None, log: Path | None = None) -> None:
        self.port = port
        self._options = [
            *(["--directory", str(directory)] if directory else []),
            *(["--log", str(log)] if log else []),
        ]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.feed_server", "--port", str(self.port), *self._options]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            if self._process.stdout is not None:
                self._process.stdout.close()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def set(self, path: str, what: Route | bytes | str) -> str:
        self.set_all({path: what})
        return self.url(path)

    def set_all(self, routes: Mapping[str, Route | bytes | str]) -> None:
        """As `set`, for many paths at once."""
        self._ask("POST", "/-/routes", {path: Route.of(what).as_json() for path, what in routes.items()})

    def clear(self) -> None:
        self._ask("DELETE", "/-/routes")

    def requests(self, path: str | None = None) -> list[Seen]:
        found = [Seen(**one) for one in self._ask("GET", "/-/requests")]
        return [one for one in found if path is None or one.path.partition("?")[0] == path]

    def forget_requests(self) -> None:
        self._ask("DELETE", "/-/requests")

    def _ask(self, method: str, path: str, data: object = None) -> Any:
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(self.url(path), body, {"Content-Type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=20) as answer:
            return json.load(answer)


class _Wrong(web.Response):
    """A response whose Content-Length is not its body's: the connection closes after the body."""

    def __init__(self, body: bytes, length: int, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(status=status, headers=headers)
        self._bytes, self._length, self._request_line = body, length, f"HTTP/1.1 {status} Wrong\r\n"

    async def prepare(self, request: web.BaseRequest) -> Any:
        self.headers["Content-Length"] = str(self._length)
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        if request.transport is not None:
            request.transport.write((self._request_line + lines + "Connection: close\r\n\r\n").encode() + self._bytes)
            request.transport.close()
        return None

    async def write_eof(self, data: bytes | bytearray | memoryview = b"") -> None:
        return None


def compressed(body: bytes, encoding: str) -> bytes:
    """`body` as gzip, deflate (zlib) or raw-deflate; other names leave it as it is."""
    bits = {"gzip": 31, "deflate": 15, "raw-deflate": -15}.get(encoding)
    if bits is None:
        return body
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    return packer.compress(body) + packer.flush()


def _refused(request: web.Request, route: Route) -> web.Response | None:
    if route.login is not None:
        given = request.headers.get("Authorization", "").removeprefix("Basic ")
        try:
            right = base64.b64decode(given).decode() == ":".join(route.login)
        except (binascii.Error, UnicodeDecodeError):
            right = False
        if not right:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="feeds"'})
    if any(request.headers.get(name) != value for name, value in route.required.items()):
        return web.Response(status=403)
    return None


def _unchanged(request: web.Request, headers: Mapping[str, str]) -> bool:
    """RFC 9110: If-None-Match decides where it is given, If-Modified-Since only where it is not."""
    asked = request.headers.get("If-None-Match")
    if asked is not None:
        return "ETag" in headers and headers["ETag"].removeprefix("W/") in [
            one.strip().removeprefix("W/") for one in asked.split(",")
        ]
    since = request.headers.get("If-Modified-Since")
    return since is not None and since == headers.get("Last-Modified")


def _reset(request: web.Request) -> web.StreamResponse:
    """Close with RST in place of FIN."""
    if request.transport is not None:
        raw = request.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()


async def _bomb(response: web.StreamResponse, route: Route) -> None:
    if route.encoding == "br":
        await response.write(_BROTLI)
        return
    bits = {"gzip": 31, "deflate": 15, "raw-deflate": -15}[route.encoding]
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    await response.write(packer.compress(route.body))
    for _ in range(route.size // len(_ZEROS)):
        if chunk := packer.compress(_ZEROS):
            await response.write(chunk)
    await response.write(packer.flush())


def main() -> None:
    parser = argparse.ArgumentParser(description="A feed server for tests.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--directory", type=Path)
    parser.add_argument("--log", type=Path)
    options = parser.parse_args()
    server = FeedServer(port=options.port, host=options.host, directory=options.directory)
    server.log = options.log
    asyncio.run(server.serve(lambda: print(server.port, flush=True)))


if __name__ == "__main__":
    main()

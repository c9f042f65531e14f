"""What may go wrong at the Bot API server of the tests: queued one by one, or at random from a seed."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

# Each as likely as the others. Those that take time name a range of seconds, which a server of scaled time divides.
CHAOS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 429, "description": "Too Many Requests", "parameters": {"retry_after": 1}},
    {"kind": "status", "status": 429, "description": "Too Many Requests"},
    {"kind": "html", "status": 429},
    {"kind": "status", "status": 500},
    {"kind": "html", "status": 502},
    {"kind": "status", "status": 502, "after": True},
    {"kind": "reset"},
    {"kind": "reset", "after": True},
    {"kind": "truncated", "after": True},
    {"kind": "hang", "seconds": (80.0, 90.0)},
    {"kind": "hang", "after": True, "seconds": (80.0, 90.0)},
    {"kind": "drip", "after": True, "seconds": (80.0, 90.0)},
    {"kind": "late", "seconds": (1.0, 60.0)},
    {"kind": "status", "status": 409, "description": "Conflict"},
    {"kind": "status", "status": 401, "description": "Unauthorized"},
)


@dataclass
class Fault:
    """Something going wrong. kind: status, html, ok_false, truncated, hang, reset, drip, late, result, pause.

    after: the request takes effect before the fault (a message is posted and its sender not told). late: it takes
    effect `seconds` later, unanswered. pause: the answer is right, but comes only after `seconds`.
    """

    kind: str
    method: str = "sendMessage"
    times: int = 1
    after: bool = False
    status: int = 500
    description: str = "Internal Server Error"
    parameters: dict[str, Any] = field(default_factory=dict)
    seconds: float = 60.0
    result: Any = None


class Chaos:
    """Faults at random: the same seed, the same faults in the same order of requests. scale: divides their times."""

    def __init__(self, seed: int, rate: float, method: str = "sendMessage", scale: float = 1.0) -> None:
        self._random = random.Random(seed)
        self._rate, self._method, self._scale = rate, method, scale

    def fault(self, method: str) -> Fault | None:
        if method.lower() != self._method.lower() or self._random.random() >= self._rate:
            return None
        chosen = dict(self._random.choice(CHAOS))
        if "seconds" in chosen:
            chosen["seconds"] = self._random.uniform(*chosen["seconds"]) / self._scale
        return Fault(**chosen)


async def fail(request: web.Request, fault: Fault) -> web.StreamResponse:
    """Answer a request as the fault says (hang and late: not at all)."""
    if fault.kind in ("hang", "late"):
        await asyncio.sleep(fault.seconds if fault.kind == "hang" else 3600)
    if fault.kind in ("reset", "hang", "late"):
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
    if fault.kind == "html":
        page = f"<html><head><title>{fault.status}</title></head><body><center>nginx</center></body></html>"
        return web.Response(status=fault.status, text=page, content_type="text/html")
    if fault.kind == "truncated":
        return web.Response(text='{"ok":true,"result":{"message_id":7,"da', content_type="application/json")
    if fault.kind == "drip":
        return await _drip(request, fault)
    if fault.kind == "result":
        return web.json_response({"ok": True, "result": fault.result})
    body: dict[str, object] = {"ok": False, "error_code": fault.status, "description": fault.description}
    if fault.parameters:
        body["parameters"] = fault.parameters
    return web.json_response(body, status=200 if fault.kind == "ok_false" else fault.status)


async def _drip(request: web.Request, fault: Fault) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    end = time.monotonic() + fault.seconds
    while time.monotonic() < end:
        try:
            await response.write(b" ")
        except ConnectionError:  # the client has had enough
            break
        await asyncio.sleep(0.05)
    return response

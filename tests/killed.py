"""`rasid` as it is, but killed at a named point, at a later or faster time, or with names of an attacker. For tests.

    python -m tests.killed [--after PLACE | --before PLACE] [--nth 1] [--later 0 | --clock FILE] [--scale 1]
                           [--name HOST=IP] -- run

PLACE is module:function or module:Class.method, as it is looked up when it is called. The process kills itself with
SIGKILL after the n-th return of it, or before the n-th call. later: seconds by which the clock is ahead. clock: a file
that holds these seconds and may be rewritten at any time: the clock then jumps. scale: divides the waits of the outbox
that no setting names, and the times over which a chat is paced; not the 30 a second of a bot.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import inspect
import itertools
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import time_machine
from aiohttp.abc import AbstractResolver, ResolveResult

from monitor.feeds import resolve


def find(place: str) -> tuple[Any, str, Callable[..., Any]]:
    """(what a function belongs to, its name there, the function). place: module:path."""
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    return owner, name, getattr(owner, name)


def arm(place: str, nth: int, *, before: bool) -> None:
    """Let the process die at the n-th pass of a place."""
    owner, name, work = find(place)
    setattr(owner, name, doomed(work, nth, before=before))


def doomed(work: Callable[..., Any], nth: int, *, before: bool) -> Callable[..., Any]:
    """The function, which kills the process at its n-th pass."""
    passes = itertools.count(1)

    def passed() -> None:
        if next(passes) == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    @functools.wraps(work)
    def plain(*args: Any, **kwargs: Any) -> Any:
        if before:
            passed()
        result = work(*args, **kwargs)
        if not before:
            passed()
        return result

    @functools.wraps(work)
    async def waiting(*args: Any, **kwargs: Any) -> Any:
        if before:
            passed()
        result = await work(*args, **kwargs)
        if not before:
            passed()
        return result

    return waiting if inspect.iscoroutinefunction(work) else plain


class Names(AbstractResolver):
    """A name server that answers with the addresses it was told, and knows no other name."""

    known: dict[str, str] = {}  # noqa: RUF012 - filled by main

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host not in self.known:
            raise OSError(None, "Domain name not found")
        answer = self.known[host]
        kind = socket.AF_INET6 if ":" in answer else socket.AF_INET
        return [ResolveResult(hostname=host, host=answer, port=port, family=kind, proto=0, flags=0)]

    async def close(self) -> None:
        self.known.clear()


SCALED = {
    "monitor.delivery.retry": (
        "QUARANTINE",
        "RETRY_BASE",
        "RETRY_CAP",
        "UNKNOWN_CAP",
        "HOLD_BASE",
        "HOLD_CAP",
        *("LOOK_BASE", "LOOK_CAP", "BEGIN_WITHIN"),
    ),
    "monitor.delivery.telegram": ("MIN_GAP",),
    "monitor.delivery.telegram_errors": ("DEFAULT_RETRY_AFTER",),
    "monitor.store.claiming": ("MINUTE",),
    "monitor.store.outbox": ("LEASE",),
    "monitor.store.posting": ("EDIT_GAP",),
}


def shorten(scale: float) -> None:
    """Divide the waits by `scale`; before anything else imports them by name."""
    for name, constants in SCALED.items():
        module = importlib.import_module(name)
        for constant in constants:
            setattr(module, constant, getattr(module, constant) / scale)


def travel(seconds: float) -> time_machine.Traveller:
    """Let the clock be ahead by so much from now on."""
    return time_machine.travel(datetime.now(UTC) + timedelta(seconds=seconds), tick=True).start()


def follow(file: Path) -> None:
    """Let the clock be ahead by as many seconds as the file says, whenever it says something else."""
    ahead = float(file.read_text())
    clock = travel(ahead)

    def look(ahead: float) -> None:
        while True:
            time.sleep(0.05)
            told = float(file.read_text())
            clock.shift(told - ahead)
            ahead = told

    threading.Thread(target=look, args=(ahead,), daemon=True).start()


def main() -> None:
    parser = argparse.ArgumentParser(description="rasid, killed at a named point")
    parser.add_argument("--after")
    parser.add_argument("--before")
    parser.add_argument("--nth", type=int, default=1)
    parser.add_argument("--later", type=float, default=0.0)
    parser.add_argument("--clock", type=Path)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--name", action="append", default=[])
    parser.add_argument("arguments", nargs="+")
    options = parser.parse_args()
    shorten(options.scale)
    if options.after or options.before:
        arm(options.after or options.before, options.nth, before=bool(options.before))
    if options.name:
        Names.known = dict(one.split("=") for one in options.name)
        vars(resolve)["DefaultResolver"] = Names
    if options.later:
        travel(options.later)
    if options.clock:
        follow(options.clock)
    from monitor.__main__ import main as rasid

    sys.argv[1:] = options.arguments
    rasid()


if __name__ == "__main__":
    main()

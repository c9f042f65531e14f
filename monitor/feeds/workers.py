"""Parse feeds and pages in processes that may be killed: no input can hang, crash or swell the daemon.

Workers start when first needed and leave after a minute without work. Each job may use 5 s of CPU and 512 MB; one that
uses more, or dies, ends as a ParseError, and only its own worker is replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pickle
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from monitor.errors import ParseError
from monitor.feeds.entry import Parsed
from monitor.feeds.urls import host_of
from monitor.feeds.worker_process import LENGTH
from monitor.model import Article, Feed, Page

_PARSE = "monitor.feeds.parse:parse"
# Stages do not import each other; what reads a page is named, not imported.
_EXTRACT = "monitor.pages.extract:extract"
_ROOT = str(Path(__file__).resolve().parents[2])
_MAX_ANSWER = 256 * 1024 * 1024
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "HOME", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH", "PYTHONHOME")


class WorkerDied(ParseError):
    """The worker was killed or died over this input."""


class ParseWorkers:
    """A pool of parser processes; use as an async context. count: how many jobs may run at once."""

    def __init__(
        self,
        count: int = 2,
        *,
        cpu_seconds: int = 5,
        megabytes: int = 512,
        wall_seconds: float = 30.0,
        idle_seconds: float = 60.0,
        jobs_per_worker: int = 2_000,
    ) -> None:
        if count < 1:
            raise ValueError("at least one parse worker is needed")
        self._limits = (cpu_seconds, megabytes)
        self._wall = wall_seconds
        self._idle_seconds = idle_seconds
        self._jobs_per_worker = jobs_per_worker
        self._turns = asyncio.Semaphore(count)
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._reaper: asyncio.Task[None] | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def running(self) -> int:
        """How many worker processes exist now."""
        return len(self._all)

    async def parse(
        self,
        body: bytes,
        *,
        feed: Feed,
        url: str,
        headers: Mapping[str, str],
        now: datetime,
        hashes: Sequence[str] = (),
    ) -> Parsed:
        """feeds.parse.parse in a worker. ParseError names the feed's host."""
        bare = Feed(id=feed.id, url="", outlet=feed.outlet, language=feed.language)
        kwargs: dict[str, object] = {
            "feed": bare,
            "url": url,
            "headers": dict(headers),
            "now": now,
            "hashes": tuple(hashes),
        }
        found = await self._run(_PARSE, (body,), kwargs, host_of(url))
        found["articles"] = [_article(raw) for raw in found["articles"]]
        found["notes"] = tuple(found["notes"])
        return Parsed(**found)

    async def extract(self, html: bytes, url: str, headers: Mapping[str, str] | None = None) -> Page:
        """pages.extract.extract in a worker. ParseError names the page's host."""
        kwargs: dict[str, object] = {"url": url, "charset": _charset(headers or {})}
        return Page(**await self._run(_EXTRACT, (html,), kwargs, host_of(url)))

    async def close(self) -> None:
        """End every worker; jobs under way end as ParseError."""
        self._closed = True
        if self._reaper is not None:
            self._reaper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reaper
        for worker in list(self._all):
            await self._end(worker)

    async def _run(self, name: str, args: tuple[object, ...], kwargs: dict[str, object], host: str) -> dict[str, Any]:
        job = pickle.dumps((name, args, kwargs), protocol=pickle.HIGHEST_PROTOCOL)
        async with self._turns:
            answer = await self._attempt(job, host)
        if "ok" in answer:
            result: dict[str, Any] = _rich(answer["ok"])
            return result
        raise ParseError(f"{host}: {answer.get('error', 'it cannot be read')}")

    async def _attempt(self, job: bytes, host: str) -> dict[str, Any]:
        if self._closed:
            raise ParseError(f"{host}: the daemon is stopping; the next poll tries again")
        worker = await self._free() or await self._start()
        healthy = False
        try:
            async with asyncio.timeout(self._wall):
                answer = await worker.ask(job)
            healthy = not answer.get("last") and worker.jobs < self._jobs_per_worker
        except TimeoutError:
            raise WorkerDied(
                f"{host}: reading it took more than {self._wall:g} s and was stopped; tell its publisher"
            ) from None
        except (OSError, EOFError, ValueError):
            raise WorkerDied(
                f"{host}: reading it took more than {self._limits[0]} s of CPU or {self._limits[1]} MB, or broke the "
                "parser; it was stopped"
            ) from None
        finally:
            if healthy and not self._closed:
                worker.since = time.monotonic()
                self._idle.append(worker)
                self._reap_later()
            else:
                await asyncio.shield(self._end(worker))
        return answer

    async def _free(self) -> _Worker | None:
        """An idle worker that still lives: one that the system killed meanwhile must not be blamed on the next feed."""
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            await self._end(worker)
        return None

    async def _start(self) -> _Worker:
        env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        env["PYTHONPATH"] = os.pathsep.join([_ROOT, *filter(None, [os.environ.get("PYTHONPATH")])])
        env |= {"PYTHONIOENCODING": "utf-8", "PYTHONHASHSEED": "random", "MALLOC_ARENA_MAX": "1"}
        cpu, megabytes = self._limits
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "monitor.feeds.worker_process", str(megabytes), str(cpu)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=env,
            start_new_session=True,  # Ctrl-C reaches the daemon alone, which lets jobs end
            limit=1024 * 1024,
        )
        worker = _Worker(process)
        self._all.add(worker)
        return worker

    async def _end(self, worker: _Worker) -> None:
        self._all.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        await worker.kill()

    def _reap_later(self) -> None:
        if self._reaper is None or self._reaper.done():
            self._reaper = asyncio.create_task(self._reap())

    async def _reap(self) -> None:
        """Send idle workers home; ends when none is left to watch."""
        while self._all:
            await asyncio.sleep(max(self._idle_seconds / 4, 0.01))
            now = time.monotonic()
            for worker in [w for w in self._idle if now - w.since >= self._idle_seconds]:
                await self._end(worker)


class _Worker:
    """One process and the number of jobs it has done."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.jobs = 0
        self.since = time.monotonic()

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def ask(self, job: bytes) -> dict[str, Any]:
        """Send one job and wait for its answer; OSError or EOFError when the process dies."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        self.jobs += 1
        stdin.write(LENGTH.pack(len(job)))
        stdin.write(job)
        await stdin.drain()
        (size,) = LENGTH.unpack(await stdout.readexactly(LENGTH.size))
        if size > _MAX_ANSWER:
            raise ValueError("answer too large")
        answer = json.loads(await stdout.readexactly(size))
        if not isinstance(answer, dict):
            raise ValueError("answer of another shape")
        return answer

    async def kill(self) -> None:
        """End the process at once and wait for it."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()


def _rich(value: Any) -> Any:
    """The inverse of worker_process.plain; dataclasses come as dicts of their fields."""
    if isinstance(value, list):
        return [_rich(item) for item in value]
    if isinstance(value, dict):
        if "d" in value:
            return datetime.fromisoformat(value["d"])
        if "s" in value:
            return timedelta(seconds=value["s"])
        return {name: _rich(item) for name, item in value["f"].items()}
    return value


def _article(raw: dict[str, Any]) -> Article:
    return Article(**{**raw, "tags": tuple(raw["tags"])})


def _charset(headers: Mapping[str, str]) -> str | None:
    _, found, rest = headers.get("content-type", "").lower().partition("charset=")
    return rest.split(";")[0].strip(" \"'") or None if found else None

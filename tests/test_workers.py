"""Parse workers: whatever a job does to its worker, it ends as a clear error and the next job works."""

import asyncio
import os
import signal
from datetime import UTC, datetime

import pytest

from monitor.errors import ParseError
from monitor.feeds.workers import ParseWorkers
from monitor.model import Feed, Outlet

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FEED = Feed("sahel", "https://sahel.example/rss", Outlet("sahel", "أنباء الساحل", "Sahel", "SY", "ar"))
RSS = (
    '<rss version="2.0"><channel><title>أنباء الساحل</title><item><title>افتتاح ميناء جديد في اللاذقية</title>'
    "<link>https://sahel.example/1</link><category>اقتصاد</category></item></channel></rss>"
).encode()
PAGE = (
    "<html><head><title>ميناء جديد</title></head><body><article><h1>ميناء جديد</h1>"
    + "<p>افتتح رئيس الوزراء صباح اليوم ميناء جديدا في مدينة اللاذقية بحضور عدد كبير من السكان والصحفيين.</p>" * 6
    + "</article></body></html>"
).encode()


async def titles(workers: ParseWorkers, body: bytes = RSS) -> list[str]:
    found = await workers.parse(body, feed=FEED, url="https://sahel.example/rss", headers={}, now=NOW)
    return [article.title for article in found.articles]


async def job(workers: ParseWorkers, name: str, *args: object) -> None:
    await workers._run(name, args, {}, "sahel.example")


async def test_a_feed_and_a_page_are_read_in_a_worker() -> None:
    async with ParseWorkers(1) as workers:
        assert workers.running == 0
        assert await titles(workers) == ["افتتاح ميناء جديد في اللاذقية"]
        page = await workers.extract(PAGE, "https://sahel.example/1", {"content-type": "text/html; charset=utf-8"})
        assert "اللاذقية" in page.text
        assert workers.running == 1
    assert workers.running == 0


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("builtins:eval", ("sum(range(10**11))",), "CPU"),
        ("builtins:eval", ("[b'x' * 10**8 for _ in range(50)]",), "MB of memory"),
        ("os:abort", (), "broke the parser"),
        ("os:_exit", (0,), "broke the parser"),
        ("os:kill", (0, signal.SIGKILL), "broke the parser"),
        ("builtins:eval", ("1 / 0",), "ZeroDivisionError"),
        ("time:sleep", (600,), "s and was stopped"),
    ],
    ids=["burns CPU", "eats memory", "crashes", "leaves", "is killed", "raises", "sleeps"],
)
async def test_a_job_that_breaks_its_worker_is_an_error_and_the_next_job_works(
    name: str, args: tuple[object, ...], said: str
) -> None:
    wall = 1.0 if name == "time:sleep" else 30.0
    async with ParseWorkers(1, cpu_seconds=1, megabytes=256, wall_seconds=wall) as workers:
        with pytest.raises(ParseError, match=said) as caught:
            await job(workers, name, *args)
        assert str(caught.value).startswith("sahel.example: ")
        workers._wall = 30.0
        assert await titles(workers) == ["افتتاح ميناء جديد في اللاذقية"]


async def test_a_job_that_hangs_does_not_delay_the_others() -> None:
    async with ParseWorkers(2) as workers:
        stuck = asyncio.create_task(job(workers, "time:sleep", 600))
        await asyncio.sleep(0)
        for _ in range(5):
            assert await asyncio.wait_for(titles(workers), 15) == ["افتتاح ميناء جديد في اللاذقية"]
        assert not stuck.done()
        stuck.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stuck
        assert await titles(workers) == ["افتتاح ميناء جديد في اللاذقية"]


async def test_a_worker_killed_while_idle_is_replaced_without_an_error() -> None:
    async with ParseWorkers(1) as workers:
        await titles(workers)
        os.kill(workers._idle[0]._process.pid, signal.SIGKILL)
        await workers._idle[0]._process.wait()
        assert await titles(workers) == ["افتتاح ميناء جديد في اللاذقية"]


async def test_idle_workers_go_home_and_come_back() -> None:
    async with ParseWorkers(1, idle_seconds=0.05) as workers:
        await titles(workers)
        for _ in range(200):
            if workers.running == 0:
                break
            await asyncio.sleep(0.05)
        assert workers.running == 0
        assert await titles(workers) == ["افتتاح ميناء جديد في اللاذقية"]


async def test_a_worker_knows_no_secret_of_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RASID_TELEGRAM_TOKEN", "1:secret")
    async with ParseWorkers(1) as workers:
        with pytest.raises(ParseError, match="KeyError"):
            await job(workers, "builtins:eval", "__import__('os').environ['RASID_TELEGRAM_TOKEN']")
        await job(workers, "builtins:eval", "__import__('os').environ['PATH']")

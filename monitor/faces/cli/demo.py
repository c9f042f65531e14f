"""`rasid demo`: the real daemon on three local feeds, without any network."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Annotated

import typer
from aiohttp import web
from rich.console import Console

from monitor.faces.cli.common import told
from monitor.faces.cli.demo_feeds import CHANNELS, FEEDS, OUTLETS, RULES, SETTINGS, Entry
from monitor.flow import Flow
from monitor.runtime import configuration, logs
from monitor.runtime.assembly import open_flow
from monitor.runtime.daemon import Daemon

LONGEST = 60.0  # seconds until the demonstration must have shown everything
NEXT = """
What to try next · ماذا بعد؟
  rasid init news          a folder of your own: feeds, rules, channels, each file explained
  rasid run                watch its feeds; without a Telegram token alerts are printed like here
  rasid match "إسقاط طائرة شاهد فوق كييف"     which rules hit a text, and why
  rasid rules test         every rule carries its own examples
In a checkout write ./run.sh rasid for rasid, and ./run.sh start for rasid run.
"""


def demo(
    stay: Annotated[bool, typer.Option("--stay", help="Keep running until Ctrl-C when all has been shown.")] = False,
) -> None:
    """Show Rasid at work without a network: three local Arabic feeds, the real daemon, an alert within a minute.

    Examples: rasid demo · rasid demo --stay
    """
    console = Console(highlight=False, markup=False, emoji=False)
    with told(), tempfile.TemporaryDirectory(prefix="rasid-demo-") as folder:
        logs.configure("error", "console", ())
        shown = asyncio.run(_demo(Path(folder), console, stay=stay))
    _say(console, NEXT if shown else "The demonstration was stopped before all was shown.")
    if not shown and not stay:
        raise typer.Exit(1)


async def _demo(folder: Path, console: Console, *, stay: bool) -> bool:
    async with _feed_server() as (port, published):
        config = folder / "config"
        config.mkdir()
        files = {"feeds.yaml": OUTLETS, "rules.yaml": RULES, "channels.yaml": CHANNELS, "rasid.yaml": SETTINGS}
        for name, text in files.items():
            (config / name).write_text(text.replace("PORT", str(port)), encoding="utf-8")
        found = configuration.load(config, {})
        _say(console, f"▸ Three local outlets serve feeds at http://127.0.0.1:{port}/ ; the daemon starts.")
        async with open_flow(found, console=console) as (flow, _):
            daemon = Daemon(flow, found, environ={}, console=console)
            running = asyncio.create_task(daemon.run())
            try:
                shown = await asyncio.wait_for(_story(flow, console, published, running), LONGEST)
                if stay and shown:
                    _say(console, "▸ It keeps running; Ctrl-C ends it.")
                    await asyncio.wait([running])
            except TimeoutError:
                shown = False
            daemon.stop()
            await running
    return shown


async def _story(flow: Flow, console: Console, published: set[str], running: asyncio.Task[None]) -> bool:
    """Publish the feeds' entries one after the other, and say what the daemon makes of them."""

    async def until(reached: Callable[[], bool]) -> bool:
        while not running.done():
            if await flow.write(reached):
                return True
            await asyncio.sleep(0.2)
        return False

    store = flow.store
    if not await until(lambda: store.newest_article() >= 3 and _sent(flow, "send") == 1):
        return False
    _say(
        console,
        "▸ One alert. Two headlines beside it say «شاهد» too («شاهد بالفيديو…», «شاهد عيان»): a video and a witness, "
        "no drone, so no alert.",
    )
    _say(console, "▸ Now a second outlet publishes the same story in its own words (polled every 15 seconds) …")
    published.add("sada")
    if not await until(lambda: _sent(flow, "edit") == 1):
        return False
    _say(console, "▸ The second outlet joined the story: the message grew, and there was no second alert.")
    return True


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True)


def _sent(flow: Flow, operation: str) -> int:
    return flow.store.count_deliveries(operation, "sent")


@asynccontextmanager
async def _feed_server() -> AsyncIterator[tuple[int, set[str]]]:
    """(port, outlets whose later entries are published)."""
    published: set[str] = set()

    async def serve(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in FEEDS:
            raise web.HTTPNotFound
        entries = [one for one in FEEDS[name] if not one.later or name in published]
        return web.Response(text=_rss(name, entries), content_type="application/rss+xml", charset="utf-8")

    app = web.Application()
    app.router.add_get("/{name}.xml", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield int(runner.addresses[0][1]), published
    finally:
        await runner.cleanup()


def _rss(outlet: str, entries: list[Entry]) -> str:
    now = datetime.now(UTC)
    body = "".join(
        f"<item><title>{escape(one.title)}</title><link>https://{outlet}.example/{one.slug}</link>"
        f"<guid>https://{outlet}.example/{one.slug}</guid><description>{escape(one.text)}</description>"
        f"<pubDate>{format_datetime(now - timedelta(minutes=one.minutes))}</pubDate></item>"
        for one in entries
    )
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{head}<rss version="2.0"><channel><title>{outlet}</title>{body}</channel></rss>'

"""A month of real news through the whole flow: feed server → poll → database → Bot API server, on a test clock.

    python benchmarks/replay.py [--rules FILE] [--database postgres|URL] [--hourly] [--alerts] [--json]

Reads ../shared/data/arabic_feeds.tar.xz (5 outlets, one file a day each; says so where it is absent), serves each day's
files when the day is over, and lets the flow work until the next: feeds fall due, cooldowns end, a chat takes twenty
messages a minute. --hourly serves every hour the newest entries of each outlet, as its readers found them. The first
day is each feed's first poll, counted apart. Then everything is served a second time to a new daemon on the same
database. Ends with 1 if that brings anything, if an entry is unaccounted for, or if a message did not arrive.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.archive import DATA, HOUR, NAMES, Entry, Round, Served, daily, entries, files, hourly
from benchmarks.house import CHAT, ROOT, bot_api, ledger
from benchmarks.processes import peak_mb, workers_of
from monitor import arrivals, pipeline
from monitor.arabic.tokens import index_text
from monitor.flow import Flow
from monitor.model import Feed
from monitor.runtime import configuration, logs
from monitor.runtime.assembly import open_flow
from monitor.runtime.configuration import Configuration
from monitor.store.records import AlertRow, HitFilter, Placed
from monitor.store.store import Store
from tests.feed_server import FeedServerProcess
from tests.postgres import postgres_server
from tests.telegram_server import TOKEN

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
PAUSE = timedelta(seconds=3)  # of the test clock between two looks at the outbox


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Figures:
    """What a pass came to. Seconds are of the wall clock; polling ends with the commit of what was found."""

    polls: int = 0
    articles: int = 0
    revised: int = 0
    hits: int = 0
    alerts: int = 0
    failures: list[str] = field(default_factory=list)
    polling_seconds: float = 0.0
    polling_cpu_seconds: float = 0.0  # of this process; the parse workers have their own
    indexing_seconds: float = 0.0
    delivering_seconds: float = 0.0

    def add(self, report: arrivals.PollReport) -> None:
        self.polls += 1
        self.articles += report.new
        self.revised += report.revised
        self.hits += report.hits
        self.alerts += report.alerts
        if report.error:
            self.failures.append(f"{report.feed_id}: {report.error}")


# ── a pass ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def replay(
    flow: Flow, feeds: Mapping[str, Feed], clock: Clock, server: FeedServerProcess, one: Round, figures: Figures
) -> None:
    """Serve one round, poll what is due, and let the daemon's other ticks run until the next round."""
    for outlet, body in one.bodies.items():
        server.set(f"/{outlet}", body)
    clock.now = one.at
    began, cpu = time.perf_counter(), time.process_time()
    claim = partial(flow.store.claim_feeds, clock(), limit=100, lease=timedelta(minutes=5))
    states = await flow.write(claim)
    for report in await asyncio.gather(*(pipeline.poll_feed(flow, feeds[s.feed_id], s, clock()) for s in states)):
        figures.add(report)
    figures.polling_seconds += time.perf_counter() - began
    figures.polling_cpu_seconds += time.process_time() - cpu
    began = time.perf_counter()
    await flow.write(flow.store.index_pending, index_text, 1_000)
    figures.indexing_seconds += time.perf_counter() - began
    began = time.perf_counter()
    while clock() < one.until:
        figures.alerts += await flow.write(arrivals.release_held, flow, clock())
        while clock() < one.until:
            made = await pipeline.deliver_due(flow, clock)
            if not made and not any(chat.queued or chat.in_flight for chat in await flow.write(flow.store.chats)):
                break
            clock.now += PAUSE
        clock.now = min(clock() + HOUR, one.until)
    figures.delivering_seconds += time.perf_counter() - began


async def play(
    found: Configuration, served: Served, later: timedelta, server: FeedServerProcess, clock: Clock, progress: Progress
) -> tuple[Figures, Figures, dict[str, float]]:
    """All rounds on a flow of its own, each `later` than it was: (first round, the rest, peaks of memory in MB)."""
    feeds = {feed.id: feed for feed in found.catalog.feeds}
    first, rest = Figures(), Figures()
    task = progress.add_task("once more" if later else "the month", total=served.rounds)
    workers = 0.0
    clock.now = served.first + later
    async with open_flow(found, now=clock) as (flow, _):
        for one in served.make():
            moved = Round(one.at + later, one.until + later, one.bodies)
            await replay(flow, feeds, clock, server, moved, first if one.at == served.first else rest)
            workers = max([workers, *(peak_mb(pid) for pid in workers_of(os.getpid()))])
            progress.advance(task)
    return first, rest, {"daemon": peak_mb(os.getpid()), "worker": workers}


# ── the house it lives in ────────────────────────────────────────────────────────────────────────────────────────────


def configure(folder: Path, rules: Path, port: int, telegram: int, database: str, interval: str) -> Configuration:
    """A configuration folder like a user's: these feeds, those rules, one Telegram channel."""
    config = folder / "config"
    config.mkdir(exist_ok=True)
    shutil.copy(rules, config / "rules.yaml")
    lines = ["outlets:"]
    for outlet, (arabic, english, country) in NAMES.items():
        lines += [f"  - {{id: {outlet}, name: {{ar: {arabic}, en: {english}}}, country: {country}, language: ar,"]
        lines += [f"     feeds: [{{id: {outlet}, url: 'http://127.0.0.1:{port}/{outlet}', interval: {interval}}}]}}"]
    (config / "feeds.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (config / "channels.yaml").write_text("channels: [{name: main, type: telegram}]\n", encoding="utf-8")
    (config / "rasid.yaml").write_text(
        f"timezone: Asia/Beirut\nfetch: {{allow_loopback: true, extra_ports: [{port}]}}\n"
        f'telegram: {{base_url: "http://127.0.0.1:{telegram}"}}\n',
        encoding="utf-8",
    )
    secrets = {"RASID_TELEGRAM_TOKEN": TOKEN, "RASID_TELEGRAM_CHAT": CHAT, "RASID_DATABASE__URL": database}
    return configuration.load(config, secrets)


# ── what is in the database ──────────────────────────────────────────────────────────────────────────────────────────


def all_alerts(store: Store) -> list[AlertRow]:
    found: list[AlertRow] = []
    before = None
    while True:
        page = store.alerts(HitFilter(limit=1_000, before_id=before))
        found += page.items
        before = page.next_before
        if before is None:
            return found[::-1]


def hits_by(store: Store) -> tuple[dict[str, int], dict[str, int]]:
    """(hits by rule, hits by reason)."""
    rules: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    before = None
    while True:
        page = store.hits(HitFilter(limit=1_000, before_id=before))
        rules.update(row.hit.rule_id for row in page.items)
        codes.update(row.hit.code for row in page.items)
        before = page.next_before
        if before is None:
            return dict(rules.most_common()), dict(codes.most_common())


def stored(store: Store) -> list[Placed]:
    """Every article with its story."""
    found: list[Placed] = []
    while batch := store.articles_since(LONG_AGO, after_id=(found[-1].article.id or 0) if found else 0, limit=1_000):
        found += batch
    return found


def letters(title: str) -> str:
    """A headline without its marks: a question mark more makes no other text."""
    return "".join(char for char in title if char.isalnum())


def account(store: Store, served: Sequence[Entry]) -> dict[str, Any]:
    """Where every entry of the archive ended: an article that bears its outlet, date and headline (several entries
    may, of one address), a later version of one of its outlet's articles that bears its headline, or nowhere."""
    articles = stored(store)
    kept = Counter((one.article.feed_id, one.article.published, letters(one.article.title)) for one in articles)
    wanted: Counter[tuple[str, datetime | None, str]]
    wanted = Counter((one.outlet, one.published, letters(one.title)) for one in served)
    stories = Counter(one.story_id for one in articles)
    records = (store.story_record(story_id) for story_id in stories) if wanted - kept else ()
    versions = {
        (one.article.feed_id, letters(later.article.title))
        for record in records
        if record is not None
        for one in record.articles
        for later in one.revisions
    }
    others = list((wanted - kept).elements())
    again = [one for one in others if one in kept]
    lost = [one for one in others if one not in kept and (one[0], one[2]) not in versions]
    return {
        "entries": len(served),
        "articles": len(articles),
        "known_again": len(again),
        "later_versions": len(others) - len(again) - len(lost),
        "opened_a_story": len(stories),
        "joined_a_story": len(articles) - len(stories),
        "largest_story": max(stories.values(), default=0),
        "lost": [f"{outlet} {when:%d %H:%M} {title}" for outlet, when, title in lost],
        "not_of_the_archive": (kept - wanted).total(),
    }


# ── the report ───────────────────────────────────────────────────────────────────────────────────────────────────────


def run(options: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Both passes; the report."""
    archive = files()
    wanted = entries(archive)
    served = hourly(archive, wanted) if options.hourly else daily(archive)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rasid-replay-")))
        database = options.database or f"sqlite:///{folder}/rasid.db"
        if database == "postgres":
            database = stack.enter_context(postgres_server(durable=True)).new_database()
        server = stack.enter_context(FeedServerProcess())
        telegram = stack.enter_context(bot_api())
        progress = stack.enter_context(Progress(*columns, console=console, disable=not console.is_terminal))
        found = configure(folder, options.rules, server.port, telegram, database, "30m" if options.hourly else "12h")
        logs.configure("error", "console", found.settings.environ)
        store = Store.open(found.settings.settings.database.url, owner="replay")
        if store.newest_article():
            raise SystemExit(f"{store.place} is not empty: name an empty database")
        clock = Clock(served.first)
        first, rest, memory = asyncio.run(play(found, served, timedelta(0), server, clock, progress))
        before = store.info().rows
        posted = ledger(telegram)
        once_more = asyncio.run(play(found, served, clock() - served.first, server, clock, progress))
        after, status = store.info().rows, store.status(clock())
        rules, reasons = hits_by(store)
        alerts = all_alerts(store)
        accounted = account(store, wanted)
        store.close()
    of_rules = Counter(one.rule_id for one in alerts)
    return {
        "feeds_served": "hourly" if options.hourly else "daily",
        "database": "SQLite" if database.startswith("sqlite") else "Postgres",
        "files": len(archive),
        "first_day": asdict(first),
        "rest": asdict(rest),
        "accounted": accounted,
        "hits_by_decision": dict(status.hits),
        "hits_by_reason": reasons,
        "rules": {rule: {"hits": number, "alerts": of_rules[rule]} for rule, number in rules.items()},
        "alerts_of_several_outlets": sum(len(one.outlets) > 1 for one in alerts),
        "messages": {name: posted[name] for name in ("delivered", "acknowledged", "duplicated", "refused")},
        "deliveries": dict(status.deliveries),
        "articles_per_second": round((first.articles + rest.articles) / (first.polling_seconds + rest.polling_seconds)),
        "peak_mb": memory,
        "second_pass": {
            **{name: after[name] - before[name] for name in ("articles", "revisions", "hits", "alerts", "messages")},
            "failures": once_more[0].failures + once_more[1].failures,
        },
        "alerts": [
            {"rule": one.rule_id, "at": f"{one.created:%d %H:%M}", "title": one.article.title, "outlets": one.outlets,
             "articles": one.article_count, "digest": one.digest} for one in alerts
        ],
    }  # fmt: skip


def faults(report: Mapping[str, Any]) -> list[str]:
    """What must not be."""
    found = [f"in the second pass {what}: {n}" for what, n in report["second_pass"].items() if n]
    found += [f"lost: {one}" for one in report["accounted"]["lost"]]
    found += [f"a poll failed: {one}" for one in report["first_day"]["failures"] + report["rest"]["failures"]]
    undelivered = {state: n for state, n in report["deliveries"].items() if state != "sent"}
    if undelivered or report["messages"]["duplicated"]:
        found.append(f"deliveries {report['deliveries']}, {report['messages']['duplicated']} messages twice")
    return found


def show(report: Mapping[str, Any], console: Console, *, alerts: bool) -> None:
    """The report for people."""
    accounted, first, rest = report["accounted"], report["first_day"], report["rest"]
    lines = {
        "served": f"{report['files']} files {report['feeds_served']}, {accounted['entries']} entries; "
        f"{report['database']}",
        "first day": f"{first['articles']} articles, {first['hits']} hits, {first['alerts']} alerts",
        "after it": f"{rest['articles']} articles, {rest['hits']} hits, {rest['alerts']} alerts",
        "entries": f"{accounted['articles']} stored, {accounted['known_again']} known again by their address, "
        f"{accounted['later_versions']} later versions, "
        f"{len(accounted['lost'])} lost",
        "stories": f"{accounted['opened_a_story']}; {accounted['joined_a_story']} articles joined one; the largest "
        f"holds {accounted['largest_story']}",
        "hits": ", ".join(f"{n} {code}" for code, n in report["hits_by_reason"].items()),
        "rules": ", ".join(f"{rule} {n['hits']}/{n['alerts']}" for rule, n in report["rules"].items())
        + " (hits/alerts)",
        "messages": f"{report['messages']['delivered']} posted, {report['messages']['duplicated']} twice; "
        f"{report['deliveries']} deliveries with edits",
        "speed": f"{report['articles_per_second']} articles/s from poll to commit "
        f"({first['polling_seconds'] + rest['polling_seconds']:.1f} s), delivery "
        f"{first['delivering_seconds'] + rest['delivering_seconds']:.1f} s",
        "peak memory": f"{report['peak_mb']['daemon']:.0f} MB (this benchmark included), the largest parse worker "
        f"{report['peak_mb']['worker']:.0f} MB",
        "second pass": "nothing new" if not any(report["second_pass"].values()) else str(report["second_pass"]),
    }
    for name, words in lines.items():
        console.print(f"{name:12} {words}", soft_wrap=True)
    for one in report["alerts"] if alerts else ():
        console.print(
            f"{one['at']}  {one['rule']:18} {one['articles']:2} of {', '.join(one['outlets'])}", soft_wrap=True
        )
        console.print(f"          \u2068{one['title']}\u2069", soft_wrap=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=Path, default=ROOT / "config" / "rules.yaml", help="another rules file")
    parser.add_argument("--database", help="the URL of an empty database, or postgres: one of its own; else SQLite")
    parser.add_argument("--hourly", action="store_true", help="serve every hour the newest entries of each outlet")
    parser.add_argument("--alerts", action="store_true", help="list every alert")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not DATA.exists():
        print(json.dumps({"absent": "shared/data"}) if options.json else "The benchmark data (../shared) is absent.")
        return 0
    report = run(options, Console(stderr=True))
    wrong = faults(report)
    if options.json:
        print(json.dumps({**report, "faults": wrong}, ensure_ascii=False))
    else:
        show(report, Console(highlight=False, markup=False, emoji=False), alerts=options.alerts)
        for one in wrong:
            print(f"WRONG: {one}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

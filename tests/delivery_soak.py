"""The outbox under fire: real daemons, a real Bot API server that fails, and a kill -9 every five seconds.

    ./run.sh soak --only delivery --alerts 10000 --faults 0.2 --kills 250 --database postgres --seed 1 --json

Alerts are committed by the store's own intake while the daemons deliver; nothing else is made up. Waits (a chat's
pace, read timeout, lease, quarantine, holds, the server's delays) are divided by --scale, which is printed; the 30 a
second that a bot may send are not. On Postgres three daemons deliver from one outbox.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from monitor.model import Article, Decision, Placement, Rule, RuleMatch, Severity, Span
from monitor.model import Verdict as Decided
from monitor.store.store import Store
from monitor.telling import PRIORITY
from tests import soak_judge
from tests.postgres import postgres_server
from tests.soak_daemons import Daemons, Place, telegram

SHARES = {Severity.HIGH: 0.15, Severity.NORMAL: 0.6, Severity.LOW: 0.25}
RULES = {severity: Rule(severity.value, severity.value, severity.value, severity=severity) for severity in SHARES}
GROWS = 0.05  # of the stories are carried by a second outlet later, which edits their message
AGE = timedelta(hours=2)  # of articles: older than the window of stories, so that a start has none to read
AUDITS = [-1002000000000, -1002000000001, -1002000000002]
RECOVERY = 120.0  # seconds after a kill within which what it cut off is attempted again


class Feeder(threading.Thread):
    """Commits alerts, a batch a second, through the store's intake."""

    def __init__(self, store: Store, channels: list[str], alerts: int, seconds: float, seed: int) -> None:
        super().__init__(daemon=True)
        self._store, self._channels, self._chance = store, channels, random.Random(seed)
        self._left, self._batch = alerts, max(1, round(alerts / max(seconds, 1.0)))
        self._stories: list[tuple[int, int]] = []
        self._number = 0
        self.grown: set[int] = set()
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            while self._left > 0:
                began = time.monotonic()
                self._commit(min(self._batch, self._left))
                time.sleep(max(0.0, began + 1.0 - time.monotonic()))
        except BaseException as error:
            self.failure = error
            raise

    def _commit(self, count: int) -> None:
        now = datetime.now(UTC)
        severities = self._chance.choices(list(SHARES), list(SHARES.values()), k=count)
        with self._store.intake(now) as tx:
            for severity in severities:
                self._number += 1
                rule, story = RULES[severity], tx.open_story(now)
                article = tx.add_article(_article(self._number, "anba", now), story, Placement(None, "new"), False)
                match = RuleMatch(rule.id, (Span("title", 0, 3, "خبر"),))
                hit = tx.add_hit(rule, article, story, match, Decided(Decision.ALERT, "new_story"), now)
                alert = tx.add_alert(rule, story, hit, now)
                assert alert is not None
                channel = self._chance.choice(self._channels)
                tx.post(alert, story, [channel], now, priority=PRIORITY[severity])
                self._stories.append((self._number, story))
            for number, story in self._chance.sample(self._stories, min(len(self._stories), round(count * GROWS))):
                if number not in self.grown:
                    tx.add_article(_article(number, soak_judge.GROWN, now), story, Placement(story, "body"), False)
                    tx.grew(story, now)
                    self.grown.add(number)
        self._left -= count


def _article(number: int, outlet: str, now: datetime) -> Article:
    url = f"https://{outlet}.example/{number}"
    return Article(
        feed_id=outlet, outlet_id=outlet, key=url, url=url, canonical_url=url,
        title=f"خبر عاجل N{number:06}X من الميدان", summary="تفاصيل تصل تباعا.", body="", author="", tags=(),
        language="ar", published=now - AGE, first_seen=now - AGE, content_hash=f"{number}{outlet}",
    )  # fmt: skip


def _queued(database: str) -> Callable[[], int]:
    engine = sa.create_engine(database, poolclass=sa.NullPool)
    statement = sa.text("select count(*) from deliveries where state not in ('sent', 'dead')")

    def queued() -> int:
        with engine.connect() as connection:
            return int(connection.execute(statement).scalar_one())

    return queued


def run(options: argparse.Namespace) -> dict[str, object]:
    """One soak; its figures."""
    chance = random.Random(options.seed)
    with ExitStack() as stack:
        folder = Path(options.folder or stack.enter_context(tempfile.TemporaryDirectory(prefix="rasid-soak-")))
        folder.mkdir(parents=True, exist_ok=True)
        database = f"sqlite:///{folder / 'rasid.db'}"
        if options.database == "postgres":
            database = stack.enter_context(postgres_server(durable=True)).new_database()
        server = stack.enter_context(telegram(folder, options.scale))
        chats = [-1001000000000 - number for number in range(options.chats)]
        audits = AUDITS if options.audit else []
        for chat in chats:
            server.chat(id=chat, type="channel", per_minute=20, per_second=1)
        for audit in audits:
            server.chat(id=audit, type="channel", per_minute=20, per_second=1)
        place = Place(folder, database, server.port, options.scale, chats, audits)
        store = Store.open(database, owner="feeder")
        stack.callback(store.close)
        server.chaos(seed=options.seed, rate=options.faults)
        feeder = Feeder(store, place.channels, options.alerts, options.kills * options.every * 0.6, options.seed)
        daemons = stack.enter_context(Daemons(place, server, 3 if options.database == "postgres" else 1, chance))
        began = time.monotonic()
        feeder.start()
        daemons.fire(options.kills, options.every)
        feeder.join()
        if feeder.failure:
            raise feeder.failure
        drained = daemons.drain(_queued(database), options.drain)
        seconds = time.monotonic() - began
        daemons.end()
        verdict = soak_judge.judge(
            database, folder / "ledger.jsonl", place.ids, daemons.cut_off, feeder.grown, options.audit
        )
    failed = soak_judge.fails(verdict, audit=options.audit)
    recovery = round(max(daemons.recoveries, default=0.0), 1)
    if recovery > RECOVERY:
        failed.append("recovery_max_s")
    about = {name: getattr(options, name) for name in ("database", "seed", "faults", "audit", "scale", "chats")}
    return {
        **about,
        **asdict(verdict),
        "kills": daemons.deaths,
        "kills_at": dict(daemons.places),
        "recovery_max_s": recovery,
        "seconds": round(seconds),
        "drained": drained,
        "failed": failed,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="the outbox under fire")
    parser.add_argument("--only", choices=["delivery"], required=True)
    parser.add_argument("--alerts", type=int, default=10_000)
    parser.add_argument("--faults", type=float, default=0.2, help="share of sends that the server answers wrongly")
    parser.add_argument("--kills", type=int, default=250)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two kills")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--chats", type=int, default=60)
    parser.add_argument("--scale", type=float, default=15.0, help="divides the waits; 1 for real time")
    parser.add_argument("--audit", action="store_true", help="with an audit chat: then no message may come twice")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--drain", type=float, default=1200.0, help="seconds that the rest of the queue gets at the end"
    )
    parser.add_argument("--folder", help="keep database, ledger and logs here")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and nothing is left running
    found = run(options)
    if options.json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    else:
        for name, value in found.items():
            sys.stdout.write(f"{name:24} {value}\n")
    return 1 if found["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

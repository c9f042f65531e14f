"""What the store costs a send: claims and settlements a second, on SQLite and on Postgres, beside the disk's own rate.

    python benchmarks/send.py [--alerts 2000] [--chats 200] [--database sqlite|postgres|both] [--json]

Alerts are committed by the store's intake beforehand. Then deliveries are claimed, twenty at most in one go, and
settled as sent together, as the daemon does with answers that come at once; nothing is sent. Both databases write
durably: SQLite with synchronous=FULL in one process, Postgres with fsync, shared by four. fsyncs: how often in a second
this disk takes 4 KB for good, one after the other. Ends with 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from monitor.delivery import retry
from monitor.model import Article, Decision, Placement, Rule, RuleMatch, Span, Verdict
from monitor.model_delivery import ChatPace, Outcome, OutcomeKind
from monitor.store.store import Store

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.postgres import postgres_server  # noqa: E402 - found by the line above

RULE = Rule("shahed", "مسيّرات شاهد", "Shahed drones")
GOALS = {"sqlite": 300.0, "postgres": 1000.0}
PROCESSES = {"sqlite": 1, "postgres": 4}
BATCH = 20
FSYNC_SECONDS = 2.0


def paces(chats: int) -> dict[str, ChatPace]:
    """Chats without a pace: what is measured is the store."""
    return {f"c{number}": ChatPace(f"chat:{number}") for number in range(chats)}


def fill(store: Store, alerts: int, chats: int) -> None:
    """Commit so many alerts, a hundred at a time."""
    for first in range(0, alerts, 100):
        now = datetime.now(UTC)
        with store.intake(now) as tx:
            for number in range(first, min(first + 100, alerts)):
                story = tx.open_story(now)
                article = tx.add_article(_article(number, now), story, Placement(None, "new"), False)
                match = RuleMatch(RULE.id, (Span("title", 0, 3, "شاهد"),))
                hit = tx.add_hit(RULE, article, story, match, Verdict(Decision.ALERT, "new_story"), now)
                alert = tx.add_alert(RULE, story, hit, now)
                assert alert is not None
                tx.post(alert, story, [f"c{number % chats}"], now, priority=1)


def _article(number: int, now: datetime) -> Article:
    url = f"https://anba.example/{number}"
    return Article(
        feed_id="anba", outlet_id="anba", key=url, url=url, canonical_url=url, title=f"طائرة شاهد {number}", summary="",
        body="", author="", tags=(), language="ar", published=now, first_seen=now, content_hash=f"h{number}",
    )  # fmt: skip


def work(url: str, owner: str, chats: int) -> None:
    """Open the store, say so, wait for the word, send until nothing waits, and say how many that were."""
    store, ours = Store.open(url, owner=owner), paces(chats)
    store.open_chats(ours, datetime.now(UTC))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sent = send_all(store, ours)
    sys.stdout.write(f"{sent}\n")
    sys.stdout.flush()
    store.close()


def send_all(store: Store, ours: dict[str, ChatPace]) -> int:
    """Claim and settle until nothing waits; how many that were."""
    rng, sent = Random(1), 0
    while claims := store.claim_deliveries(datetime.now(UTC), paces=ours, limit=BATCH):
        ended = []
        for claim in claims:
            now = datetime.now(UTC)
            outcome = Outcome(OutcomeKind.SENT, external_id=str(claim.message_id))
            ended.append((claim, retry.settle(claim, outcome, now, rng), now))
        assert all(store.settle_all(ended))
        sent += len(ended)
    return sent


def measure(url: str, processes: int, alerts: int, chats: int) -> float:
    """Sends a second, with so many processes at it."""
    store = Store.open(url, owner="fill")
    fill(store, alerts, chats)
    store.close()
    command = [sys.executable, __file__, "--chats", str(chats), "--worker", url]
    started = [subprocess.Popen([*command, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
               for n in range(processes)]  # fmt: skip
    for one in started:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for one in started:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    each = [int(one.stdout.readline()) for one in started if one.stdout is not None]
    seconds = time.perf_counter() - began
    for one in started:
        one.communicate()
    assert sum(each) == alerts, f"{sum(each)} of {alerts} were sent"
    assert min(each) > alerts / processes / 4, f"they did not share the work: {each}"
    return alerts / seconds


def fsyncs(folder: Path) -> float:
    """How often in a second the disk takes 4 KB for good."""
    count, end = 0, time.perf_counter() + FSYNC_SECONDS
    with (folder / "fsync").open("wb", buffering=0) as file:
        while time.perf_counter() < end:
            file.write(b"x" * 4096)
            os.fsync(file.fileno())
            count += 1
    return count / FSYNC_SECONDS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, default=2000)
    parser.add_argument("--chats", type=int, default=200)
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--worker", nargs=2, metavar=("URL", "NUMBER"), help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.worker:
        url, number = options.worker
        work(url, f"worker {number}", options.chats)
        return 0
    chosen = list(GOALS) if options.database == "both" else [options.database]
    found: dict[str, dict[str, float]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rasid-send-")))
        for name in chosen:
            url = f"sqlite:///{folder / 'rasid.db'}"
            if name == "postgres":
                url = stack.enter_context(postgres_server(durable=True)).new_database()
            before = fsyncs(folder)
            rate = measure(url, PROCESSES[name], options.alerts, options.chats)
            figures = {"sends_per_s": rate, "processes": PROCESSES[name], "goal": GOALS[name], "fsyncs_per_s": before}
            found[name] = {key: round(value, 1) for key, value in figures.items()}
    if options.json:
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        for name, figures in found.items():
            sys.stdout.write(
                f"{name:9} {figures['sends_per_s']:7.0f} sends/s with {figures['processes']:.0f} process(es), goal "
                f"{figures['goal']:.0f}; the disk takes {figures['fsyncs_per_s']:.0f} fsyncs/s\n"
            )
    return 0 if all(one["sends_per_s"] >= one["goal"] for one in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

"""From publication to message: how late is an alert? A real daemon, the shipped feeds and rules, real time.

    python benchmarks/latency.py [--interval 15s] [--articles 40] [--database postgres|URL] [--json]

Every enabled feed of config/feeds.yaml is served by a feed server on this machine and polled every `interval`; at
random moments a random one of them publishes an article that a rule hits. The delay is taken from the moment the feed
holds the article to the moment its message is in the Bot API server's ledger; beside it stands what `rasid status`
says. Ends with 1 where a message is missing, came twice, or came later than interval + 10 s.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from benchmarks.house import House, bot_api, ledger, wait
from monitor.runtime import configuration
from tests.feed_server import FeedServerProcess
from tests.living import Item, rss
from tests.postgres import postgres_server

GRACE = 10.0  # seconds that an alert may take beyond its feed's interval
GAP = 4.0  # seconds between two articles, on average: a channel takes twenty messages a minute
CITIES = ("كييف", "أوديسا", "خاركيف", "لفيف", "سومي", "دنيبرو", "زابوريجيا", "خيرسون", "بولتافا", "تشيرنيهيف")
TAILS = ("قرب الميناء", "على محطة كهرباء", "فوق حي سكني", "في حقل خال", "عند الجسر القديم", "قرب مستودع", "في الغابة")


def strike(number: int, rng: random.Random) -> Item:
    """An article that the shipped rule on drones hits, told from every other by its number."""
    city = rng.choice(CITIES)
    told = f"قال الحاكم إن الحطام رقم {number * 7} سقط {rng.choice(TAILS)} ولم يصب أحد، وأغلق طريق {number * 13}."
    return Item(f"أوكرانيا تعلن إسقاط {number} مسيّرة من طراز شاهد فوق {city}", told, f"strike-{number}")


def publish(house: House, paths: list[str], count: int, rng: random.Random, progress: Progress) -> dict[int, float]:
    """Let feeds publish `count` articles; when each was there, by its number."""
    held: dict[str, list[Item]] = {}
    at = {}
    for number in progress.track(range(1_000, 1_000 + count), description="publishing"):
        path = rng.choice(paths)
        held.setdefault(path, []).insert(0, strike(number, rng))
        house.server.set(path, rss(path.strip("/"), *held[path]))
        at[number] = time.time()
        time.sleep(rng.uniform(0.5, 1.5) * GAP)
    return at


def posted(port: int) -> dict[int, list[float]]:
    """When the messages about each article arrived."""
    found: dict[int, list[float]] = {}
    for event in ledger(port)["events"]:
        words = event.get("text", "").split("إسقاط ")
        if event["event"] == "delivered" and len(words) > 1:
            found.setdefault(int(words[1].split()[0]), []).append(event["at"])
    return found


def measure(options: argparse.Namespace, console: Console) -> dict[str, Any]:
    rng = random.Random(11)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rasid-latency-")))
        database = options.database or f"sqlite:///{folder}/rasid.db"
        if database == "postgres":
            database = stack.enter_context(postgres_server(durable=True)).new_database()
        server = stack.enter_context(FeedServerProcess())
        telegram = stack.enter_context(bot_api())
        house = House(folder, server, telegram, database, 20, options.interval)
        feeds = [feed for feed in configuration.load(folder / "config", {}).catalog.feeds if feed.enabled]
        limit = feeds[0].interval.total_seconds() + GRACE
        paths = ["/" + feed.url.rpartition("/")[2] for feed in feeds]
        progress = stack.enter_context(Progress(console=console, disable=not console.is_terminal))
        with house.daemon():
            wait(lambda: {one.path for one in server.requests()} >= set(paths), seconds=600)
            time.sleep(limit)  # first polls end
            at = publish(house, paths, options.articles, rng, progress)
            end = time.time() + 2 * limit
            wait(lambda: len(posted(telegram)) == len(at) or time.time() > end, seconds=3 * limit)
            told = json.loads(house.rasid("status", "--json"))
            arrived = posted(telegram)
    delays = sorted(arrived[number][0] - at[number] for number in at if number in arrived)
    return {
        "feeds": len(feeds),
        "interval_s": limit - GRACE,
        "articles": len(at),
        "limit_s": limit,
        "alerted": len(delays),
        "twice": sum(len(times) - 1 for times in arrived.values()),
        "median_s": round(statistics.median(delays), 1) if delays else None,
        "p90_s": round(delays[int(len(delays) * 0.9)], 1) if delays else None,
        "worst_s": round(delays[-1], 1) if delays else None,
        "status": {name: told[name] for name in ("since_published", "since_first_seen")},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interval", default="15s", help="between two polls of a feed")
    parser.add_argument("--articles", type=int, default=40)
    parser.add_argument("--database", help="the URL of an empty database, or postgres: one of its own; else SQLite")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options, Console(stderr=True))
    good = found["alerted"] == found["articles"] and not found["twice"] and found["worst_s"] <= found["limit_s"]
    if options.json:
        print(json.dumps(found))
        return 0 if good else 1
    print(f"{found['feeds']} feeds, each every {found['interval_s']:.0f} s; {found['articles']} articles published")
    print(f"alerted  {found['alerted']} once, {found['twice']} again")
    print(f"delay    {found['median_s']} s (median), {found['p90_s']} s (9 of 10), {found['worst_s']} s (worst)")
    for name, one in found["status"].items():
        print(f"status   {name.replace('_', ' ')}: {one['p50']:.1f} s (median), {one['p90']:.1f} s (9 of 10)")
    print(f"goal: within the interval and {GRACE:.0f} s: {'reached' if good else 'missed'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

"""What an idle daemon takes, and how soon it is at work: the shipped feeds and rules, `rasid run` as a user starts it.

    python benchmarks/idle.py [--entries 40] [--database postgres|URL] [--json]

All enabled feeds of config/feeds.yaml are served by a feed server on this machine, alerts go to a Bot API server on
it. Memory is read when every feed was polled, and again when the parse workers have gone home. It is given as PSS
(pages that processes share are counted once), beside it RSS. Start-up is the time from the command to the first request
for a feed. Ends with 1 where the idle daemon takes more than 150 MB or its second start more than 2 s.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.house import House, bot_api, wait
from benchmarks.processes import cpu_seconds, peak_mb, proportional_mb, resident_mb, workers_of
from monitor.runtime import configuration
from tests.feed_server import FeedServerProcess
from tests.postgres import postgres_server

LIMIT_MB, LIMIT_SECONDS = 150.0, 2.0
SETTLE = 3.0  # seconds for the last commit and the last freed page
ADDRESS = re.compile(r"(?<=\s)https?://\S+")


def memory(pid: int) -> dict[str, float]:
    """In MB: the daemon, its parse workers, and both."""
    workers = workers_of(pid)
    daemon, parsing = proportional_mb(pid), sum(map(proportional_mb, workers))
    return {
        "daemon_pss": round(daemon, 1),
        "workers": len(workers),
        "workers_pss": round(parsing, 1),
        "together_pss": round(daemon + parsing, 1),
        "daemon_rss": round(resident_mb(pid), 1),
        "daemon_peak_rss": round(peak_mb(pid), 1),
    }


def measure(options: argparse.Namespace) -> dict[str, Any]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rasid-idle-")))
        database = options.database or f"sqlite:///{folder}/rasid.db"
        if database == "postgres":
            database = stack.enter_context(postgres_server(durable=True)).new_database()
        server = stack.enter_context(FeedServerProcess())
        house = House(folder, server, stack.enter_context(bot_api()), database, options.entries)
        enabled = [feed for feed in configuration.load(folder / "config", {}).catalog.feeds if feed.enabled]
        with house.daemon() as (pid, first, _):
            wait(lambda: len({one.path for one in server.requests()}) == len(enabled))
            wait(lambda: bool(workers_of(pid)))
            time.sleep(SETTLE)
            busy = memory(pid)
            began, used_before = time.monotonic(), cpu_seconds(pid)
            wait(lambda: not workers_of(pid))
            share = (cpu_seconds(pid) - used_before) / (time.monotonic() - began)
            time.sleep(SETTLE)
            idle = memory(pid)
        house.new_feed()
        with house.daemon() as (_, second, used):
            pass
    return {
        "feeds": len(enabled),
        "first_start_s": round(first, 2),
        "second_start_s": round(second, 2),
        "second_start_cpu_s": round(used, 2),
        "after_the_polls": busy,
        "idle": idle,
        "idle_cpu_percent": round(100 * share, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=40, help="of each feed")
    parser.add_argument("--database", help="the URL of an empty database, or postgres: one of its own; else SQLite")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options)
    busy, idle = found["after_the_polls"], found["idle"]
    good = idle["together_pss"] <= LIMIT_MB and found["second_start_s"] < LIMIT_SECONDS
    if options.json:
        print(json.dumps(found))
        return 0 if good else 1
    print(f"{found['feeds']} feeds of {options.entries} entries")
    for name, one in (("idle", idle), ("after the polls", busy)):
        daemon = f"{one['daemon_pss']:.1f} (RSS {one['daemon_rss']:.1f}, at most {one['daemon_peak_rss']:.1f})"
        parsing = f"{one['workers']} parse workers {one['workers_pss']:.1f}"
        print(f"{name:16} {one['together_pss']:6.1f} MB: the daemon {daemon}, {parsing}")
    print(f"idle             {found['idle_cpu_percent']:6.1f} % of one core")
    print(f"first start      {found['first_start_s']:6.2f} s to the first poll")
    print(f"second start     {found['second_start_s']:6.2f} s, {found['second_start_cpu_s']:.2f} s of CPU")
    print(f"goals: idle ≤ {LIMIT_MB:.0f} MB, second start < {LIMIT_SECONDS:.0f} s: {'reached' if good else 'missed'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

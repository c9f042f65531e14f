"""A poll's cost beside plain feedparser, on one feed of 50 Arabic entries: unchanged, and with two new entries.

    python benchmarks/poll.py [--rounds 15] [--json]

Each round measures all ways one after the other; ratios are medians over the rounds. "unchanged" is a server without
304: the same body again. "nothing new" is another body (the head's date changed) with the same entries. What is
measured is a poll's reading, in one thread: hash, cut, look-up of known entries, parse of the new ones to articles.
Plain feedparser runs in a process of its own, without our settings for it. Ends with 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from xxhash import xxh3_64_hexdigest

from monitor.feeds.parse import parse
from monitor.feeds.split import document, split
from monitor.model import Article, Feed, Outlet

ROOT = Path(__file__).resolve().parents[1]
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
URL = "https://sahel.example/rss"
FEED = Feed("sahel", URL, Outlet("sahel", "أنباء الساحل", "Sahel", "SY", "ar"))
TITLES = (
    "وزير الطاقة يفتتح محطة شمسية جديدة في جنوب البلاد",
    "أمطار غزيرة تغلق الطريق الساحلي وتعطل حركة القطارات",
    "البرلمان يناقش قانون الاستثمار في جلسة مغلقة اليوم",
    "ارتفاع أسعار القمح في الأسواق العالمية بعد موجة الجفاف",
    "بعثة طبية تجري مئة عملية جراحية مجانية في المخيم",
)
SENTENCES = (
    "قال المتحدث باسم الوزارة في مؤتمر صحفي عقده صباح اليوم إن الأعمال ستبدأ في غضون أسبوعين.",
    "وأضاف أن الحكومة خصصت مبلغا كبيرا من الموازنة العامة لإصلاح شبكات المياه والكهرباء في القرى.",
    "وشهدت المنطقة خلال الأيام الماضية هطول أمطار لم تعرفها منذ ثلاثين عاما، وفق مصلحة الأرصاد الجوية.",
    "وطالب سكان الحي البلدية بالإسراع في فتح الطرق، مشيرين إلى أن المدارس ما زالت مغلقة.",
    "ومن المقرر أن تعقد اللجنة اجتماعها المقبل يوم الخميس لبحث التقرير النهائي وإقرار التوصيات.",
    "ويرى خبراء أن الاتفاق سيفتح الباب أمام عودة الشركات الأجنبية إلى السوق المحلية.",
)
ROUNDS = 15
TIMES, POLLS = 20, 1_000  # the goals


def item(rng: random.Random, number: int) -> str:
    """An entry as the commonest publishing software writes it."""
    one, two, three = (" ".join(rng.sample(SENTENCES, 2)) for _ in range(3))
    link = f"https://sahel.example/news/2026/03/{number}"
    when = format_datetime(NOW - timedelta(minutes=7 * (1_000 - number)))
    return (
        f"<item><title>{rng.choice(TITLES)} ({number})</title><link>{link}/?utm_source=rss</link>"
        f"<comments>{link}/#respond</comments><dc:creator><![CDATA[مراسل الساحل]]></dc:creator>"
        f"<pubDate>{when}</pubDate><category><![CDATA[محليات]]></category><category><![CDATA[اقتصاد]]></category>"
        f'<guid isPermaLink="false">https://sahel.example/?p={number}</guid>'
        f"<description><![CDATA[<p>{rng.choice(SENTENCES)} [&#8230;]</p>]]></description>"
        f'<content:encoded><![CDATA[<figure class="wp-block-image size-large"><img src="{link}.jpg" alt="" width="800" '
        f'height="450" loading="lazy"/></figure><p style="text-align:right">{one}</p><p><strong>التفاصيل</strong></p>'
        f'<p>{two} <a href="{link}/2?a=1&amp;b=2" target="_blank" rel="noopener">المصدر</a></p><p>{three}</p>]]>'
        f"</content:encoded><wfw:commentRss>{link}/feed/</wfw:commentRss><slash:comments>0</slash:comments>"
        f'<media:content url="{link}.jpg" medium="image"/></item>'
    )


def feed(items: list[str], built: datetime) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:wfw="http://wellformedweb.org/CommentAPI/" xmlns:slash="http://purl.org/rss/1.0/modules/slash/" '
        'xmlns:media="http://search.yahoo.com/mrss/">'
        f"<channel><title>أنباء الساحل</title><link>https://sahel.example/</link><language>ar</language>"
        f"<lastBuildDate>{format_datetime(built)}</lastBuildDate>" + "\n".join(items) + "</channel></rss>"
    ).encode()


def plain_feedparser(file: Path, entries: int, repeat: int) -> float:
    """Seconds of CPU that feedparser as it comes takes for a file, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.plain", str(file), str(repeat)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found, seconds = json.loads(done.stdout)
    assert found == entries
    return float(seconds)


def poll(body: bytes, body_hash: str, known: set[str]) -> list[Article]:
    """What a poll reads of a body, as the flow does it (its store's look-up is a set here)."""
    if xxh3_64_hexdigest(body) == body_hash:
        return []
    parts = split(body)
    if parts is None:
        return parse(body, feed=FEED, url=URL, headers={}, now=NOW).articles
    new = [i for i, mark in enumerate(parts.hashes) if mark not in known]
    if not new:
        return []
    hashes = [parts.hashes[i] for i in new]
    return parse(document(parts, new), feed=FEED, url=URL, headers={}, now=NOW, hashes=hashes).articles


def timed(work: Callable[[], object], repeat: int) -> float:
    """Seconds of CPU a call."""
    started = time.process_time()
    for _ in range(repeat):
        work()
    return (time.process_time() - started) / repeat


def measure(rounds: int) -> dict[str, float]:
    rng = random.Random(7)
    items = [item(rng, number) for number in range(1_000, 948, -1)]
    old, same, two = feed(items[2:], NOW), feed(items[2:], NOW + timedelta(minutes=5)), feed(items[:50], NOW)
    parts = split(old)
    assert parts is not None
    known, mark = set(parts.hashes), xxh3_64_hexdigest(old)
    assert poll(old, mark, known) == [] == poll(same, mark, known)
    found = poll(two, mark, known)
    assert [a.title for a in found] == [
        a.title for a in parse(two, feed=FEED, url=URL, headers={}, now=NOW).articles[:2]
    ]
    with tempfile.TemporaryDirectory(prefix="rasid-poll-") as folder:
        whole, pair = Path(folder) / "whole.xml", Path(folder) / "pair.xml"
        whole.write_bytes(two)
        pair.write_bytes(feed(items[:2], NOW))
        ways: dict[str, Callable[[], float]] = {
            "feedparser": lambda: plain_feedparser(whole, 50, 3),
            "unchanged": lambda: timed(lambda: poll(old, mark, known), 2_000),
            "nothing_new": lambda: timed(lambda: poll(same, mark, known), 200),
            "two_new": lambda: timed(lambda: poll(two, mark, known), 30),
            "feedparser_on_the_two_alone": lambda: plain_feedparser(pair, 2, 30),
        }
        rows = [{name: work() for name, work in ways.items()} for _ in range(rounds)]
    result: dict[str, float] = {"bytes": len(two)}
    for name in ways:
        result[f"{name}_ms"] = statistics.median(row[name] for row in rows) * 1_000
        result[f"{name}_times"] = statistics.median(row["feedparser"] / row[name] for row in rows)
    result["unchanged_polls_per_second"] = 1_000 / result["unchanged_ms"]
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.rounds)
    good = found["two_new_times"] >= TIMES and found["unchanged_polls_per_second"] >= POLLS
    if options.json:
        print(json.dumps(found))
        return 0 if good else 1
    print(f"50 entries, {found['bytes'] / 1_000:.0f} KB; median of {options.rounds} rounds; one thread")
    for name in ("feedparser", "unchanged", "nothing_new", "two_new", "feedparser_on_the_two_alone"):
        words = name.replace("_", " ")
        print(f"{words:30} {found[f'{name}_ms']:10.4f} ms  {found[f'{name}_times']:10.1f} × feedparser's speed")
    print(f"unchanged: {found['unchanged_polls_per_second']:,.0f} polls/s a core")
    print(f"goals: two new ≥ {TIMES}×, ≥ {POLLS:,} polls/s: {'reached' if good else 'missed'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

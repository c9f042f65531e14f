"""Thousands of feeds, sound and damaged, through the real workers: each ends within its limits, and others go on."""

import asyncio
import random
import tarfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.errors import ParseError
from monitor.feeds.split import document, split
from monitor.feeds.workers import ParseWorkers
from monitor.model import Feed, Outlet
from tests.feed_bodies import BODIES, mutant

ARCHIVE = Path(__file__).resolve().parents[2] / "shared" / "data" / "feed_fixtures.tar.xz"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
URL = "https://sahel.example/rss"
FEED = Feed("sahel", URL, Outlet("sahel", "أنباء الساحل", "Sahel", "SY", "ar"))
SUFFIXES = (".xml", ".rss", ".atom", ".rdf", ".json", ".feed", ".html", ".txt", ".z", ".gz")
HEADERS = {"content-type": "text/xml"}


def collected() -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None and member.name.endswith(SUFFIXES):
                found[member.name] = file.read()
    return found


async def read(workers: ParseWorkers, body: bytes) -> str:
    """What became of a body on the way of a poll: articles, empty, or the error's words."""
    parts = split(body)
    given = body if parts is None else document(parts, range(len(parts.entries)))
    hashes = () if parts is None else parts.hashes
    try:
        found = await workers.parse(given, feed=FEED, url=URL, headers=HEADERS, now=NOW, hashes=hashes)
    except ParseError as error:
        return str(error)
    for article in found.articles:
        assert article.key
        assert article.title
        assert article.url == "" or article.url.startswith(("http://", "https://"))
        assert article.published is None or article.published <= NOW
        assert len(article.body) <= 200_000
    return "articles" if found.articles else "empty"


async def drive(bodies: list[bytes]) -> Counter[str]:
    """Read all of them, two at a time, a sound feed among every fifty; count what they came to."""
    outcomes: Counter[str] = Counter()
    async with ParseWorkers(2) as workers:
        waiting = iter(enumerate(bodies))

        async def lane() -> None:
            for at, body in waiting:
                outcomes[await read(workers, body)] += 1
                if at % 50 == 0:
                    assert await read(workers, BODIES["rss2"]) == "articles"

        await asyncio.gather(lane(), lane())
        assert workers.running <= 2
        assert await read(workers, BODIES["atom"]) == "articles"
    return outcomes


async def test_a_hundred_and_fifty_damaged_feeds_leave_the_workers_alive() -> None:
    rng = random.Random(20_260_302)
    sound = list(BODIES.values())
    outcomes = await drive([mutant(rng.choice(sound), rng) for _ in range(150)])
    assert outcomes.total() == 150
    assert outcomes["articles"] >= 75


async def test_every_feed_of_other_parsers_tests_ends_within_its_limits() -> None:
    if not ARCHIVE.exists():
        pytest.skip("the collected feeds of other parsers' tests are not here")
    bodies = collected()
    outcomes = await drive(list(bodies.values()))
    assert outcomes.total() == len(bodies)
    assert outcomes["articles"] >= 850  # most are of one element each, without a title or text


@pytest.mark.soak
async def test_five_thousand_damaged_feeds_leave_the_workers_alive() -> None:
    sound = list(collected().values()) if ARCHIVE.exists() else list(BODIES.values())
    rng = random.Random(5_000)
    outcomes = await drive([mutant(rng.choice(sound), rng) for _ in range(5_000)])
    print(outcomes.most_common(12))
    assert outcomes.total() == 5_000

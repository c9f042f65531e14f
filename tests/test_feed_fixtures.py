"""Thousands of feeds, sound and damaged, through the real workers and through a living daemon: each ends within its
limits, and others go on."""

import asyncio
import random
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.errors import ParseError
from monitor.feeds.split import document, split
from monitor.feeds.workers import ParseWorkers
from monitor.model import Feed, Outlet
from tests.feed_bodies import BODIES, mutant
from tests.feed_server import Route
from tests.living import Item, Living, living, rss

ARCHIVE = Path(__file__).resolve().parents[2] / "shared" / "data" / "feed_fixtures.tar.xz"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
URL = "https://sahel.example/rss"
FEED = Feed("sahel", URL, Outlet("sahel", "أنباء الساحل", "Sahel", "SY", "ar"))
HEADERS = {"content-type": "text/xml"}


def collected() -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None:
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


def mutants() -> list[bytes]:
    """Five thousand, always the same."""
    sound = list(collected().values()) if ARCHIVE.exists() else list(BODIES.values())
    rng = random.Random(5_000)
    return [mutant(rng.choice(sound), rng) for _ in range(5_000)]


@pytest.mark.soak
async def test_five_thousand_damaged_feeds_leave_the_workers_alive() -> None:
    outcomes = await drive(mutants())
    print(outcomes.most_common(12))
    assert outcomes.total() == 5_000


@pytest.fixture
def here(tmp_path: Path, store_url: str) -> Iterator[Living]:
    with living(tmp_path, store_url) as found:
        yield found


FIRST = Item("إسقاط عشرين طائرة شاهد فوق كييف", "أعلنت القوات الجوية أنها أسقطت عشرين طائرة شاهد.", "first")
SECOND = Item("هجوم بطائرات شاهد على مرفأ أوديسا", "قال الحاكم إن الهجوم أصاب صوامع الحبوب في المرفأ.", "second")


def poll_all(here: Living, bodies: Sequence[bytes]) -> None:
    """Let a daemon poll each of the bodies as a feed of its own, beside a sound feed, and look how it is afterwards."""
    settings = (here.config / "rasid.yaml").read_text(encoding="utf-8")
    settings = settings.replace("tick: 1s", "tick: 1s, concurrency: 60, interval: 1d")
    settings = settings.replace("fetch: {", "fetch: {per_host: 50, ").replace("level: debug", "level: info")
    here.write("rasid.yaml", settings + "parsing: {idle: 2s}\n")
    numbers = range(len(bodies))
    here.feeds.set_all({f"/{n}": Route(bodies[n], content_type="text/xml") for n in numbers})
    here.feeds.set("/anba", rss("anba", FIRST))
    sound = f"      - {{id: anba, url: '{here.feeds.url('/anba')}', interval: 15s}}\n"
    damaged = "".join(f"      - {{id: f{n}, url: '{here.feeds.url(f'/{n}')}'}}\n" for n in numbers)
    head = "outlets:\n  - id: anba\n    name: {ar: أنباء, en: Anba}\n    country: LB\n    feeds:\n"
    here.write("feeds.yaml", head + sound + damaged)

    here.start()
    here.wait(lambda: any("إسقاط عشرين" in one["text"] for one in here.messages()), seconds=120)
    left = "select count(*) from feeds where last_polled is null"
    here.wait(lambda: here.rows(left) == [(0,)], seconds=1_200)
    here.feeds.set("/anba", rss("anba", FIRST, SECOND))
    here.wait(lambda: any("أوديسا" in one["text"] for one in here.messages()), seconds=120)
    here.wait(lambda: here.children() == [] and here.files() < 60, seconds=60)
    print(f"{len(bodies)} feeds, {here.memory():.0f} MB, {here.files()} open files")
    print(here.rows("select count(*), count(last_error) from feeds"), here.rows("select count(*) from articles"))
    assert here.memory() < 400
    assert "failed unexpectedly" not in here.log()
    assert here.stop() == 0


@pytest.mark.soak
def test_a_daemon_lives_through_every_feed_of_other_parsers_tests(here: Living) -> None:
    if not ARCHIVE.exists():
        pytest.skip("the collected feeds of other parsers' tests are not here")
    poll_all(here, list(collected().values()))


@pytest.mark.soak
def test_a_daemon_lives_through_five_thousand_damaged_feeds(here: Living) -> None:
    poll_all(here, mutants())

"""The flow on a real HTTP server, real parse workers and a real SQLite file."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiohttp import web

from monitor.arrivals import PollReport, release_held
from monitor.delivery.transports import Check
from monitor.errors import StoreError
from monitor.feeds.fetch import Fetcher
from monitor.feeds.workers import ParseWorkers
from monitor.flow import TURN, Flow, turn_of
from monitor.matching.matcher import Matcher
from monitor.matching.query import parse
from monitor.model import Feed, Outlet, Rule
from monitor.model_delivery import Channel, ChatPace, DeliveryClaim, Outcome, Rendered
from monitor.pipeline import deliver_due, poll_feed
from monitor.store.intake import Intake
from monitor.store.store import Store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MAIN = Channel("main", "console")
RULE = Rule("shahed", "مسيّرات شاهد", "Shahed drones")
BODY = (
    "أعلنت القوات الجوية الأوكرانية صباح اليوم أنها أسقطت عشرين طائرة من طراز شاهد أطلقتها روسيا خلال الليل على "
    "العاصمة كييف ومدينة أوديسا، وأضافت في بيان أن حطام الطائرات سقط على مبنى سكني من دون وقوع إصابات بين السكان."
)
VIDEO = "شاهد بالفيديو لحظة وصول المنتخب إلى المطار"


def rss(*entries: tuple[str, str, str, datetime]) -> str:
    items = "".join(
        f"<item><title>{title}</title><link>{link}</link><guid>{link}</guid><description>{text}</description>"
        f"<pubDate>{format_datetime(when)}</pubDate></item>"
        for title, link, text, when in entries
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>أخبار</title>{items}</channel></rss>'
    )


class World:
    """A feed server and a flow that polls it."""

    def __init__(self, flow: Flow, base: str, bodies: dict[str, str]) -> None:
        self.flow, self.base, self.bodies = flow, base, bodies

    async def poll(self, outlet: str, now: datetime) -> PollReport:
        feed = Feed(id=outlet, url=f"{self.base}/{outlet}", outlet=Outlet(outlet, outlet, outlet, "LB", "ar"))
        store = self.flow.store
        known = store.feed_states()
        if outlet not in known:
            store.sync_feeds([replace(feed, id=one) for one in {*known, outlet}], now)
        return await poll_feed(self.flow, feed, store.feed_states()[outlet], now)

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        engine = sa.create_engine(f"sqlite:///{self.flow.store.place.removeprefix('SQLite ')}")
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement))]


@asynccontextmanager
async def world(folder: Path, rule: Rule = RULE) -> AsyncIterator[World]:
    bodies: dict[str, str] = {}

    async def serve(request: web.Request) -> web.Response:
        return web.Response(text=bodies[request.match_info["name"]], content_type="application/rss+xml")

    app = web.Application()
    app.router.add_get("/{name}", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    store = Store.open(f"sqlite:///{folder / 'rasid.db'}", owner="test")
    try:
        with ThreadPoolExecutor(1) as writer:
            async with Fetcher(allow_loopback=True, extra_ports=(port,)) as fetcher, ParseWorkers(1) as workers:
                matcher = Matcher([(rule, parse("شاهد NEAR/4 (طائرة OR طائرات OR طراز)"))])
                flow = Flow(store, writer, fetcher, workers, matcher, {rule.id: rule}, {"main": MAIN})
                yield World(flow, f"http://127.0.0.1:{port}", bodies)
    finally:
        store.close()
        await runner.cleanup()


async def test_a_fresh_article_alerts_and_a_video_headline_does_not(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        fresh = NOW - timedelta(minutes=5)
        here.bodies["anba"] = rss(
            ("إسقاط عشرين طائرة شاهد", "https://anba.example/1", BODY, fresh),
            (VIDEO, "https://anba.example/2", "", fresh),
        )
        report = await here.poll("anba", NOW)
        assert (report.error, report.new, report.hits, report.alerts) == (None, 2, 1, 1)
        assert here.rows("select decision, code from hits") == [("alert", "new_story")]
        assert here.rows("select channel, operation, state from deliveries") == [("main", "send", "pending")]


async def test_the_same_poll_again_changes_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.bodies["anba"] = rss(("إسقاط طائرة شاهد", "https://anba.example/1", BODY, NOW))
        await here.poll("anba", NOW)
        here.bodies["anba"] += "\n"
        again = await here.poll("anba", NOW + timedelta(minutes=5))
        assert (again.new, again.hits, again.alerts) == (0, 0, 0)
        assert here.rows("select count(*) from articles") == [(1,)]


async def test_a_second_outlet_joins_the_story(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.bodies["anba"] = rss(("إسقاط عشرين طائرة شاهد", "https://anba.example/1", BODY, NOW))
        here.bodies["sada"] = rss(("كييف: إسقاط 20 طائرة شاهد ليلا", "https://sada.example/9", BODY, NOW))
        await here.poll("anba", NOW)
        report = await here.poll("sada", NOW + timedelta(minutes=1))
        assert (report.hits, report.alerts) == (1, 0)
        assert here.rows("select code from hits order by id") == [("new_story",), ("joined_story",)]
        assert here.rows("select count(distinct story_id) from articles") == [(1,)]


async def test_a_rule_that_waits_for_two_outlets_alerts_with_the_second(tmp_path: Path) -> None:
    async with world(tmp_path, replace(RULE, min_outlets=2)) as here:
        here.bodies["anba"] = rss(("إسقاط عشرين طائرة شاهد", "https://anba.example/1", BODY, NOW))
        here.bodies["sada"] = rss(("إسقاط عشرين طائرة شاهد", "https://sada.example/9", BODY, NOW))
        first = await here.poll("anba", NOW)
        second = await here.poll("sada", NOW + timedelta(minutes=1))
        assert (first.alerts, second.alerts) == (0, 1)
        assert here.rows("select count(*) from alerts") == [(1,)]


async def test_an_article_that_does_not_match_lets_a_waiting_rule_alert(tmp_path: Path) -> None:
    copy = BODY.replace("طراز شاهد", "صنع محلي")
    async with world(tmp_path, replace(RULE, min_outlets=2)) as here:
        here.bodies["a"] = rss(("إسقاط عشرين طائرة فوق كييف", "https://a.example/1", BODY, NOW))
        here.bodies["b"] = rss(("إسقاط عشرين طائرة فوق كييف", "https://b.example/1", copy, NOW))
        assert (await here.poll("a", NOW)).alerts == 0
        report = await here.poll("b", NOW + timedelta(minutes=1))
        assert (report.hits, report.alerts) == (0, 1)
        assert here.rows("select decision, code from hits") == [("alert", "outlets_reached")]


async def test_a_busy_rule_holds_what_waits_no_longer_than_it_said_and_then_as_one_digest(tmp_path: Path) -> None:
    subjects = ("كييف", "أوديسا", "خاركيف", "لفيف", "بولتافا")
    async with world(tmp_path, replace(RULE, cooldown=timedelta(hours=1))) as here:
        for number, place in enumerate(subjects):
            text = f"سقطت طائرة من طراز شاهد في {place} قرب " + " ".join(f"{place}{n}" for n in range(40))
            when = NOW + timedelta(minutes=25 * number)
            here.bodies["a"] = rss((f"حريق كبير في {place}", f"https://a.example/{number}", text, when))
            await here.poll("a", when)
            release_held(here.flow, when)
        codes = [row[0] for row in here.rows("select code from hits order by id")]
        assert codes == ["new_story", "cooldown_over", "cooldown_over", "new_story", "cooldown"]
        kinds = here.rows("select kind, count(*) from messages group by kind order by kind")
        assert kinds == [("digest", 1), ("story", 2)]


async def test_a_lowered_threshold_releases_what_waited_for_more_outlets(tmp_path: Path) -> None:
    async with world(tmp_path, replace(RULE, min_outlets=2)) as here:
        here.bodies["a"] = rss(("إسقاط عشرين طائرة فوق كييف", "https://a.example/1", BODY, NOW))
        await here.poll("a", NOW)
        assert release_held(here.flow, NOW) == 0
        here.flow.rules = {RULE.id: RULE}
        assert release_held(here.flow, NOW, everything=True) == 1


async def test_what_waits_for_outlets_ends_with_its_story(tmp_path: Path) -> None:
    async with world(tmp_path, replace(RULE, min_outlets=2)) as here:
        here.bodies["a"] = rss(("إسقاط عشرين طائرة فوق كييف", "https://a.example/1", BODY, NOW))
        await here.poll("a", NOW)
        release_held(here.flow, NOW + timedelta(days=6))
        assert here.rows("select code from hits") == [("too_few_outlets",)]
        release_held(here.flow, NOW + timedelta(days=8))
        assert here.rows("select decision, code from hits") == [("muted", "outlets_missed")]


async def test_old_entries_of_a_first_poll_are_stored_and_muted(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.bodies["anba"] = rss(
            ("إسقاط طائرة شاهد", "https://anba.example/1", BODY, NOW - timedelta(hours=10)),
            ("طائرات شاهد فوق خاركيف", "https://anba.example/2", "", NOW - timedelta(days=9)),
        )
        report = await here.poll("anba", NOW)
        assert (report.hits, report.alerts) == (2, 0)
        assert here.rows("select code from hits order by id") == [("too_old",), ("first_poll",)]


async def test_a_rule_whose_channel_does_not_exist_is_muted_with_the_reason(tmp_path: Path) -> None:
    async with world(tmp_path, replace(RULE, channels=("desk",))) as here:
        here.bodies["anba"] = rss(("إسقاط طائرة شاهد", "https://anba.example/1", BODY, NOW))
        await here.poll("anba", NOW)
        assert here.rows("select decision, code from hits") == [("muted", "no_channel")]


async def test_what_is_no_feed_is_a_report_and_backs_off(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.bodies["anba"] = "<html><body>صيانة</body></html>"
        report = await here.poll("anba", NOW)
        state = here.flow.store.feed_states()["anba"]
        assert report.error
        assert (state.failures, state.first_poll_done) == (1, False)


@pytest.mark.parametrize("step", ["save_feed", "add_hit"])
async def test_a_failure_inside_the_intake_leaves_nothing_and_the_next_poll_alerts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async with world(tmp_path) as here:
        here.bodies["anba"] = rss(("إسقاط طائرة شاهد", "https://anba.example/1", BODY, NOW))
        with monkeypatch.context() as broken:
            broken.setattr(Intake, step, None)
            with pytest.raises(TypeError):
                await here.poll("anba", NOW)
        assert here.rows("select count(*) from articles") == [(0,)]
        assert len(here.flow.index) == 0
        report = await here.poll("anba", NOW + timedelta(minutes=5))
        assert report.alerts == 1


async def test_on_a_full_disk_nothing_is_stored_and_the_next_poll_finds_everything(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        entries = [(f"إسقاط {n} طائرة شاهد", f"https://anba.example/{n}", f"{n} {BODY} " * 50, NOW) for n in range(9)]
        here.bodies["anba"] = rss(*entries)
        store = here.flow.store
        store.sync_feeds([], NOW)
        with store._writing() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 4}")
        with pytest.raises(StoreError, match="the disk is full: free some space"):
            await here.poll("anba", NOW)
        assert here.rows("select count(*) from articles") == [(0,)]
        assert len(here.flow.index) == 0
        with store._writing() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        report = await here.poll("anba", NOW + timedelta(minutes=5))
        assert (report.new, report.hits) == (9, 9)


async def test_a_flood_of_text_is_matched_in_turns(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        entries = [(f"إسقاط {n} طائرة شاهد", f"https://anba.example/{n}", f"{n} {BODY} " * 300, NOW) for n in range(6)]
        here.bodies["anba"] = rss(*entries)
        report = await here.poll("anba", NOW)
        assert report.hits == 6
        articles = here.flow.store.articles_since(NOW - timedelta(days=1))
        found = [one.article for one in articles]
        turns = [turn_of(found, at) for at in range(len(found))]
        assert all(sum(len(one.body) + len(one.summary) for one in turn) <= TURN or len(turn) == 1 for turn in turns)
        assert len(turns[0]) < 6 and turns[-1] == found[-1:]


async def test_a_feed_of_very_many_entries_is_read_in_part_and_its_archive_never_comes_as_news(tmp_path: Path) -> None:
    async with world(tmp_path) as here:

        def feed(*numbers: int) -> str:
            items = (
                f"<item>\n<title>خبر رقم {n}</title>\n<link>https://anba.example/{n}</link>\n"
                f"<guid>\n{n}\n</guid>\n<description>\nنص\n</description>\n</item>\n"
                for n in numbers
            )
            return f'<rss version="2.0"><channel><title>أخبار</title>{"".join(items)}</channel></rss>'

        archive = range(90_000, 0, -1)
        here.bodies["anba"] = feed(*archive)
        report = await here.poll("anba", NOW)
        assert (report.error, report.new) == (None, 2_000)
        assert report.notes == ("too many entries: the first 2000 were read, 88000 others were not",)
        here.bodies["anba"] = feed(90_002, 90_001, *archive)
        report = await here.poll("anba", NOW + timedelta(minutes=5))
        assert (report.error, report.new) == (None, 2)
        here.bodies["anba"] = feed(90_003, *archive[:10_000])  # what was passed over is known
        report = await here.poll("anba", NOW + timedelta(minutes=10))
        assert (report.error, report.new, report.notes) == (None, 1, ())


class Broken:
    """A transport with a mistake in it."""

    pace, limit = ChatPace("broken"), 4096

    async def deliver(self, claim: DeliveryClaim, rendered: Rendered) -> Outcome:
        raise OverflowError("secret")

    async def diagnose(self, sample: Rendered | None = None) -> list[Check]:
        return []

    async def close(self) -> None:
        pass


async def test_a_mistake_in_a_transport_bars_no_chat(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.flow.channels, here.flow.transports = {"main": MAIN}, {"main": Broken()}
        here.bodies["anba"] = rss(("إسقاط طائرة شاهد", "https://anba.example/1", BODY, NOW))
        await here.poll("anba", NOW)
        here.flow.store.open_chats(here.flow.paces(), NOW)
        assert await deliver_due(here.flow, lambda: NOW) == 1
        ((state, reason),) = here.rows("select state, reason from deliveries")
        assert state == "unknown"
        assert str(reason).startswith("it failed unexpectedly: OverflowError in test_pipeline.py:")

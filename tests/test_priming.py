"""A start among thousands of stored articles: the daemon works at once, and no story is told twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.model import Article, Placement
from monitor.pipeline import poll_feed
from monitor.runtime import configuration
from monitor.runtime.assembly import PRIME_BATCH, open_flow
from monitor.store.store import Store
from tests.feed_server import FeedServer
from tests.living import Item, rss

BODY = (
    "أعلنت بلدية المدينة صباح اليوم افتتاح جسر جديد فوق النهر بعد ثلاث سنوات من العمل وقال رئيسها إن الجسر يختصر "
    "الطريق إلى الميناء من ساعة إلى عشر دقائق وإنه شيد بقرض من مصرف التنمية على أن يسدد خلال عشرين عاما"
)
STORED = 2 * PRIME_BATCH + 50


def article(number: int, now: datetime) -> Article:
    return Article(
        feed_id="anba", outlet_id="anba", key=f"old-{number}", url="", canonical_url="", author="", tags=(),
        title=f"خبر رقم {number} عن شأن آخر", summary="", body=f"نص قصير رقم {number}", language="ar", published=now,
        first_seen=now, content_hash=f"old-{number}",
    )  # fmt: skip


def fill(url: str, now: datetime) -> None:
    store = Store.open(url, owner="before")
    with store.intake(now) as tx:
        for number in range(STORED):
            tx.add_article(article(number, now), tx.open_story(now), Placement(None, "new"), False)
        last = replace(article(STORED, now), title="افتتاح جسر فوق النهر", body=BODY)
        tx.add_article(last, tx.open_story(now), Placement(None, "new"), False)
    store.close()


async def test_a_poll_waits_for_the_stored_stories_and_other_work_does_not(tmp_path: Path, store_url: str) -> None:
    now = datetime.now(UTC) - timedelta(minutes=5)
    fill(store_url, now)
    with FeedServer() as server:
        config = tmp_path / "config"
        config.mkdir()
        address = server.set("/sada", rss("sada", Item("جسر النهر يفتح أمام السيارات", BODY, "bridge")))
        outlet = "id: sada, name: {ar: صدى, en: Sada}, country: LB, language: ar"
        (config / "feeds.yaml").write_text(f"outlets: [{{{outlet}, feeds: ['{address}']}}]\n")
        (config / "rules.yaml").write_text("rules: [{id: bridge, name: {ar: ج, en: B}, match: جسر}]\n")
        (config / "channels.yaml").write_text("channels: [{name: main, type: console}]\n")
        (config / "rasid.yaml").write_text(f"fetch: {{allow_loopback: true, extra_ports: [{server.port}]}}\n")
        found = configuration.load(config, {"RASID_DATABASE__URL": store_url})
        async with open_flow(found) as (flow, _):
            assert flow.priming is not None
            feed = found.catalog.feeds[0]
            states = await flow.write(flow.store.feed_states)
            assert not flow.priming.done()
            report = await poll_feed(flow, feed, states[feed.id], datetime.now(UTC))
            assert flow.priming.done()
            assert report.new == 1
            assert len(flow.index) == STORED + 2
            assert (await flow.write(flow.store.status, datetime.now(UTC))).stories == STORED + 1

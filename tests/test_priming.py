"""A start among thousands of stored articles: the daemon works at once, and no story is told twice.

What the index needs is kept in the database, and made anew where it is not there or of another scheme.
"""

import argparse
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import rebuild
from monitor.model import Article, Placement
from monitor.pipeline import poll_feed
from monitor.runtime import configuration
from monitor.runtime.assembly import PRIME_BATCH, open_flow, prime
from monitor.store.store import Store
from monitor.stories import packed
from monitor.stories.index import StoryIndex
from monitor.stories.signature import sign
from tests.desk import NOW, desks
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


async def primed(url: str, now: datetime) -> StoryIndex:
    with desks(url) as (desk,):
        await prime(desk.flow, now)
        return desk.flow.index


async def test_what_was_not_kept_is_signed_again_and_kept_from_then_on(store_url: str) -> None:
    now = datetime.now(UTC) - timedelta(minutes=5)
    fill(store_url, now)  # as an older rasid did, which kept nothing
    with desks(store_url) as (desk,):
        assert desk.rows("select count(*) from signatures") == [(0,)]
        desk.at = int((now - NOW).total_seconds() / 60)
        await prime(desk.flow, now)
        desk.take("sada", "جسر النهر يفتح أمام السيارات", BODY)
        assert desk.rows("select count(*) from signatures") == [(STORED + 2,)]
        first = desk.flow.index
        desk.flow.store.keep_signatures({STORED + 1: b"by another rasid" * 9})
    again = await primed(store_url, now)
    copy = sign(replace(article(1, now), title="خبر", body=BODY, content_hash="copy", key="copy"))
    found = [[one.article_id for one in index.candidates(copy)] for index in (first, again)]
    assert found[0] == found[1] and sorted(found[0]) == [STORED + 1, STORED + 2]


async def test_signatures_of_articles_that_left_the_window_are_dropped(store_url: str) -> None:
    now = datetime.now(UTC)
    fill(store_url, now - timedelta(days=8))
    with desks(store_url) as (desk,):
        desk.at = int((now - NOW).total_seconds() / 60)
        desk.take("sada", "جسر النهر يفتح أمام السيارات", BODY)
        desk.flow.store.keep_signatures({1: b"old"})
        assert desk.flow.store.drop_signatures(now - desk.flow.index.window) == 1
        assert desk.rows("select article_id from signatures") == [(STORED + 2,)]
    assert len(await primed(store_url, now)) == 1


TEXT = st.text(max_size=60)


@given(TEXT, TEXT, st.lists(st.sampled_from(BODY.split()), max_size=90).map(" ".join))
def test_a_signature_is_the_same_after_it_was_kept(key: str, title: str, body: str) -> None:
    signature = sign(replace(article(1, NOW), key=key, title=title, body=body))
    assert packed.unpack(packed.pack(signature)) == signature


@pytest.mark.parametrize("kept", [b"", b"\x00", b"by another rasid" * 9, packed.pack(packed.probed())[1:]])
def test_what_another_scheme_kept_is_no_signature(kept: bytes) -> None:
    assert packed.unpack(kept) is None


def test_the_probe_has_something_in_every_field_so_that_no_change_of_signing_stays_unseen() -> None:
    probe = packed.probed()
    assert all(getattr(probe, field.name) for field in fields(probe))
    assert packed.unpack(packed.pack(probe)) == probe


def test_the_benchmark_of_a_start_fills_the_same_index_from_what_was_kept_and_from_the_texts() -> None:
    if not rebuild.ARCHIVE.exists():
        pytest.skip("the archive of articles (../shared/data/articles.jsonl.gz) is not here")
    options = argparse.Namespace(articles=400, summaries=True, database=None, once=False)
    report = rebuild.run(options)
    assert (report["articles"], report["placed_differently"]) == (400, 0)
    assert report["found_again"] > 350

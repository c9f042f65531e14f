"""The store's contract outside the outbox, on SQLite and Postgres: schema, feeds, intake, held hits, search."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from monitor.errors import InstanceRunning, SchemaTooNew, StoreError
from monitor.model import Decision, Feed, Outlet, Placement, Rule, RuleMatch, Span, Verdict
from monitor.store import dialect, schema
from monitor.store.records import HitFilter
from monitor.store.store import Store
from monitor.store.tables import metadata
from tests.postgres import PostgresServer
from tests.test_store_outbox import NOW, RULE, Desk, article, desk, seconds

__all__ = ["desk"]
LEASE = timedelta(minutes=5)


def feed(name: str, url: str = "") -> Feed:
    return Feed(name, url or f"https://{name}.example/rss", Outlet(name, name, name, "LB", "ar"))


def ids(states: object) -> list[str]:
    return [state.feed_id for state in states]  # type: ignore[attr-defined]


# ── the connection ──


def test_a_postgres_that_falls_silent_is_given_up_after_a_minute(postgres: PostgresServer) -> None:
    """That the system does so at such settings was seen with a cut cable; here, that the library took them."""
    made = dialect.make_engine(sa.make_url(postgres.url("postgres")), read_only=False)
    with made.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        told = driver.info.get_parameters()
    made.dispose()
    silent = int(told["keepalives_idle"]) + int(told["keepalives_interval"]) * int(told["keepalives_count"])
    assert silent <= 60 and int(told["tcp_user_timeout"]) <= 60_000


# ── schema ──


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'rasid.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def engine(empty_url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(empty_url, poolclass=sa.NullPool)
    yield engine
    engine.dispose()


def test_the_migrations_make_the_tables_that_the_code_speaks_of(empty_url: str, engine: sa.Engine) -> None:
    Store.open(empty_url, owner="one").close()
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differences = compare_metadata(context, metadata)
    search = ("article_words", "article_search")
    assert [one for one in differences if not any(name in str(one) for name in search)] == []


def test_an_older_database_is_brought_up_to_date_with_its_rows(empty_url: str, engine: sa.Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.folder()))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        kept = (
            "INSERT INTO chats (chat_key, channels, hold_reason, recent) VALUES ('telegram:1', '[\"main\"]', '', '[]')"
        )
        connection.execute(sa.text(kept))
    store = Store.open(empty_url, owner="one", migrate=False)
    assert store.schema_version() == "0001"
    assert store.upgrade() is True
    assert store.upgrade() is False
    assert store.schema_version() == schema.revisions()[-1]
    assert [chat.chat_key for chat in store.chats()] == ["telegram:1"]
    store.close()


def test_a_database_of_a_newer_rasid_or_of_a_stranger_is_refused(empty_url: str, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE accounts (id INTEGER)"))
    with pytest.raises(StoreError, match="another program"):
        Store.open(empty_url, owner="one")
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE accounts"))
    Store.open(empty_url, owner="one").close()
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaTooNew, match="newer rasid"):
        Store.open(empty_url, owner="one")


def test_one_daemon_a_sqlite_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'rasid.db'}"
    first = Store.open(url, owner="one", lock=True)
    with pytest.raises(InstanceRunning, match="another rasid"):
        Store.open(url, owner="two", lock=True)
    Store.open(url, owner="reader").close()
    first.close()
    Store.open(url, owner="two", lock=True).close()


# ── feeds ──


def test_a_due_feed_is_claimed_by_one(desk: Desk) -> None:
    desk.store.sync_feeds([feed("a"), feed("b")], NOW)
    assert ids(desk.store.claim_feeds(NOW, limit=1, lease=LEASE)) == ["a"]
    assert ids(desk.other.claim_feeds(NOW, limit=9, lease=LEASE)) == ["b"]
    assert desk.other.claim_feeds(NOW + LEASE - seconds(1), limit=9, lease=LEASE) == []
    assert ids(desk.other.claim_feeds(NOW + LEASE, limit=9, lease=LEASE)) == ["a", "b"]


def test_a_poll_that_ended_is_due_when_it_says(desk: Desk) -> None:
    desk.store.sync_feeds([feed("a")], NOW)
    state = desk.store.claim_feeds(NOW, limit=1, lease=LEASE)[0]
    after = replace(state, next_due=NOW + seconds(60), etag='"x"', failures=2, last_polled=NOW, last_error="dns")
    desk.store.save_feed(after)
    assert desk.store.claim_feeds(NOW + seconds(59), limit=1, lease=LEASE) == []
    assert desk.store.claim_feeds(NOW + seconds(60), limit=1, lease=LEASE) == [after]


def test_claims_are_given_up_by_their_owner_or_by_whoever_takes_over(desk: Desk) -> None:
    desk.store.sync_feeds([feed("a"), feed("b")], NOW)
    desk.store.claim_feeds(NOW, limit=1, lease=LEASE)
    desk.other.claim_feeds(NOW, limit=1, lease=LEASE)
    desk.store.release_feeds()
    assert ids(desk.store.claim_feeds(NOW, limit=9, lease=LEASE)) == ["a"]
    desk.store.release_feeds(only=["b"])
    assert desk.store.claim_feeds(NOW, limit=9, lease=LEASE) == []
    desk.store.release_feeds(everyones=True)
    assert ids(desk.store.claim_feeds(NOW, limit=9, lease=LEASE)) == ["a", "b"]


def test_a_clock_put_back_stops_no_feed(desk: Desk) -> None:
    desk.store.sync_feeds([feed("a"), feed("b")], NOW)
    polled, _ = desk.store.claim_feeds(NOW, limit=2, lease=LEASE)
    desk.store.save_feed(replace(polled, next_due=NOW + seconds(300), last_polled=NOW))
    earlier = NOW - timedelta(hours=2)
    assert sorted(ids(desk.store.claim_feeds(earlier, limit=9, lease=LEASE))) == ["a", "b"]


def test_a_feed_rests_when_it_is_removed_and_begins_anew_at_another_address(desk: Desk) -> None:
    desk.store.sync_feeds([feed("a"), feed("b")], NOW)
    for state in desk.store.claim_feeds(NOW, limit=9, lease=LEASE):
        desk.store.save_feed(replace(state, next_due=NOW, first_poll_done=True, stopped="410"))
    desk.store.sync_feeds([feed("a", "https://new.example/rss")], NOW)
    again = desk.store.claim_feeds(NOW, limit=9, lease=LEASE)
    assert ids(again) == ["a"] and again[0].stopped is None and not again[0].first_poll_done


# ── intake ──


def test_a_key_is_new_once_and_changed_content_is_a_revision_once(desk: Desk) -> None:
    one = article(1, "aawsat")
    assert desk.store.unseen([one]) == [one]
    desk.alert(1)
    assert desk.store.unseen([one]) == []
    changed = replace(one, content_hash="other", title="عنوان آخر")
    assert desk.store.unseen([changed]) == [changed]
    with desk.store.intake(NOW) as tx:
        novelty = tx.novelty(changed)
        assert novelty.kind == "revision" and novelty.article_id is not None
        tx.add_revision(novelty.article_id, changed)
    assert desk.store.unseen([one, changed]) == []
    with desk.store.intake(NOW) as tx:
        assert tx.novelty(changed).kind == "same"


def test_whatever_fails_inside_an_intake_leaves_nothing(desk: Desk) -> None:
    with pytest.raises(ZeroDivisionError), desk.store.intake(NOW) as tx:
        story = tx.open_story(NOW)
        tx.add_article(article(1, "aawsat"), story, Placement(None, "new"), False)
        tx.add_entry_hashes("aawsat", ["x"])
        raise ZeroDivisionError
    assert desk.store.known_hashes("aawsat", ["x"]) == set()
    assert desk.store.info().rows["articles"] == desk.store.info().rows["stories"] == 0


def test_a_rule_alerts_a_story_once_also_if_the_code_forgets_to_ask(desk: Desk) -> None:
    story, _ = desk.alert(1)
    with desk.store.intake(NOW) as tx:
        id_ = tx.add_article(article(2, "alquds"), story, Placement(story, "body"), False)
        hit = tx.add_hit(RULE, id_, story, RuleMatch(RULE.id, ()), Verdict(Decision.JOINED, "joined_story"), NOW)
        assert tx.add_alert(RULE, story, hit, NOW) is None
        assert tx.alerted(RULE.id, story) and tx.last_alert(RULE.id) == NOW
        assert tx.story(story).outlets == ("aawsat", "alquds")


def test_held_hits_come_back_with_their_spans_when_their_time_has_come(desk: Desk) -> None:
    until = NOW + seconds(60)
    span = Span("title", 0, 5, "شاهد")
    with desk.store.intake(NOW) as tx:
        story = tx.open_story(NOW)
        id_ = tx.add_article(article(1, "aawsat"), story, Placement(None, "new"), False)
        held = Verdict(Decision.HELD, "cooldown", until=until)
        hit = tx.add_hit(RULE, id_, story, RuleMatch(RULE.id, (span,)), held, NOW)
        assert [one.id for one in tx.held(story)] == [hit]
    assert desk.store.due_held(until - seconds(1)) == []
    found = desk.store.due_held(until)
    assert [(one.id, one.spans, one.until) for one in found] == [(hit, (span,), until)]
    with desk.store.intake(until) as tx:
        tx.redecide(hit, Verdict(Decision.ALERT, "cooldown_over"))
    assert desk.store.due_held(until) == []


def test_a_digest_starts_no_cooldown(desk: Desk) -> None:
    with desk.store.intake(NOW) as tx:
        made = []
        for number in (1, 2):
            story = tx.open_story(NOW)
            id_ = tx.add_article(article(number, "aawsat"), story, Placement(None, "new"), False)
            hit = tx.add_hit(RULE, id_, story, RuleMatch(RULE.id, ()), Verdict(Decision.ALERT, "cooldown_over"), NOW)
            alert = tx.add_alert(RULE, story, hit, NOW)
            assert alert is not None
            made.append(alert)
        tx.released(made)
        message = tx.post_digest(made, ["main"], NOW, 1)[0]
        assert tx.last_alert(RULE.id) is None
    assert len(desk.store.message_rows(message).stories) == 2


def test_text_that_no_database_holds_is_stored_with_its_length_kept(desk: Desk) -> None:
    odd = replace(article(1, "aawsat"), title="قبل\x00بعد\ud800", key="k" * 5000)
    with desk.store.intake(NOW) as tx:
        tx.add_article(odd, tx.open_story(NOW), Placement(None, "new"), False)
    stored = desk.store.articles_since(NOW - seconds(1), after_id=0, limit=9)[0].article
    assert len(stored.title) == len(odd.title) and "\x00" not in stored.title
    assert desk.store.unseen([odd]) == []


def test_search_and_the_ledger_find_what_was_stored(desk: Desk) -> None:
    desk.alert(1)
    desk.alert(2)
    assert desk.store.index_pending(lambda text: text, 10) == 2
    assert desk.store.index_pending(lambda text: text, 10) == 0
    page = desk.store.hits(HitFilter(text="شاهد", limit=1))
    assert len(page.items) == 1 and page.next_before is not None
    rest = desk.store.hits(HitFilter(text="شاهد", limit=1, before_id=page.next_before))
    assert len(rest.items) == 1 and rest.items[0].hit.id != page.items[0].hit.id
    assert desk.store.hits(HitFilter(text="سمك")).items == ()
    assert desk.store.hits(HitFilter(rule="other")).items == ()


def test_naive_moments_are_refused(desk: Desk) -> None:
    with pytest.raises(ValueError, match="no timezone"):
        desk.store.claim_feeds(datetime(2026, 3, 1), limit=1, lease=LEASE)
    assert NOW.tzinfo is UTC and Rule("x", "", "").channels == ()

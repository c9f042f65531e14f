"""What the daemon does while others fail: a database locked or gone, a stop in the middle, an edit in the middle."""

import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.living import CHAT, Item, Living, living, rss
from tests.postgres import postgres_server
from tests.test_end_to_end import STRIKE, TALKS, VIDEO, here

__all__ = ["here"]


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Living]:
    with living(tmp_path, f"sqlite:///{tmp_path / 'rasid.db'}") as found:
        yield found


def told_of_the_database(here: Living) -> int:
    return int(
        here.rows("select count(*) from messages where kind = 'operator' and text like '%database failed%'")[0][0]
    )


@pytest.mark.soak
def test_another_program_locks_the_database_for_half_a_minute_and_nothing_is_lost_or_doubled(
    on_sqlite: Living,
) -> None:
    here = on_sqlite
    here.feeds.set("/anba", rss("anba", STRIKE))
    here.feeds.set("/sada", rss("sada", TALKS, VIDEO))
    here.outlets("anba", "sada")
    here.fault(kind="pause", seconds=3.0)
    here.start()
    here.wait(lambda: any(one["event"] == "fault" for one in here.ledger()["events"]))
    locker = sqlite3.connect(here.database.removeprefix("sqlite:///"), isolation_level=None, timeout=10)
    locker.execute("BEGIN IMMEDIATE")  # the message is on its way: what comes of it cannot be written
    here.wait(lambda: here.ledger()["delivered"] == 1)
    time.sleep(30)
    locker.execute("ROLLBACK")
    locker.close()
    here.wait(
        lambda: ("sent", 1, 0) in here.rows("select state, attempt, unknowns from deliveries order by id limit 1")
    )
    here.wait(lambda: here.rows("select count(*) from articles") == [(3,)])
    time.sleep(3)
    assert len([one for one in here.messages() if STRIKE.title in one["text"]]) == 1
    assert told_of_the_database(here) == 1
    assert "database" in here.log() and here.stop() == 0


@pytest.mark.soak
def test_a_postgres_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    with postgres_server() as server, living(tmp_path, server.new_database()) as here:
        here.feeds.set("/anba", rss("anba", VIDEO))
        here.outlets("anba")
        here.start()
        here.wait(lambda: here.rows("select count(*) from articles") == [(1,)])
        server.stop()
        here.feeds.set("/sada", rss("sada", STRIKE))
        here.wait(lambda: "the database fails" in here.log())
        time.sleep(5)
        assert here.daemon is not None and here.daemon.poll() is None
        server.start()
        here.wait(lambda: "the database works again" in here.log())
        here.outlets("anba", "sada")
        here.wait(lambda: len([one for one in here.messages() if STRIKE.title in one["text"]]) == 1)
        here.wait(lambda: here.rows("select distinct state from deliveries") == [("sent",)])
        assert told_of_the_database(here) == 1 and len(here.messages()) == 2
        assert here.stop() == 0


def test_what_a_server_refuses_goes_as_it_should_each_in_its_way(here: Living) -> None:
    places = ("كييف", "أوديسا", "خاركيف")
    strikes = [Item(f"سقوط طائرة شاهد في {one}", " ".join(f"{one}{n}" for n in range(30)), one) for one in places]
    here.feeds.set("/anba", rss("anba", *strikes))
    here.outlets("anba")
    here.chat(id=-1009, type="supergroup")
    unparsable = "Bad Request: can't parse entities: Unsupported start tag"
    here.fault(kind="status", status=400, description=unparsable)
    here.start()
    here.wait(lambda: any(places[0] in one["text"] for one in here.messages()))
    first = next(one for one in here.messages() if places[0] in one["text"])
    assert first["entities"] == [] and "https://anba.example" in first["text"]
    here.wait(lambda: len(here.messages()) == 3)

    here.fault(kind="status", status=400, description="Bad Request: wrong type of the web page content")
    here.feeds.set("/sada", rss("sada", Item("سقوط طائرة شاهد في لفيف", " ".join(f"لفيف{n}" for n in range(30)))))
    here.outlets("anba", "sada")
    here.wait(lambda: any("wrong type of the web page" in one["text"] for one in here.messages()))  # the operator hears
    dead = here.rows("select reason from deliveries where state = 'dead'")
    assert len(dead) == 1 and "wrong type" in dead[0][0]

    here.chat(id=int(CHAT), migrated_to=-1009)  # in the middle of a run; then another outlet joins, and a story comes
    news = Item("سقوط طائرة شاهد في بولتافا", " ".join(f"بولتافا{n}" for n in range(30)), "b")
    here.feeds.set("/nida", rss("nida", strikes[1], news))
    here.outlets("anba", "sada", "nida")

    def there() -> list[dict[str, Any]]:
        return [one for one in here.ledger()["messages"] if one["chat"] == -1009]

    here.wait(lambda: any("بولتافا" in one["text"] for one in there()))
    moved = "select count(*) from deliveries where state = 'dead' and reason like '%another chat%'"
    here.wait(lambda: here.rows(moved) == [(1,)])
    assert not any(places[1] in one["text"] for one in there())


def test_a_channel_that_is_tested_and_found_good_is_written_to_at_once(here: Living) -> None:
    here.feeds.set("/anba", rss("anba", STRIKE))
    here.outlets("anba")
    here.fault(kind="status", status=403, description="Forbidden: bot was kicked from the channel chat")
    here.start()
    here.wait(lambda: here.rows("select count(*) from chats where hold_until is not null") == [(1,)])
    assert "tried again at once" in here.rasid("channels", "test", "main").stdout
    here.wait(lambda: any("إسقاط" in one["text"] for one in here.messages()))


def test_a_closed_topic_holds_its_own_channel_and_not_the_others_of_its_group(here: Living) -> None:
    topics = {"5": "closed", "7": "open"}
    here.chat(id=-1005, type="supergroup", topics=topics)
    told = "\n".join(f'  - {{name: t{one}, type: telegram, chat: "-1005", topic: {one}}}' for one in topics)
    here.write("channels.yaml", f"channels:\n{told}\n  - {{name: main, type: telegram}}\n")
    rules = (here.config / "rules.yaml").read_text(encoding="utf-8")
    here.write("rules.yaml", rules.replace("match:", "channels: [t5, t7]\n    match:"))
    here.feeds.set("/anba", rss("anba", STRIKE))
    here.outlets("anba")
    here.start()

    def there() -> list[int]:
        return [int(one["given"]["message_thread_id"]) for one in here.ledger()["messages"] if one["chat"] == -1005]

    here.wait(lambda: there() == [7])
    here.wait(lambda: any("TOPIC_CLOSED" in one["text"] for one in here.messages()))  # the operator hears
    assert "TOPIC_CLOSED" in here.rasid("status").stdout
    here.chat(id=-1005, type="supergroup", topics=topics | {"5": "open"})
    assert "tried again at once" in here.rasid("channels", "test", "t5").stdout
    here.wait(lambda: there() == [7, 5, 5])  # the test's own, and the alert
    assert "TOPIC_CLOSED" not in here.rasid("status").stdout


def test_an_edit_of_the_channels_does_not_cut_off_a_message_on_its_way(on_sqlite: Living) -> None:
    here = on_sqlite
    here.feeds.set("/anba", rss("anba", STRIKE))
    here.outlets("anba")
    here.fault(kind="pause", seconds=6.0)
    here.start()
    here.wait(lambda: any(one["event"] == "fault" for one in here.ledger()["events"]))
    here.write("channels.yaml", "channels:\n  - {name: main, type: telegram, silent: true}\n")
    here.wait(lambda: "configuration reloaded" in here.log())
    here.wait(lambda: here.rows("select state, attempt from deliveries where operation='send'") == [("sent", 1)])
    assert here.ledger()["delivered"] == 1


def test_a_burst_is_sent_at_the_pace_of_the_chat_and_not_of_the_ticks(here: Living) -> None:
    settings = (here.config / "rasid.yaml").read_text(encoding="utf-8")
    here.write("rasid.yaml", settings + "delivery: {tick: 15s}\n")
    words = ("كييف", "أوديسا", "خاركيف", "لفيف", "سومي")
    texts = [Item(f"طائرة شاهد فوق {word} {n}", f"{word} " * 30, str(n)) for n, word in enumerate(words)]
    here.feeds.set("/anba", rss("anba", *texts))
    here.outlets("anba")
    here.start()
    here.wait(lambda: len(here.messages()) == len(texts))  # one a tick would take twice as long as it waits


def test_a_stop_waits_for_the_message_on_its_way_and_the_next_start_polls_at_once(here: Living) -> None:
    here.feeds.set("/anba", rss("anba", STRIKE))
    here.outlets("anba")
    here.fault(kind="pause", seconds=3.0)
    here.start()
    here.wait(lambda: any(one["event"] == "fault" for one in here.ledger()["events"]))
    assert here.stop(signal.SIGTERM) == 0
    assert here.rows("select state, attempt from deliveries where operation='send'") == [("sent", 1)]
    assert here.rows("select count(*) from feeds where claimed_by is not null") == [(0,)]


def test_a_stop_does_not_wait_for_a_server_that_hangs_and_the_next_start_takes_the_message_over(
    on_sqlite: Living,
) -> None:
    here = on_sqlite
    here.feeds.set("/anba", rss("anba", STRIKE))
    here.outlets("anba")
    here.fault(kind="hang", seconds=70.0)
    here.start()
    here.wait(lambda: any(one["event"] == "fault" for one in here.ledger()["events"]))
    assert here.stop() == 0  # in less than 30 seconds: see Living.stop
    assert here.rows("select state from deliveries") == [("sending",)]
    here.start()
    here.wait(lambda: here.rows("select state, unknowns from deliveries") == [("unknown", 1)])


def test_a_restart_after_the_token_was_mended_sends_what_waited_and_tells_that_it_is_over(here: Living) -> None:
    here.feeds.set("/anba", rss("anba", STRIKE))
    here.outlets("anba")
    here.fault(kind="status", status=401, description="Unauthorized")
    here.start()
    here.wait(lambda: here.rows("select count(*) from chats where hold_until is not null") == [(1,)])
    assert here.messages() == []
    assert here.stop() == 0
    here.start()
    here.wait(lambda: any("إسقاط" in one["text"] for one in here.messages()))
    here.wait(lambda: here.rows("select count(*) from messages where kind = 'operator'") == [(2,)])

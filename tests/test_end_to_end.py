"""Feed server → daemon → Bot API server: rows and messages compared, on SQLite and on a real Postgres."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.living import RULES, Item, Living, living, rss

BODY = (
    "أعلنت القوات الجوية الأوكرانية صباح اليوم أنها أسقطت عشرين طائرة من طراز شاهد أطلقتها روسيا خلال الليل على "
    "العاصمة كييف ومدينة أوديسا، وأضافت في بيان أن حطام الطائرات سقط على مبنى سكني من دون وقوع إصابات بين السكان."
)
STRIKE = Item("إسقاط عشرين طائرة شاهد فوق كييف", BODY, "strike")
VIDEO = Item("شاهد بالفيديو لحظة وصول المنتخب إلى المطار", "وصل المنتخب فجر اليوم.", "video")
TALKS = Item(
    "اجتماع حول جنوب القوقاز في جنيف",
    "اجتمع وزراء الخارجية في جنيف اليوم لبحث مستقبل جنوب القوقاز وطرق النقل والتجارة بين دوله الثلاث وجيرانها.",
    "talks",
)


@pytest.fixture
def here(tmp_path: Path, store_url: str) -> Iterator[Living]:
    with living(tmp_path, store_url) as found:
        yield found


def test_from_a_feed_to_one_message_that_grows(here: Living) -> None:
    here.feeds.set("/anba", rss("anba", STRIKE, VIDEO, TALKS))
    here.feeds.set("/sada", rss("sada", STRIKE, TALKS))
    here.outlets("anba")
    here.start()
    here.wait(lambda: len(here.messages()) == 1)
    first = here.messages()[0]
    assert "إسقاط عشرين طائرة" in first["text"] and "مسيّرات شاهد" in first["text"]
    assert "المنتخب" not in first["text"]

    here.outlets("anba", "sada")  # an edit of the file is taken over by itself
    here.wait(lambda: len(here.messages()) == 2 and "sada" in here.messages()[0]["text"])
    grown, talks = here.messages()
    assert grown["id"] == first["id"]
    assert "جنوب القوقاز" in talks["text"]

    assert here.rows("select count(*) from articles") == [(5,)]
    assert here.rows("select count(*) from stories") == [(3,)]
    assert here.rows("select rule_id, decision, code from hits order by rule_id, id") == [
        ("caucasus", "joined", "joined_story"),
        ("caucasus", "alert", "outlets_reached"),
        ("shahed", "alert", "new_story"),
        ("shahed", "joined", "joined_story"),
    ]
    ended = {("send", "sent"), ("edit", "sent")}  # Telegram shows a message before we have noted that it does
    here.wait(lambda: set(here.rows("select operation, state from deliveries")) == ended)
    sent = here.rows("select external_id from messages where kind = 'story' order by id")
    assert [int(row[0]) for row in sent] == [one["id"] for one in (grown, talks)]
    assert here.stop() == 0


def test_a_broken_edit_is_reported_and_the_last_good_rules_stay(here: Living) -> None:
    here.feeds.set("/anba", rss("anba", VIDEO))
    here.feeds.set("/sada", rss("sada", STRIKE))
    here.outlets("anba")
    here.start()
    here.wait(lambda: here.rows("select count(*) from articles") == [(1,)])
    here.write("rules.yaml", "rules:\n  - id: shahed\n    match: '(شاهد'\n")
    here.wait(lambda: any("rules.yaml:3" in one["text"] for one in here.messages()))
    here.write("channels.yaml", "channels:\n  - {name: main, type: telegram}\n")
    here.outlets("anba", "sada")
    time.sleep(2)
    assert here.rows("select count(*) from hits") == [(0,)]
    assert here.daemon is not None and here.daemon.poll() is None


def test_a_daemon_that_is_killed_sends_what_it_had_not_sent(here: Living) -> None:
    here.feeds.set("/anba", rss("anba", STRIKE))
    here.outlets("anba")
    here.fault(kind="status", status=429, description="Too Many Requests: retry after 3", parameters={"retry_after": 3})
    here.start()
    here.wait(lambda: here.rows("select state, attempt from deliveries") == [("pending", 1)])
    here.stop(signal.SIGKILL)
    assert here.messages() == []
    here.start()
    here.wait(lambda: len(here.messages()) == 1)
    here.wait(lambda: here.rows("select state, attempt from deliveries") == [("sent", 2)])
    assert here.rows("select count(*) from articles") == [(1,)]


@pytest.mark.soak
def test_a_send_of_unknown_outcome_waits_out_the_quarantine_also_over_a_kill(here: Living) -> None:
    here.feeds.set("/anba", rss("anba", STRIKE))
    here.outlets("anba")
    here.fault(kind="status", status=502, times=1)
    here.start()
    here.wait(lambda: here.rows("select state from deliveries") == [("unknown",)])
    here.stop(signal.SIGKILL)
    here.start()
    here.wait(lambda: len(here.messages()) == 1, seconds=120)
    here.wait(lambda: here.rows("select state, attempt from deliveries") == [("sent", 2)])


def test_a_second_daemon_on_one_sqlite_file_is_refused(here: Living) -> None:
    if not here.database.startswith("sqlite"):
        pytest.skip("several daemons may share a Postgres")
    here.feeds.set("/anba", rss("anba", VIDEO))
    here.outlets("anba")
    here.start()
    here.wait(lambda: here.rows("select count(*) from articles") == [(1,)])
    second = here.rasid("run", check=False)
    assert second.returncode == 2
    assert "another rasid" in second.stderr and str(here.daemon and here.daemon.pid) in second.stderr


def test_once_polls_delivers_and_ends(here: Living) -> None:
    here.feeds.set("/anba", rss("anba", STRIKE, VIDEO))
    here.outlets("anba")
    done = here.rasid("run", "--once")
    assert '"answered": 1' in done.stderr
    assert len(here.messages()) == 1
    again = here.rasid("run", "--once")
    assert '"answered": 1' in again.stderr
    assert len(here.messages()) == 1
    assert os.environ.get("RASID_TELEGRAM_TOKEN") is None


def test_once_waits_for_the_pace_of_a_chat_and_sends_all(here: Living) -> None:
    strikes = [
        f"إسقاط {number} طائرة من طراز شاهد فوق {town}" for number, town in ((20, "كييف"), (7, "أوديسا"), (3, "سومي"))
    ]
    here.feeds.set("/anba", rss("anba", *(Item(title, guid=str(number)) for number, title in enumerate(strikes))))
    here.outlets("anba")
    here.rasid("run", "--once")
    assert len(here.messages()) == 3
    assert here.rows("select distinct state from deliveries") == [("sent",)]


def test_no_secret_reaches_the_log(here: Living) -> None:
    here.feeds.set("/anba", rss("anba", STRIKE))
    here.outlets("anba")
    here.fault(kind="status", status=401, description="Unauthorized", times=1)
    here.start()
    here.wait(lambda: "stop" in here.log())
    assert "fixture-token" not in here.log()
    assert here.rows("select state from deliveries where operation = 'send' limit 1") == [("pending",)]


def test_a_channel_that_hangs_or_cannot_be_written_holds_no_other(here: Living) -> None:
    here.write(
        "channels.yaml",
        "channels:\n"
        "  - {name: main, type: telegram}\n"
        "  - {name: record, type: file, path: alerts.jsonl}\n"
        "  - {name: broken, type: file, path: no/such/folder.jsonl}\n",
    )
    here.write("rules.yaml", RULES.replace("severity: high", "severity: high\n    channels: [main, broken, record]"))
    here.feeds.set("/anba", rss("anba", STRIKE))
    here.outlets("anba")
    here.fault(kind="hang", seconds=60.0)
    here.start()
    record = here.folder / "alerts.jsonl"
    here.wait(lambda: record.exists() and len(record.read_text("utf-8").splitlines()) == 1)
    line = json.loads(record.read_text("utf-8"))
    assert (line["event"], line["kind"], line["channel"]) == ("send", "story", "record")
    here.wait(lambda: here.rows("select count(*) from deliveries where reason like '%No such file%'") == [(1,)])
    states = dict(here.rows("select channel, state from deliveries"))
    assert states == {"main": "sending", "record": "sent", "broken": "pending"}
    here.stop(signal.SIGKILL)

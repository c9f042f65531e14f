"""A running daemon takes over what is edited, in every way that editors write files."""

import asyncio
import json
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from monitor.model_delivery import Channel
from monitor.runtime import configuration, reload
from tests.desk import SHAHED, desks
from tests.living import RULES, Living, living, rss
from tests.test_end_to_end import STRIKE, TALKS, VIDEO

ONE_MORE = "\n  - id: geneva\n    name: {en: Geneva, ar: جنيف}\n    any: [جنيف]\n"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Living]:
    """A daemon that has polled one feed."""
    with living(tmp_path, f"sqlite:///{tmp_path / 'rasid.db'}") as found:
        found.feeds.set("/anba", rss("anba", VIDEO))
        found.outlets("anba")
        found.start()
        found.wait(lambda: found.rows("select count(*) from articles") == [(1,)])
        yield found


def reloaded(here: Living) -> list[dict[str, int]]:
    """What was in force after each reload: rules, feeds."""
    lines = [json.loads(line) for line in here.log().splitlines() if '"configuration reloaded"' in line]
    return [{"rules": line["rules"], "feeds": line["feeds"]} for line in lines]


def refused(here: Living) -> list[str]:
    lines = [json.loads(line) for line in here.log().splitlines() if '"the edit is not taken over"' in line]
    return [line["problem"] for line in lines]


def test_a_file_written_in_place_renamed_over_and_made_again_is_taken_over(here: Living) -> None:
    rules = here.config / "rules.yaml"
    rules.write_text(RULES + ONE_MORE, encoding="utf-8")
    here.wait(lambda: reloaded(here)[-1:] == [{"rules": 3, "feeds": 1}])
    here.write("rules.yaml", RULES)
    here.wait(lambda: reloaded(here)[-1:] == [{"rules": 2, "feeds": 1}])
    rules.unlink()
    here.wait(lambda: any("there is no such file" in one for one in refused(here)))
    rules.write_text(RULES + ONE_MORE, encoding="utf-8")
    here.wait(lambda: reloaded(here)[-1:] == [{"rules": 3, "feeds": 1}])
    here.wait(lambda: here.rows("select count(*) from notices where key like 'edit/%'") == [(0,)])  # mended


def test_an_edit_that_falls_into_an_intake_holds_from_the_next_one_on(store_url: str) -> None:
    with desks(store_url) as (desk,):
        flow = desk.flow
        flow.rules = {"shahed": replace(SHAHED, channels=("old",))}
        flow.channels = {"new": Channel("new", "console"), "old": Channel("old", "console")}

        def edit(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
            if statement.startswith("INSERT INTO alerts"):
                flow.channels = {"new": Channel("new", "console")}
                flow.rules = {"shahed": SHAHED}

        event.listen(flow.store._engine, "before_cursor_execute", edit)
        desk.take("a", "طائرة شاهد", "إسقاط طائرة شاهد واحدة فوق المدينة")
        desk.take("a", "حريق وشاهد", "شاهد الناس حريقا كبيرا في الجبل البعيد")
        assert desk.rows("select channel from messages order by id") == [("old",), ("new",)]


async def test_an_edit_between_the_reading_and_the_watch_is_seen(here: Living) -> None:
    here.stop()
    found = configuration.load(here.config, here.environ())
    here.write("rules.yaml", RULES + ONE_MORE)
    edits = reload.edits(here.config, found.read_as)
    await asyncio.wait_for(anext(edits), 40)
    await edits.aclose()


def test_a_folder_of_rules_that_is_made_later_is_watched_as_well(here: Living) -> None:
    folder = here.config / "rules"
    folder.mkdir()
    (folder / "more.yaml").write_text("rules:" + ONE_MORE, encoding="utf-8")
    here.wait(lambda: reloaded(here)[-1:] == [{"rules": 3, "feeds": 1}])
    (folder / "more.yaml").write_text(f"rules:{ONE_MORE}{ONE_MORE.replace('geneva', 'again')}", encoding="utf-8")
    here.wait(lambda: reloaded(here)[-1:] == [{"rules": 4, "feeds": 1}])
    shutil.rmtree(folder)
    here.wait(lambda: reloaded(here)[-1:] == [{"rules": 2, "feeds": 1}])
    here.write("rules.yaml", RULES + ONE_MORE)
    here.wait(lambda: reloaded(here)[-1:] == [{"rules": 3, "feeds": 1}])


def test_a_link_that_is_turned_to_another_file_is_followed(here: Living) -> None:
    for number, text in ((1, RULES), (2, RULES + ONE_MORE), (3, RULES)):
        (here.folder / f"rules-{number}.yaml").write_text(text, encoding="utf-8")

    def turn(number: int) -> None:
        draft = here.config / "draft"
        draft.symlink_to(here.folder / f"rules-{number}.yaml")
        draft.rename(here.config / "rules.yaml")

    turn(2)
    here.wait(lambda: reloaded(here)[-1:] == [{"rules": 3, "feeds": 1}])
    turn(3)
    here.wait(lambda: reloaded(here)[-1:] == [{"rules": 2, "feeds": 1}])
    (here.folder / "rules-3.yaml").write_text(RULES + ONE_MORE, encoding="utf-8")
    here.wait(lambda: reloaded(here)[-1:] == [{"rules": 3, "feeds": 1}])


def test_feeds_come_and_go_and_a_rule_that_is_off_or_on_trial_sends_nothing(here: Living) -> None:
    here.feeds.set("/sada", rss("sada", STRIKE, TALKS))
    rules = RULES.replace("    severity: high", "    state: trial").replace("    min_outlets: 2", "    state: off")
    here.write("rules.yaml", rules)
    here.wait(lambda: len(reloaded(here)) == 1)
    here.outlets("anba", "sada")
    here.wait(lambda: here.rows("select count(*) from articles") == [(3,)])
    assert here.rows("select rule_id, decision, code from hits") == [("shahed", "muted", "trial")]
    here.outlets("sada")
    here.wait(lambda: here.rows("select feed_id from feeds where active") == [("sada",)])
    assert here.messages() == []


def test_sighup_reads_the_files_and_a_broken_edit_is_told_once_until_it_is_mended(here: Living) -> None:
    assert here.daemon is not None
    here.write("rules.yaml", "rules:\n  - id: shahed\n    match: '(شاهد'\n")
    here.wait(lambda: len(here.messages()) == 1)
    for _ in range(2):
        seen = len(refused(here))
        here.daemon.send_signal(signal.SIGHUP)
        here.wait(lambda seen=seen: len(refused(here)) > seen)  # type: ignore[misc]
    assert "rules.yaml:3" in here.messages()[0]["text"]
    here.write("rules.yaml", RULES + ONE_MORE)
    here.wait(lambda: reloaded(here)[-1:] == [{"rules": 3, "feeds": 1}])
    count = len(reloaded(here))
    here.daemon.send_signal(signal.SIGHUP)
    here.wait(lambda: len(reloaded(here)) == count + 1)
    assert len(here.messages()) == 1


def test_a_changed_channel_and_a_changed_secret_are_used_for_the_next_message(here: Living) -> None:
    (here.config / ".env").write_text("RASID_SECOND_CHAT=-1001234567890\n", encoding="utf-8")
    (here.config / ".env").chmod(0o600)
    here.write(
        "channels.yaml",
        "channels:\n  - {name: main, type: console}\n  - {name: second, type: telegram, chat_env: RASID_SECOND_CHAT}\n",
    )
    here.write("rules.yaml", RULES + ONE_MORE + "    channels: [second]\n")
    here.wait(lambda: reloaded(here)[-1:] == [{"rules": 3, "feeds": 1}])
    here.feeds.set("/sada", rss("sada", STRIKE, TALKS))
    here.outlets("anba", "sada")
    here.wait(lambda: len(here.messages()) == 1)
    assert "جنيف" in here.messages()[0]["text"]
    here.wait(lambda: "شاهد" in here.log())  # the rule without channels speaks on the first one, the console
    (here.config / ".env").write_text("RASID_SECOND_CHAT=-100777\n", encoding="utf-8")
    here.wait(lambda: sqlite_chats(here) >= {"telegram:123456789:-100777"})


def test_a_channel_that_is_taken_out_while_messages_wait_for_it_is_missed_aloud(here: Living) -> None:
    """As by giving it another name: until it is put back they wait."""
    main = "  - {name: main, type: telegram}\n"
    room = "channels:\n  - {name: room, type: telegram, mode: digest, digest: 'daily 00:00'}\n" + main
    here.write("channels.yaml", room)
    here.wait(lambda: len(reloaded(here)) == 1)
    here.feeds.set("/sada", rss("sada", STRIKE))
    here.outlets("anba", "sada")
    here.wait(lambda: here.rows("select channel, state from deliveries") == [("room", "pending")])
    here.write("channels.yaml", "channels:\n" + main)
    missed = "select text from notices where key like 'missed/%'"
    here.wait(lambda: here.rows(missed) != [])
    assert "wait for channel room" in here.rows(missed)[0][0] and "wait for channel room" in here.log()
    here.wait(lambda: any("wait for channel room" in one["text"] for one in here.messages()))
    here.write("channels.yaml", room)
    here.wait(lambda: here.rows(missed) == [])


def sqlite_chats(here: Living) -> set[str]:
    """The chats that channels write to now."""
    with sqlite3.connect(here.database.removeprefix("sqlite:///")) as connection:
        return {key for key, names in connection.execute("select chat_key, channels from chats") if names != "[]"}


def test_what_an_editor_leaves_beside_the_files_is_not_read(here: Living) -> None:
    for name in (".rules.yaml.swp", "rules.yaml~", "4913", "#rules.yaml#"):
        (here.config / name).write_text("rules: [", encoding="utf-8")
    here.write("rules.yaml", RULES + ONE_MORE)
    here.wait(lambda: reloaded(here)[-1:] == [{"rules": 3, "feeds": 1}])
    assert refused(here) == []

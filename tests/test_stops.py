"""The daemon is told to stop while everything hangs, and runs on a disk that is full: it ends in time, loses nothing,
and says what is wrong once."""

import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.feed_server import Route
from tests.living import Item, Living, living, rss

FIRST = Item("إسقاط عشرين طائرة شاهد فوق كييف", "أعلنت القوات الجوية أنها أسقطت عشرين طائرة شاهد.", "first")
SECOND = Item("هجوم بطائرات شاهد على مرفأ أوديسا", "قال الحاكم إن الهجوم أصاب صوامع الحبوب في المرفأ.", "second")
LATER = ("--later", "360")  # seconds: leases and the quarantine of a send are over


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Living]:
    with living(tmp_path, f"sqlite:///{tmp_path / 'rasid.db'}") as found:
        yield found


def add_settings(here: Living, text: str, **changes: str) -> None:
    settings = (here.config / "rasid.yaml").read_text(encoding="utf-8")
    for old, new in changes.items():
        settings = settings.replace(old, new)
    here.write("rasid.yaml", settings + text)


def stop_while_all_hangs(here: Living) -> float:
    """Stop a daemon whose feed and whose chat hang; how many seconds it took."""
    here.feeds.set("/anba", rss("anba", FIRST))
    here.feeds.set("/sada", Route(kind="hang"))
    here.outlets("anba", "sada")
    here.fault(kind="hang", seconds=300)
    here.start()
    here.wait(lambda: any(one["event"] == "fault" for one in here.ledger()["events"]))
    here.wait(lambda: len(here.feeds.requests("/sada")) == 1)
    began = time.monotonic()
    assert here.stop() == 0
    return time.monotonic() - began


def test_a_stop_waits_neither_for_a_feed_nor_for_a_chat_that_hangs(here: Living) -> None:
    add_settings(here, "delivery: {drain: 1s}\n")
    stop_while_all_hangs(here)
    assert here.rows("select state from deliveries") == [("sending",)]
    assert here.rows("select count(*) from feeds where claimed_by is not null") == [(0,)]
    here.start(*LATER)
    here.wait(lambda: len(here.messages()) == 1)
    here.wait(lambda: len(here.feeds.requests("/sada")) == 2)  # its poll was cut off and is made again at once
    here.wait(lambda: here.rows("select state, attempt from deliveries") == [("sent", 2)])


def catches(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return bool(int(status.partition("SigCgt:")[2].split()[0], 16) >> (number - 1) & 1)


@pytest.mark.parametrize(
    ("number", "seconds"),
    [(signal.SIGTERM, one) for one in (0.0, 0.1, 0.3, 0.6, 1.0, 1.5, 2.0)]
    + [(signal.SIGINT, one) for one in (0.0, 0.7)],
)
def test_a_stop_while_the_daemon_starts_is_orderly(here: Living, number: int, seconds: float) -> None:
    here.feeds.set("/anba", rss("anba", FIRST))
    here.outlets("anba")
    here.start()
    assert here.daemon is not None
    while here.daemon.poll() is None and not catches(here.daemon.pid, signal.SIGTERM):
        time.sleep(0.005)
    time.sleep(seconds)
    assert here.stop(number) == 0
    assert "Traceback" not in here.log() and '"level": "error"' not in here.log()


def test_a_reload_asked_for_while_the_daemon_starts_does_not_end_it(here: Living) -> None:
    here.feeds.set("/anba", rss("anba", FIRST))
    here.outlets("anba")
    here.start()
    assert here.daemon is not None
    while here.daemon.poll() is None and not catches(here.daemon.pid, signal.SIGHUP):
        time.sleep(0.005)
    here.daemon.send_signal(signal.SIGHUP)
    here.wait(lambda: len(here.messages()) == 1)
    assert here.stop() == 0


@pytest.mark.soak
def test_a_stop_takes_no_more_than_ten_seconds_as_shipped(here: Living) -> None:
    seconds = stop_while_all_hangs(here)
    print(f"stopped after {seconds:.1f} s")
    assert seconds < 10


def limit_files(here: Living, size: int) -> None:
    """Let the daemon write no file beyond `size` from now on, as on a full disk."""
    assert here.daemon is not None
    resource.prlimit(here.daemon.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.mark.soak
def test_on_a_full_disk_everything_waits_and_the_log_says_so_once(here: Living) -> None:
    add_settings(here, "", debug="info", tick="interval: 15s, tick")
    here.feeds.set("/anba", rss("anba", FIRST))
    here.outlets("anba")
    here.start()
    here.wait(lambda: here.rows("select state from deliveries") == [("sent",)])
    here.wait(lambda: here.rows("select count(*) from article_words") == [(1,)])
    limit_files(here, 4_096)  # less than one page of the database; the log is shorter
    here.feeds.set("/anba", rss("anba", FIRST, SECOND))
    here.wait(lambda: "the database fails" in here.log())
    assert "check it and the free space" in here.log()
    asked = len(here.feeds.requests("/anba"))
    time.sleep(5)
    assert here.log().count("the database fails") == 1
    assert len(here.feeds.requests("/anba")) == asked
    limit_files(here, resource.RLIM_INFINITY)
    here.wait(lambda: any(SECOND.title in one["text"] for one in here.messages()))
    here.wait(lambda: "the database works again" in here.log())
    assert here.log().count("the database fails") == 1
    assert here.rows("select count(*) from articles") == [(2,)]
    here.wait(lambda: len(here.messages()) == 3)
    assert any("the database failed" in one["text"] for one in here.messages())
    assert here.stop() == 0

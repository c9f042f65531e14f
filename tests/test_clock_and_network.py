"""While a daemon runs, the network stays away for hours, the clock is put back, the token is revoked: nothing is lost,
and the operator hears of each once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cable import Cable
from tests.living import Item, Living, living, rss

PLACES = ("كييف", "أوديسا", "خاركيف", "لفيف")
STRIKES = [
    Item(f"سقوط طائرة شاهد في {one}", " ".join(f"{one}{number}" for number in range(30)), str(at))
    for at, one in enumerate(PLACES)
]
MINUTE, HOUR = 60.0, 3600.0
OPEN = "select count(*) from deliveries where state <> 'sent'"


@pytest.fixture
def here(tmp_path: Path, store_url: str) -> Iterator[Living]:
    with living(tmp_path, store_url) as found:
        found.clock(0)
        yield found


def posted(here: Living) -> Counter[str]:
    """How often each strike was posted."""
    events = [one for one in here.ledger()["events"] if one["event"] == "delivered"]
    return Counter(place for place in PLACES for event in events if f"شاهد في {place}" in event["text"])


def told(here: Living) -> list[str]:
    """What the operator hears, in the order in which it was written down."""
    return [str(row[0]) for row in here.rows("select text from messages where kind = 'operator' order by id")]


def all_is_sent(here: Living) -> bool:
    return here.rows(OPEN) == [(0,)] and here.rows("select count(*) from deliveries")[0][0] > 0


def a_fault_is_met(here: Living) -> bool:
    return any(one["event"] == "fault" for one in here.ledger()["events"])


def test_six_hours_without_a_network(here: Living) -> None:
    here.feeds.set("/anba", rss("anba", *STRIKES[:3]))
    here.feeds.set("/sada", rss("sada"))
    here.feeds.set("/nida", rss("nida"))
    here.outlets("anba", "sada", "nida")
    here.fault(kind="hang", after=True)  # posted, and the network goes before the answer comes
    with ExitStack() as stack:
        cables = {port: stack.enter_context(Cable(port)) for port in (here.feeds.port, here.telegram)}
        for name in ("rasid.yaml", "feeds.yaml"):
            text = (here.config / name).read_text(encoding="utf-8")
            for port, cable in cables.items():
                text = text.replace(str(port), str(cable.port))
            here.write(name, text)
        here.start(*here.CLOCK)
        here.wait(lambda: len(here.messages()) == 1 and here.rows("select count(*) from articles") == [(3,)])
        for cable in cables.values():
            cable.cut()
        here.wait(lambda: here.rows("select state from deliveries order by id limit 1") == [("unknown",)])
        here.feeds.set("/sada", rss("sada", STRIKES[3]))  # what happens meanwhile
        for step in range(1, 8):
            polled = {*here.rows("select feed_id, last_polled from feeds")}
            here.clock(step * 50 * MINUTE)
            here.wait(lambda polled=polled: not polled & {*here.rows("select feed_id, last_polled from feeds")})  # type: ignore[misc]
        assert len(here.messages()) == 1
        for cable in cables.values():
            cable.mend()
        here.clock(6 * HOUR + 10 * MINUTE)  # no feed and no chat is left alone for longer now
        here.wait(lambda: set(posted(here)) == set(PLACES))
        here.clock(6 * HOUR + 20 * MINUTE)  # there is a minute between two notices
        here.wait(lambda: all_is_sent(here))
    again = posted(here)
    assert set(again) == set(PLACES) and again.total() - len(PLACES) <= 1  # the one whose answer was lost
    assert sum(row[0] for row in here.rows("select unknowns from deliveries")) >= again.total() - len(PLACES)
    heard = told(here)
    assert sum("No feed can be reached" in one for one in heard) == 1
    assert sum("Feeds answer again" in one for one in heard) == 1
    assert len(set(heard)) == len(heard) <= 4  # and that the channel could not be reached, and works again
    assert here.stop() == 0


def test_a_clock_that_is_put_back_an_hour(here: Living) -> None:
    here.feeds.set("/anba", rss("anba", *STRIKES[:3]))
    here.feeds.set("/sada", rss("sada", STRIKES[0]))
    here.outlets("anba")
    here.start(*here.CLOCK)
    here.wait(lambda: len(here.messages()) == 3 and all_is_sent(here))
    here.outlets("anba", "sada")
    here.wait(lambda: "sada" in here.messages()[0]["text"] and all_is_sent(here))
    here.feeds.set("/nida", rss("nida", STRIKES[3]))
    here.fault(kind="pause", seconds=3.0)
    here.outlets("anba", "sada", "nida")
    here.wait(lambda: a_fault_is_met(here))
    here.clock(-HOUR)
    here.wait(lambda: len(here.messages()) >= 4)
    here.wait(lambda: all_is_sent(here))
    here.feeds.set("/khabar", rss("khabar", STRIKES[0]))
    here.outlets("anba", "sada", "nida", "khabar")
    here.wait(lambda: here.rows("select count(*) from articles where outlet_id = 'khabar'") == [(1,)])
    here.wait(lambda: "khabar" in here.messages()[0]["text"])
    here.wait(lambda: all_is_sent(here))
    assert posted(here) == Counter(PLACES)
    assert here.rows("select max(attempt), max(unknowns) from deliveries") == [(1, 0)]
    assert len(told(here)) == 1 and "clock" in told(here)[0]
    assert here.stop() == 0


def test_a_token_that_is_revoked_and_restored(here: Living) -> None:
    here.feeds.set("/anba", rss("anba", *STRIKES[:3]))
    here.outlets("anba")
    here.fault(kind="status", status=401, description="Unauthorized", times=3)
    here.start(*here.CLOCK)
    for attempt, minutes in enumerate(
        (0, 20, 60), start=1
    ):  # it is tried again after a quarter of an hour, a half, one
        here.clock(minutes * MINUTE)
        ended = f"select count(*) from deliveries where state = 'pending' and attempt = {attempt}"
        here.wait(lambda ended=ended: here.rows(ended) == [(1,)])  # type: ignore[misc]
    assert here.messages() == [] and len(told(here)) == 1
    here.clock(150 * MINUTE)
    here.wait(lambda: posted(here) == Counter(PLACES[:3]))
    here.clock(155 * MINUTE)
    here.wait(lambda: all_is_sent(here))
    heard = told(here)
    assert len(heard) == 2 and "Unauthorized" in heard[0] and "works again" in heard[1]
    assert posted(here) == Counter(PLACES[:3])
    assert here.stop() == 0

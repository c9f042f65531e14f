"""kill -9 at every step of the flow, then a restart: no article and no hit is lost, and no story is alerted twice
except where a send's outcome was unknown. Rows and messages are compared one by one."""

import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests import killed, soak_daemons
from tests.living import Item, Living, living, rss
from tests.postgres import PostgresServer

STRIKE = Item(
    "إسقاط عشرين طائرة شاهد فوق كييف",
    "أعلنت القوات الجوية الأوكرانية صباح اليوم أنها أسقطت عشرين طائرة من طراز شاهد أطلقتها روسيا خلال الليل على "
    "العاصمة كييف ومدينة أوديسا، وأضافت في بيان أن حطام الطائرات سقط على مبنى سكني من دون وقوع إصابات بين السكان.",
    "strike",
)
TALKS = Item(
    "اجتماع حول جنوب القوقاز في جنيف",
    "اجتمع وزراء الخارجية في جنيف اليوم لبحث مستقبل جنوب القوقاز وطرق النقل والتجارة بين دوله الثلاث وجيرانها.",
    "talks",
)
PORTS = [
    Item("افتتاح رصيف جديد في ميناء طرابلس", "افتتح الوزير الرصيف ظهرا بحضور رؤساء البلديات والتجار.", "port-1"),
    Item("حريق يلتهم مستودعا للحبوب في ميناء عدن", "عملت فرق الإطفاء حتى الفجر على محاصرة النيران.", "port-2"),
    Item("إضراب عمال الشحن يشل ميناء الدار البيضاء", "طالب المضربون بزيادة الأجور وتحسين السلامة.", "port-3"),
]
RULES = """
rules:
  - {id: shahed, name: {en: Shahed drones, ar: مسيّرات شاهد}, severity: high, match: شاهد NEAR/4 (طائرة OR طراز)}
  - {id: caucasus, name: {en: South Caucasus, ar: جنوب القوقاز}, any: [جنوب القوقاز], min_outlets: 2}
  - {id: ports, name: {en: Ports, ar: موانئ}, any: [ميناء], cooldown: 5m}
"""
STEP = 360  # seconds: after these every lease, quarantine and cooldown of the run before is over
INTAKE, STORE, TELEGRAM = "monitor.store.intake:Intake", "monitor.store.store:Store", "monitor.delivery.telegram"

# Where the daemon is killed. Up to save_feed nothing may be there afterwards; take_in is the commit.
READING = [
    "monitor.feeds.fetch:Fetcher.fetch",
    f"{STORE}.known_hashes",
    "monitor.feeds.workers:ParseWorkers.parse",
    f"{STORE}.unseen",
    "monitor.feeds.workers:ParseWorkers.extract",
    "monitor.matching.matcher:Matcher.match",
]
TAKING_IN = [
    f"{INTAKE}.{name}"
    for name in (
        "novelty",
        "open_story",
        "add_article",
        "add_hit",
        "add_alert",
        "post",
        "add_entry_hashes",
        "save_feed",
    )
]
COMMIT = "monitor.pipeline:take_in"
# The message cannot have left yet; or it has, and nobody knows.
BEFORE_SENDING = ["monitor.pipeline:claim_due", f"{STORE}.message_rows", "monitor.pipeline:render"]
SENT = [
    f"{TELEGRAM}:TelegramTransport.deliver",
    "monitor.delivery.retry:settle",
    "monitor.store.settling:Settling._messages",
]
SETTLED = f"{STORE}.settle_all"
RELEASING = [
    f"{INTAKE}.due_held",
    f"{INTAKE}.redecide",
    f"{INTAKE}.add_alert",
    "monitor.store.digests:post_digest",
    "monitor.arrivals:Posts.finish",
    "monitor.arrivals:release_held",
]
INDEXING = ["monitor.store.dialect:index_words", "monitor.store.dialect:add_to_index", f"{STORE}.index_pending"]
PRUNING = ["monitor.store.retention:_old_stories", "monitor.store.retention:_remove", "monitor.store.retention:_forget"]
RELOADING = [  # and which pass of it is the first of a reload
    ("monitor.runtime.reload:read", 1),
    ("monitor.matching.matcher:Matcher.__init__", 3),
    (f"{STORE}.open_chats", 2),
    (f"{STORE}.sync_feeds", 2),
]
STARTING = [
    "monitor.store.schema:upgrade",
    f"{STORE}.open",
    f"{STORE}.open_chats",
    f"{STORE}.sync_feeds",
    f"{STORE}.newest_article",
    f"{STORE}.filed_since",
    f"{STORE}.release_feeds",
]


class Mortal:
    """A living Rasid that is killed and started again, each time six minutes later by its clock."""

    def __init__(self, here: Living) -> None:
        self.here = here
        self.later = 0
        here.write("rules.yaml", RULES)

    def serve(self, outlet: str, *items: Item) -> None:
        """Let an outlet carry these, with a page for each."""
        with_pages = []
        for one in items:
            page = f"/{outlet}-{one.guid}.html"
            text = f"<p>{one.text}</p>" * 3
            self.here.feeds.set(page, f"<html><body><article><h1>{one.title}</h1>{text}</article></body></html>")
            with_pages.append(replace(one, link=self.here.feeds.url(page)))
        self.here.feeds.set(f"/{outlet}", rss(outlet, *with_pages))

    def dies(self, place: str, *, nth: int = 1, before: bool = False) -> None:
        """Start, and be killed at a place."""
        self.later += STEP
        self.here.dies("--before" if before else "--after", place, "--nth", str(nth), "--later", str(self.later))

    def lives(self) -> None:
        """Start, and go on until nothing is left to do."""
        self.later += STEP
        self.here.start("--later", str(self.later))

    def done(self, articles: int) -> None:
        """Wait until so many articles are there, and all that follows from them is."""
        rows = self.here.rows
        self.here.wait(lambda: rows("select count(*) from articles") == [(articles,)])
        self.here.wait(lambda: rows("select count(*) from article_words") == [(articles,)])
        self.here.wait(lambda: rows("select count(*) from hits where decision = 'held'") == [(0,)])
        left = "select count(*) from deliveries where state <> 'sent'"
        self.here.wait(lambda: rows(left) == [(0,)])

    def empty(self) -> None:
        """Nothing was written of what a poll found."""
        for table in ("articles", "stories", "hits", "alerts", "messages", "deliveries", "entry_hashes"):
            assert self.here.rows(f"select count(*) from {table}") == [(0,)], table

    def posted(self) -> Counter[str]:
        """How often each text was posted, by the guids of the titles in it."""
        events = [one for one in self.here.ledger()["events"] if one["event"] == "delivered"]
        known = [STRIKE, TALKS, *PORTS]
        return Counter(" ".join(one.guid for one in known if one.title in event["text"]) for event in events)

    def rows_and_messages_agree(self) -> None:
        """Every message of the database is in the chat under its id, with the titles of its alerts' stories."""
        shown = {str(one["id"]): one["text"] for one in self.here.messages()}
        stories = self.here.rows(
            "select m.id, m.external_id, (select min(title) from articles where story_id = a.story_id) from messages m "
            "join message_alerts ma on ma.message_id = m.id join alerts a on a.id = ma.alert_id"
        )
        assert len({row[0] for row in stories}) == self.here.rows("select count(*) from messages")[0][0]
        for _, external_id, title in stories:
            assert title in shown[external_id]
        alerts = self.here.rows("select rule_id, story_id from alerts")
        assert len(set(alerts)) == len(alerts) == len(stories)
        if self.here.database.startswith("sqlite"):
            with sqlite3.connect(self.here.database.removeprefix("sqlite:///")) as connection:
                assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]


@pytest.fixture
def mortal(tmp_path: Path, store_url: str) -> Iterator[Mortal]:
    with living(tmp_path, store_url) as here:
        yield Mortal(here)


def hits(mortal: Mortal) -> list[tuple[object, ...]]:
    return mortal.here.rows("select rule_id, decision from hits order by rule_id, decision")


def test_the_places_of_all_kills_are_there() -> None:
    places = [*READING, *TAKING_IN, COMMIT, *BEFORE_SENDING, *SENT, SETTLED, *RELEASING, *INDEXING, *PRUNING, *STARTING]
    for place in [*places, *(place for place, _ in RELOADING), *soak_daemons.WORST]:
        assert callable(killed.find(place)[2])


def test_a_chain_of_kills_from_the_fetch_to_the_settlement_loses_nothing(mortal: Mortal) -> None:
    mortal.serve("anba", STRIKE)
    mortal.here.outlets("anba")
    for place in (READING[2], TAKING_IN[-1]):
        mortal.dies(place)
        mortal.empty()
    mortal.dies(COMMIT)
    assert mortal.here.rows("select state, attempt from deliveries") == [("pending", 0)]
    mortal.dies(SENT[0])
    assert mortal.here.rows("select state, attempt from deliveries") == [("sending", 1)]
    mortal.lives()
    mortal.done(articles=1)
    assert mortal.posted() == {"strike": 2}  # the only send of which nobody could know
    assert mortal.here.rows("select state, attempt, unknowns from deliveries") == [("sent", 2, 1)]
    assert hits(mortal) == [("shahed", "alert")]
    mortal.rows_and_messages_agree()


@pytest.mark.soak
def test_a_kill_while_reading_or_taking_in_leaves_nothing_and_the_next_poll_finds_everything(mortal: Mortal) -> None:
    mortal.serve("anba", STRIKE, TALKS, *PORTS)
    mortal.serve("sada", STRIKE, TALKS)
    mortal.here.outlets("anba", "sada", full_text="true")
    for place in READING:
        mortal.dies(place)
        mortal.empty()
    for place in TAKING_IN:
        mortal.dies(place)
        mortal.empty()
    mortal.dies(f"{INTAKE}.save_feed", before=True)
    mortal.empty()
    mortal.dies(COMMIT)  # of one of the feeds
    assert mortal.here.rows("select count(*) from articles")[0][0] in (2, 5)
    assert mortal.here.messages() == []
    mortal.lives()
    mortal.here.wait(lambda: mortal.here.rows("select count(*) from articles") == [(7,)])
    assert mortal.here.stop() == 0
    mortal.lives()  # the cooldown that began just now is over then
    mortal.done(articles=7)
    found = mortal.here.rows("select feed_id, url from articles")
    page = mortal.here.feeds.url
    assert set(found) == {("anba", page(f"/anba-{one.guid}.html")) for one in (STRIKE, TALKS, *PORTS)} | {
        ("sada", page(f"/sada-{one.guid}.html")) for one in (STRIKE, TALKS)
    }
    assert len(found) == 7
    assert hits(mortal) == [
        *(("caucasus", "alert"), ("caucasus", "joined"), ("ports", "alert"), ("ports", "alert"), ("ports", "alert")),
        *(("shahed", "alert"), ("shahed", "joined")),
    ]
    assert mortal.posted() == {"strike": 1, "talks": 1, "port-1": 1, "port-2 port-3": 1}
    mortal.rows_and_messages_agree()


@pytest.mark.soak
def test_a_kill_while_delivering_repeats_only_what_may_not_have_arrived(mortal: Mortal) -> None:
    mortal.serve("anba", STRIKE)
    mortal.here.outlets("anba")
    mortal.dies(COMMIT)
    for place in BEFORE_SENDING:
        mortal.dies(place)
        assert mortal.posted() == {}
    mortal.dies(f"{TELEGRAM}:TelegramTransport.deliver", before=True)
    assert mortal.posted() == {}
    for number, place in enumerate(SENT, start=1):
        mortal.dies(place)
        assert mortal.posted() == {"strike": number}
    mortal.dies(SETTLED)
    assert mortal.posted() == {"strike": len(SENT) + 1}
    unknowns = len(BEFORE_SENDING) + 1 + len(SENT)
    assert mortal.here.rows("select state, unknowns from deliveries") == [("sent", unknowns)]

    mortal.serve("sada", STRIKE)
    mortal.here.outlets("anba", "sada")
    mortal.dies(f"{TELEGRAM}:TelegramTransport._edit")
    mortal.dies("monitor.store.settling:Settling._messages")
    mortal.lives()
    mortal.done(articles=2)
    assert mortal.posted() == {"strike": len(SENT) + 1}
    assert hits(mortal) == [("shahed", "alert"), ("shahed", "joined")]
    last = mortal.here.rows("select external_id from messages")[0][0]
    assert "sada" in next(one["text"] for one in mortal.here.messages() if str(one["id"]) == last)
    mortal.rows_and_messages_agree()


@pytest.mark.soak
@pytest.mark.parametrize("arrives", [True, False], ids=["it arrives", "it never arrives"])
def test_a_kill_while_a_send_hangs_repeats_it_once(mortal: Mortal, arrives: bool) -> None:
    mortal.serve("anba", STRIKE)
    mortal.here.outlets("anba")
    mortal.here.fault(kind="hang", after=arrives, seconds=300)
    mortal.here.start()
    mortal.here.wait(lambda: any(one["event"] == "fault" for one in mortal.here.ledger()["events"]))
    mortal.here.stop(signal.SIGKILL)
    mortal.lives()
    mortal.done(articles=1)
    assert mortal.posted() == {"strike": 1 + arrives}
    mortal.rows_and_messages_agree()


@pytest.mark.soak
def test_a_kill_while_held_hits_are_released_makes_one_digest(mortal: Mortal) -> None:
    mortal.serve("anba", *PORTS)
    mortal.here.outlets("anba")
    mortal.here.start()
    mortal.here.wait(lambda: mortal.posted() == {"port-1": 1})
    assert mortal.here.stop() == 0
    for place in RELEASING[:-1]:
        mortal.dies(place)
        assert hits(mortal) == [("ports", "alert"), ("ports", "held"), ("ports", "held")]
    mortal.dies(RELEASING[-1])
    assert hits(mortal) == [("ports", "alert")] * 3
    mortal.lives()
    mortal.done(articles=3)
    assert mortal.posted() == {"port-1": 1, "port-2 port-3": 1}
    mortal.rows_and_messages_agree()


@pytest.mark.soak
def test_a_kill_while_indexing_or_pruning_harms_nothing(mortal: Mortal) -> None:
    mortal.serve("anba", STRIKE)
    mortal.here.outlets("anba")
    settings = (mortal.here.config / "rasid.yaml").read_text(encoding="utf-8")
    mortal.here.write("rasid.yaml", settings + "stories: {window: 1h}\nretention: {keep: 1d}\n")
    mortal.dies(COMMIT)
    for place in INDEXING[:-1]:
        mortal.dies(place)
        assert mortal.here.rows("select count(*) from article_words") == [(0,)]
    mortal.dies(INDEXING[-1])
    assert mortal.here.rows("select count(*) from article_words") == [(1,)]
    mortal.lives()
    mortal.done(articles=1)
    assert mortal.here.stop() == 0
    posted = mortal.posted()

    mortal.later += 3 * 86_400
    mortal.serve("anba", replace(STRIKE, text=STRIKE.text + " ولم تعلق موسكو."), PORTS[0])  # the feed carries it still
    for place in PRUNING[:2]:
        mortal.dies(place)
        assert mortal.here.rows("select count(*) from articles where title like '%شاهد%'") == [(1,)]
    mortal.dies(PRUNING[2])
    assert mortal.here.rows("select count(*) from articles where title like '%شاهد%'") == [(0,)]
    mortal.lives()
    mortal.done(articles=1)
    assert mortal.here.rows("select url from articles") == [(mortal.here.feeds.url("/anba-port-1.html"),)]
    assert mortal.posted() == posted
    assert mortal.here.rows("select decision, code from hits") == [("muted", "too_old")]


@pytest.mark.soak
def test_a_kill_while_an_edit_is_taken_over_harms_nothing(mortal: Mortal) -> None:
    mortal.serve("anba", STRIKE)
    mortal.here.outlets("anba")
    mortal.lives()
    mortal.done(articles=1)
    for place, nth in RELOADING:
        mortal.here.stop()
        mortal.later += STEP
        mortal.here.start("--after", place, "--nth", str(nth), "--later", str(mortal.later))
        daemon = mortal.here.daemon
        assert daemon is not None
        for edit in range(60):
            mortal.here.write("rules.yaml", f"{RULES}# {edit}\n")
            time.sleep(1)
            if daemon.poll() is not None:
                break
        assert daemon.poll() == -signal.SIGKILL, place
    mortal.serve("sada", STRIKE)
    mortal.here.outlets("anba", "sada")
    mortal.lives()
    mortal.done(articles=2)
    assert mortal.posted() == {"strike": 1}
    assert hits(mortal) == [("shahed", "alert"), ("shahed", "joined")]
    mortal.rows_and_messages_agree()


@pytest.fixture(params=["sqlite", "postgres"])
def newborn(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mortal]:
    """With a database that has no tables yet."""
    url = f"sqlite:///{tmp_path / 'rasid.db'}"
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    with living(tmp_path, url) as here:
        yield Mortal(here)


@pytest.mark.soak
def test_a_kill_at_any_step_of_the_start_harms_nothing(newborn: Mortal) -> None:
    newborn.serve("anba", STRIKE)
    newborn.here.outlets("anba")
    for place in STARTING:
        newborn.dies(place)
    newborn.lives()
    newborn.done(articles=1)
    assert newborn.posted() == {"strike": 1}
    newborn.rows_and_messages_agree()


KILLS = 12
STRIKES = [
    Item(
        f"إسقاط {number} طائرة شاهد فوق مدينة {city}",
        f"قال حاكم {city} إن الدفاعات الجوية أسقطت {number} طائرة من طراز شاهد فوق {city} وإن شظاياها أصابت {where}.",
        f"strike-{number}",
    )
    for number, (city, where) in enumerate(
        [
            ("كييف", "مدرسة خالية"),
            ("أوديسا", "مرفأ الحبوب"),
            ("خاركيف", "محطة كهرباء"),
            ("لفيف", "خط القطار الغربي"),
            ("سومي", "مزرعة قرب الحدود"),
            ("دنيبرو", "مصنعا للصلب"),
        ],
        start=3,
    )
]


@pytest.mark.soak
def test_kills_at_random_moments_lose_nothing(mortal: Mortal) -> None:
    here = mortal.here
    chance = random.Random(7)
    outlets = [f"outlet{number}" for number in range(len(STRIKES))]
    for name, strike in zip(outlets, STRIKES, strict=True):
        here.feeds.set(f"/{name}", rss(name, strike))
    here.outlets(*outlets)
    for _ in range(KILLS):
        mortal.lives()
        time.sleep(chance.uniform(0.6, 2.6))
        here.stop(signal.SIGKILL)
    mortal.lives()
    mortal.done(articles=len(STRIKES))
    assert here.rows("select count(*) from alerts") == [(len(STRIKES),)]
    assert here.rows("select count(*) from hits") == [(len(STRIKES),)]
    shown = Counter(next(s.title for s in STRIKES if s.title in one["text"]) for one in here.messages())
    assert set(shown) == {strike.title for strike in STRIKES}
    unknown = here.rows("select coalesce(sum(unknowns), 0) from deliveries")[0][0]
    assert sum(number - 1 for number in shown.values()) <= unknown

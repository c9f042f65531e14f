"""How channels are told, from the article to the message: one by one, in digests, in quiet hours, in a burst."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import time, timedelta
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerts import words
from monitor.arrivals import release_held
from monitor.delivery import retry
from monitor.model import Rule, Severity, Silence
from monitor.model_delivery import Channel, ChatPace, Mode, Operation, Outcome, OutcomeKind, Rendered, Schedule
from monitor.store.records import HitFilter
from tests.desk import NOW, SHAHED, Desk, desks

HIGH = Rule("high", "عاجل", "Urgent", severity=Severity.HIGH)
LOW = Rule("low", "زلازل", "Earthquakes", severity=Severity.LOW)
RULES = ((SHAHED, "شاهد"), (HIGH, "انفجار"), (LOW, "زلزال"))
PLACES = (
    *("أوديسا", "كييف", "خاركيف", "زابوريجيا", "لفيف", "خيرسون", "دنيبرو", "بولتافا", "سومي", "تشيرنيهيف", "ميكولايف"),
    *("صنعاء", "الحديدة", "عدن", "تعز", "مأرب", "الخرطوم", "أم درمان", "الفاشر", "نيالا", "بورتسودان", "طرابلس"),
    *("بنغازي", "مصراتة", "سرت", "دمشق", "حلب", "حمص", "اللاذقية", "دير الزور", "بغداد", "البصرة", "الموصل", "أربيل"),
)
QUIET = (time(23), time(7))  # NOW is 12:00 UTC


@contextmanager
def desk(url: str, *channels: Channel, rules: Sequence[tuple[Rule, str]] = RULES) -> Iterator[Desk]:
    with desks(url, rules=rules) as (made,):
        made.flow.channels = {one.name: one for one in channels}
        yield made


def news(here: Desk, number: int, word: str = "شاهد", outlet: str = "a") -> None:
    """An article of a story of its own."""
    here.take(outlet, *story(number, word))


def story(number: int, word: str = "شاهد") -> tuple[str, str]:
    """Title and text of it."""
    where, other = PLACES[number % len(PLACES)], PLACES[(number * 7 + 3) % len(PLACES)]
    text = f"{where} {word} {number * 37} {other} " + " ".join(f"{where}{letter}{number}" for letter in "ابتثجحخدذرزس")
    return f"{word} فوق {where} رقم {number * 37} قرب {other}", text


def sent(here: Desk) -> list[Rendered]:
    """The texts of the messages that were sent since it was last asked."""
    here.deliver()
    found = [rendered for claim, rendered in here.posted if claim.operation is Operation.SEND]
    here.posted.clear()
    return found


def kinds(found: Sequence[Rendered]) -> list[tuple[object, object, int]]:
    return [(one.data["kind"], one.data["why"], len(one.data["stories"])) for one in found]  # type: ignore[arg-type]


def clock(here: Desk, hours: float) -> None:
    """Move on to so many hours after noon of the first day."""
    here.at = int(hours * 60)


def waiting(here: Desk) -> list[tuple[object, ...]]:
    return here.rows(
        "select m.kind, m.why, d.state, d.reason from messages m join deliveries d on d.message_id = m.id "
        "where d.state = 'pending' order by m.id"
    )


# ── digests at set times ──


def test_a_channel_of_digests_hears_at_its_hour_and_not_before(store_url: str) -> None:
    hourly = Channel("main", "console", mode=Mode.DIGEST, digest=Schedule(every=timedelta(hours=1)))
    with desk(store_url, hourly) as here:
        news(here, 1)
        news(here, 2, "انفجار")
        assert waiting(here) == [("digest", "digest", "pending", "digest at 13:00")]
        assert sent(here) == []
        clock(here, 1)
        (digest,) = sent(here)
        assert kinds([digest]) == [("digest", "digest", 2)]
        assert digest.text.index("عاجل") < digest.text.index("مسيّرات شاهد"), "the gravest first"
        news(here, 3)
        assert waiting(here) == [("digest", "digest", "pending", "digest at 14:00")]


def test_a_story_that_grows_while_it_waits_is_told_once_with_all_its_outlets(store_url: str) -> None:
    daily = Channel("main", "console", mode=Mode.DIGEST, digest=Schedule(times=(time(18),)))
    with desk(store_url, daily) as here:
        here.take("a", "سقوط شاهد فوق أوديسا اليوم", "سقطت طائرة شاهد فوق أوديسا اليوم وأصابت مبنى في وسط المدينة")
        here.take("b", "سقوط شاهد فوق أوديسا اليوم", "سقطت طائرة شاهد فوق أوديسا اليوم وأصابت مبنى في وسط المدينة")
        clock(here, 6)
        (digest,) = sent(here)
        assert kinds([digest]) == [("digest", "digest", 1)] and "وسيلتان" in digest.text


def test_a_long_digest_comes_in_parts_and_nothing_is_left_out(store_url: str) -> None:
    daily = Channel("main", "console", mode=Mode.DIGEST, digest=Schedule(times=(time(18),)))
    with desk(store_url, daily) as here:
        for number in range(60):
            news(here, number, ("شاهد", "انفجار", "زلزال")[number % 3])
        stories = len(here.stories())
        clock(here, 6)
        parts = sent(here)
        assert [(one.data["part"], one.data["parts"]) for one in parts] == [(1, 3), (2, 3), (3, 3)]
        assert {one.data["total"] for one in parts} == {stories}
        heading = f"{words.count('stories', stories, 'ar')} ("
        assert all(heading in one.text.partition("\n")[0] for one in parts)
        links = [link for one in parts for link in (one.html or "").split('href="')[1:]]
        assert len(links) == stories >= 55
        assert "عاجل" in parts[0].text and "عاجل" not in parts[2].text and "زلازل" in parts[2].text
        assert not parts[0].silent and parts[2].silent
        assert here.rows("select count(*) from deliveries where state <> 'sent'") == [(0,)]


# ── a clock that is put back ──


def test_a_digest_of_a_set_time_waits_for_it_though_the_clock_was_put_back(store_url: str) -> None:
    daily = Channel("main", "console", mode=Mode.DIGEST, digest=Schedule(times=(time(18),)))
    with desk(store_url, daily) as here:
        clock(here, 3)
        for number in range(60):
            news(here, number, ("شاهد", "انفجار", "زلزال")[number % 3])
        clock(here, 2)
        assert sent(here) == [] and not here.flow.store.is_paced(NOW, {"main": ChatPace("chat")})
        assert waiting(here) == [("digest", "digest", "pending", "digest at 18:00")]
        clock(here, 6)
        assert [(one.data["part"], one.data["parts"]) for one in sent(here)] == [(1, 3), (2, 3), (3, 3)]


def test_the_digest_of_quiet_hours_waits_for_their_end_though_the_clock_was_put_back(store_url: str) -> None:
    with desk(store_url, Channel("main", "console", quiet=QUIET)) as here:
        clock(here, 12.5)
        for number in range(3):
            news(here, number)
        clock(here, 11.2)
        assert sent(here) == []
        clock(here, 19)
        assert kinds(sent(here)) == [("digest", "quiet", 3)]


def test_a_digest_begun_by_a_clock_that_was_days_ahead_goes_in_parts_once_it_is_put_right(store_url: str) -> None:
    daily = Channel("main", "console", mode=Mode.DIGEST, digest=Schedule(times=(time(18),)))
    with desk(store_url, daily) as here:
        clock(here, 40 * 24)
        for number in range(60):
            news(here, number, ("شاهد", "انفجار", "زلزال")[number % 3])
        clock(here, 2)
        assert [(one.data["part"], one.data["parts"]) for one in sent(here)] == [(1, 3), (2, 3), (3, 3)]
        assert here.rows("select count(*) from deliveries where state <> 'sent'") == [(0,)]


def test_what_a_clock_dated_ahead_makes_no_burst_once_it_is_put_back(store_url: str) -> None:
    calm = Channel("main", "console", burst=2)
    with desk(store_url, calm, rules=((HIGH, "انفجار"), (LOW, "زلزال"))) as here:
        clock(here, 1)
        for number in range(2):
            news(here, number, "زلزال")
        clock(here, 0)
        news(here, 4, "زلزال")
        assert sorted(kinds(sent(here))) == [("story", "", 1)] * 3


# ── quiet hours ──


def test_what_comes_in_quiet_hours_comes_afterwards_as_one_digest(store_url: str) -> None:
    with desk(store_url, Channel("main", "console", quiet=QUIET)) as here:
        clock(here, 11.5)
        for number in range(3):
            news(here, number)
        assert waiting(here) == [("digest", "quiet", "pending", "quiet hours until 07:00")]
        rows = here.flow.store.hits(HitFilter()).items
        seven = NOW.replace(hour=7) + timedelta(days=1)
        assert {(row.fate, row.why, row.until) for row in rows} == {("held", "quiet hours until 07:00", seven)}
        sums = here.flow.store.ledger(HitFilter(fate="held"))
        assert (sums.fates, sums.reasons) == ({"held": 3}, {"held": {"quiet": 3}})
        news(here, 4, "انفجار")
        assert kinds(sent(here)) == [("story", "", 1)], "severity high passes"
        clock(here, 19)
        (digest,) = sent(here)
        assert kinds([digest]) == [("digest", "quiet", 3)]
        assert "ما وصل في ساعات الهدوء (23:00 إلى 07:00)" in digest.text
        news(here, 5)
        assert kinds(sent(here)) == [("story", "", 1)]


def test_a_story_told_at_once_leaves_the_digest_that_it_waited_in(store_url: str) -> None:
    with desk(store_url, Channel("main", "console", quiet=QUIET)) as here:
        clock(here, 12)
        report = "سقطت طائرة شاهد فوق أوديسا اليوم وأصابت مبنى في وسط المدينة وقال شهود إنهم سمعوا"
        here.take("a", "سقوط شاهد فوق أوديسا اليوم", report)
        news(here, 7)
        here.take("b", "سقوط شاهد فوق أوديسا اليوم", f"{report} دوي انفجار")
        (story,) = sent(here)
        assert story.data["kind"] == "story" and "عاجل" in story.text
        clock(here, 19)
        assert kinds(sent(here)) == [("digest", "quiet", 1)]


def test_a_digest_that_lost_all_its_stories_is_not_sent(store_url: str) -> None:
    with desk(store_url, Channel("main", "console", quiet=QUIET)) as here:
        clock(here, 12)
        report = "سقطت طائرة شاهد فوق أوديسا اليوم وأصابت مبنى في وسط المدينة وقال شهود إنهم سمعوا"
        here.take("a", "سقوط شاهد فوق أوديسا اليوم", report)
        here.take("b", "سقوط شاهد فوق أوديسا اليوم", f"{report} دوي انفجار")
        assert kinds(sent(here)) == [("story", "", 1)]
        clock(here, 19)
        assert sent(here) == []
        assert here.rows("select count(*) from messages where kind = 'digest'") == [(0,)]


def test_a_message_that_is_there_is_edited_in_quiet_hours_too(store_url: str) -> None:
    """An edit makes no sound."""
    rules = (*RULES, (Rule("second", "أوديسا", "Odesa"), "وسط NEAR المدينة"))
    with desk(store_url, Channel("main", "console", quiet=QUIET), rules=rules) as here:
        clock(here, 10.9)
        report = "سقطت طائرة شاهد فوق أوديسا اليوم وأصابت مبنى سكنيا وقال شهود إنهم سمعوا دويا"
        here.take("a", "سقوط شاهد فوق أوديسا اليوم", report)
        assert kinds(sent(here)) == [("story", "", 1)]
        clock(here, 12)
        here.take("b", "سقوط شاهد فوق أوديسا اليوم", f"{report} في وسط المدينة")
        assert waiting(here) == [("story", "", "pending", "")]
        here.deliver()
        ((claim, rendered),) = here.posted
        assert claim.operation is Operation.EDIT and "مسيّرات شاهد · أوديسا" in rendered.text


def test_a_message_that_somebody_deleted_is_not_sent_anew_in_quiet_hours(store_url: str) -> None:
    rules = (*RULES, (Rule("second", "أوديسا", "Odesa"), "وسط NEAR المدينة"))
    with desk(store_url, Channel("main", "console", quiet=QUIET), rules=rules) as here:
        clock(here, 10)
        report = "سقطت طائرة شاهد فوق أوديسا اليوم وأصابت مبنى سكنيا وقال شهود إنهم سمعوا دويا"
        here.take("a", "سقوط شاهد فوق أوديسا اليوم", report)
        assert kinds(sent(here)) == [("story", "", 1)]
        here.take("b", "سقوط شاهد فوق أوديسا اليوم", report)
        store, now = here.flow.store, NOW + timedelta(hours=10.2)
        (edit,) = store.claim_deliveries(now, paces={"main": ChatPace("chat")}, limit=9)
        gone = Outcome(OutcomeKind.GONE, "message to edit not found")
        store.settle(edit, retry.settle(edit, gone, now, Random(1)), now)
        clock(here, 12)
        here.take("c", "سقوط شاهد فوق أوديسا اليوم", f"{report} في وسط المدينة")
        assert sent(here) == []
        assert [row[:2] for row in waiting(here)] == [("digest", "quiet")]
        clock(here, 19)
        (digest,) = sent(here)
        assert kinds([digest]) == [("digest", "quiet", 1)] and "أوديسا" in digest.text


def test_what_a_cooldown_releases_in_quiet_hours_waits_for_their_end(store_url: str) -> None:
    cooled = Rule("cooled", "شاهد", "Shahed", cooldown=timedelta(hours=1))
    with desk(store_url, Channel("main", "console", quiet=QUIET), rules=((cooled, "شاهد"),)) as here:
        clock(here, 10.8)
        for number in range(3):
            news(here, number)
        assert kinds(sent(here)) == [("story", "", 1)]
        assert release_held(here.flow, NOW + timedelta(hours=12)) == 2
        assert waiting(here) == [("digest", "quiet", "pending", "quiet hours until 07:00")]
        clock(here, 19)
        assert kinds(sent(here)) == [("digest", "quiet", 2)]


# ── bursts ──


def test_past_the_limit_a_digest_takes_over_until_the_flood_is_over(store_url: str) -> None:
    calm = Channel("main", "console", burst=3, burst_window=timedelta(minutes=10))
    with desk(store_url, calm) as here:
        for number in range(6):
            news(here, number)
        assert [row[1] for row in waiting(here)] == ["", "", "", "burst"]
        news(here, 7, "انفجار")
        found = sent(here)
        assert kinds(found) == [("story", "", 1)] * 4 and "عاجل" in found[0].text, "high passes, and goes first"
        here.at += 8
        (digest,) = sent(here)
        assert kinds([digest]) == [("digest", "burst", 3)]
        assert "تنبيهات كثيرة في وقت قصير" in digest.text
        here.at += 12
        news(here, 8)
        assert kinds(sent(here)) == [("story", "", 1)]


def test_high_severity_past_a_limit_of_its_own_waits_a_minute_and_stands_first(store_url: str) -> None:
    calm = Channel("main", "console", burst=2, burst_window=timedelta(minutes=20))
    with desk(store_url, calm) as here:
        for number in range(3):
            news(here, number)
        for number in range(3, 7):
            news(here, number, "انفجار")
        found = sent(here)
        assert sorted(kinds(found)) == [("digest", "burst", 3), *[("story", "", 1)] * 4]
        (digest,) = (one for one in found if one.data["kind"] == "digest")
        assert digest.text.index("عاجل (2)") < digest.text.index("مسيّرات شاهد")


def test_an_alert_that_waits_is_told_by_the_message_that_another_rule_opens_meanwhile(store_url: str) -> None:
    hourly = Channel("main", "console", mode=Mode.DIGEST, digest=Schedule(every=timedelta(hours=1)))
    with desk(store_url, hourly) as here:
        news(here, 0)
        here.flow.channels = {"main": Channel("main", "console")}
        news(here, 0, "انفجار")
        (message,) = sent(here)
        assert "مسيّرات شاهد · عاجل" in message.text or "عاجل · مسيّرات شاهد" in message.text
        assert waiting(here) == []
        assert {
            row for (row,) in here.rows("select m.kind from message_alerts a join messages m on m.id = a.message_id")
        } == {"story"}


def test_a_story_that_waits_stays_in_its_digest_when_a_change_in_it_is_told(store_url: str) -> None:
    hourly = Channel("main", "console", mode=Mode.DIGEST, digest=Schedule(every=timedelta(hours=1)))
    toll = Rule("toll", "قتلى", "Toll", developments=True)
    with desk(store_url, hourly, rules=((toll, "قتلى"),)) as here:
        text = "سقطت طائرة شاهد فوق أوديسا اليوم وأصابت مبنى سكنيا وقال شهود إنهم سمعوا دويا وسقط قتلى"
        here.take("a", "4 قتلى في سقوط شاهد فوق أوديسا", f"4 قتلى: {text}")
        here.flow.channels = {"main": Channel("main", "console")}
        here.take("b", "7 قتلى في سقوط شاهد فوق أوديسا", f"7 قتلى: {text}")
        assert kinds(sent(here)) == [("development", "", 1)]
        clock(here, 1)
        assert kinds(sent(here)) == [("digest", "digest", 1)]


# ── each ──


def test_a_channel_may_have_every_article_for_itself(store_url: str) -> None:
    with desk(store_url, Channel("main", "console", mode=Mode.EACH), Channel("rest", "console")) as here:
        here.flow.rules = {**here.flow.rules, "shahed": Rule("shahed", "شاهد", "Shahed", channels=("main", "rest"))}
        report = "سقطت طائرة شاهد فوق أوديسا اليوم وأصابت مبنى في وسط المدينة"
        for outlet in "abc":
            here.take(outlet, "سقوط شاهد فوق أوديسا اليوم", report)
        here.deliver()
        mine = [(claim, rendered) for claim, rendered in here.posted if claim.channel == "main"]
        assert [claim.operation for claim, _ in mine] == [Operation.SEND] * 3
        assert [rendered.data["kind"] for _, rendered in mine] == ["article"] * 3
        assert all("ونقلته" not in rendered.text for _, rendered in mine)
        assert [rendered.text.splitlines()[-1].strip("\u200f\u2068\u2069")[0] for _, rendered in mine] == [
            "a",
            "b",
            "c",
        ]
        others = [rendered for claim, rendered in here.posted if claim.channel == "rest"]
        assert len(others) == 1 and "ونقلته أيضًا" in others[0].text


def test_a_further_article_in_quiet_hours_is_told_in_their_digest(store_url: str) -> None:
    with desk(store_url, Channel("main", "console", mode=Mode.EACH, quiet=QUIET)) as here:
        clock(here, 10.9)
        report = "سقطت طائرة شاهد فوق أوديسا اليوم وأصابت مبنى في وسط المدينة"
        here.take("a", "سقوط شاهد فوق أوديسا اليوم", report)
        assert kinds(sent(here)) == [("article", "", 1)]
        clock(here, 12)
        here.take("b", "سقوط شاهد فوق أوديسا اليوم", report)
        assert sent(here) == []
        clock(here, 19)
        assert kinds(sent(here)) == [("digest", "quiet", 1)]


# ── replies ──

KILLED = "مقتل القائد في غارة شاهد على المدينة"
DENIED = "المتحدث ينفي مقتل القائد في غارة شاهد على المدينة"
TEXT = "قالت مصادر إن القائد قتل في غارة نفذتها طائرة شاهد على المدينة مساء أمس وإن عددا من مرافقيه أصيبوا"


@pytest.mark.parametrize("mode", [Mode.STORY, Mode.EACH])
def test_a_denial_replies_to_the_message_of_what_it_denies(store_url: str, mode: Mode) -> None:
    with desk(store_url, Channel("main", "console", mode=mode)) as here:
        here.take("a", KILLED, TEXT)
        (first,) = sent(here)
        here.take("b", DENIED, f"نفى المتحدث الأنباء: {TEXT}")
        (reply,) = sent(here)
        assert first.reply_to is None
        assert here.rows("select external_id from messages order by id")[0] == (reply.reply_to,)
        assert reply.data["reply_to"] == reply.reply_to


def test_a_denial_replies_to_a_digest_and_never_into_another_channel(store_url: str) -> None:
    daily = Channel("main", "console", quiet=QUIET)
    with desk(store_url, daily, Channel("other", "console")) as here:
        clock(here, 12)
        here.take("a", KILLED, TEXT)
        clock(here, 19)
        assert kinds(sent(here)) == [("digest", "quiet", 1)]
        here.flow.rules = {**here.flow.rules, "shahed": Rule("shahed", "شاهد", "Shahed", channels=("main", "other"))}
        here.take("b", DENIED, f"نفى المتحدث الأنباء: {TEXT}")
        here.deliver()
        told = {
            claim.channel: rendered.reply_to for claim, rendered in here.posted if claim.operation is Operation.SEND
        }
        assert told["main"] is not None and told["other"] is None


# ── what was deleted ──


def test_a_deleted_message_is_left_alone_but_a_new_rules_alert_is_told(store_url: str) -> None:
    rules = (*RULES, (Rule("second", "أوديسا", "Odesa"), "وسط NEAR المدينة"))
    with desk(store_url, Channel("main", "console"), rules=rules) as here:
        report = "سقطت طائرة شاهد فوق أوديسا اليوم وأصابت مبنى سكنيا وقال شهود إنهم سمعوا دويا"
        here.take("a", "سقوط شاهد فوق أوديسا اليوم", report)
        assert len(sent(here)) == 1
        here.take("b", "سقوط شاهد فوق أوديسا اليوم", report)
        now = NOW + timedelta(minutes=here.at)
        (edit,) = here.flow.store.claim_deliveries(now, paces={"main": ChatPace("chat")}, limit=9)
        gone = retry.settle(edit, Outcome(OutcomeKind.GONE, "message to edit not found"), now, Random(1))
        here.flow.store.settle(edit, gone, now)
        here.take("c", "سقوط شاهد فوق أوديسا اليوم", report)
        assert waiting(here) == [], "nobody asks a deleted message to change again"
        here.take("d", "سقوط شاهد فوق أوديسا اليوم", f"{report} في وسط المدينة")
        (again,) = sent(here)
        assert "مسيّرات شاهد · أوديسا" in again.text
        here.take("e", "سقوط شاهد فوق أوديسا اليوم", report)
        assert waiting(here) == [("story", "", "pending", "")]


# ── at random ──

CHANNELS = (
    Channel("main", "console"),
    Channel("main", "console", mode=Mode.EACH, burst=2, burst_window=timedelta(minutes=5)),
    Channel("main", "console", burst=3, burst_window=timedelta(minutes=10)),
    Channel("main", "console", burst=1, quiet=QUIET, quiet_high=True),
    Channel("main", "console", burst=1, quiet=QUIET),
    Channel("main", "console", mode=Mode.EACH, burst=2, quiet=QUIET),
    Channel("main", "console", mode=Mode.DIGEST, digest=Schedule(every=timedelta(minutes=15)), quiet=QUIET),
    Channel("main", "console", mode=Mode.DIGEST, digest=Schedule(times=(time(8), time(18)))),
)
STEPS = st.one_of(
    st.tuples(
        st.just("news"),
        st.integers(0, 40) | st.integers(0, 3),
        st.sampled_from(["شاهد", "انفجار", "زلزال"]),
        st.sampled_from("abc"),
    ),
    st.tuples(st.just("flood"), st.integers(0, 20), st.sampled_from(["شاهد", "شاهد انفجار", "زلزال شاهد"])),
    st.tuples(st.just("merge"), st.integers(0, 5), st.integers(0, 5)),
    st.tuples(st.just("split"), st.integers(0, 5)),
    st.tuples(st.just("silence"), st.sampled_from(["shahed", "grows"])),
    st.tuples(st.just("wait"), st.sampled_from([1, 7, 30, 240, 700, -20, -61])),
    st.tuples(st.just("deliver")),
    st.tuples(st.just("edit"), st.sampled_from(CHANNELS)),
)


GROWING = Rule("grows", "تتسع", "Grows", cooldown=timedelta(minutes=20), escalate=2)


histories = given(st.sampled_from(CHANNELS), st.lists(STEPS, min_size=5, max_size=40))


@settings(max_examples=8, deadline=None)
@histories
def test_whatever_happens_every_alert_is_told_and_no_digest_stays_open(channel: Channel, steps: list[Any]) -> None:
    _is_told(channel, steps)


@pytest.mark.soak
@settings(max_examples=400, deadline=None)
@histories
def test_at_length_every_alert_is_told_and_no_digest_stays_open(channel: Channel, steps: list[Any]) -> None:
    _is_told(channel, steps)


def _deliver(here: Desk, steps: list[Any], shown: set[object]) -> None:
    """No digest tells of a story that the channel has a message of. Where each article is wanted it may.

    shown: articles that have a message of their own, or were in a story as a digest or a development told it."""
    before = len(here.posted)
    here.deliver()
    new = [(str(claim.message_id), one.data["kind"]) for claim, one in here.posted[before:]]
    told = "select x.story_id from message_alerts a join alerts x on x.id = a.alert_id where a.message_id in"
    for message, kind in new:
        of = (
            f"story_id in ({told} ({message}))"
            if kind != "article"
            else f"id in (select article_id from messages where id = {message})"
        )
        shown |= {row[0] for row in here.rows(f"select id from articles where {of}")}
    sent_now = [message for message, kind in new if kind == "digest"]
    each = any(kind == "edit" and given_[0].mode is Mode.EACH for kind, *given_ in steps)
    if not sent_now or each:
        return
    told_again = (
        "select d.id, d.why, s.id from messages d join message_alerts a on a.message_id = d.id "
        "join alerts x on x.id = a.alert_id and x.change = '' "
        "join messages s on s.story_id = x.story_id and s.kind = 'story' "
        f"where d.id in ({', '.join(sent_now)}) and d.parts = 1"
    )
    assert here.rows(told_again) == []


WAITS_TWICE = (
    "select x.story_id, x.change from messages m join deliveries d on d.message_id = m.id "
    "join message_alerts a on a.message_id = m.id join alerts x on x.id = a.alert_id "
    "where m.kind = 'digest' and m.parts = 1 and d.state = 'pending' "
    "group by x.story_id, x.change having count(distinct m.id) > 1"
)


def _is_told(channel: Channel, steps: list[Any]) -> None:
    rules = (*RULES, (GROWING, "شاهد OR زلزال"))
    with TemporaryDirectory() as folder, desk(f"sqlite:///{folder}/rasid.db", channel, rules=rules) as here:
        here.flow.per_feed_cap = 3
        shown: set[object] = set()
        for kind, *given_ in steps:
            match kind:
                case "news":
                    news(here, *given_)
                case "wait":
                    here.at += given_[0]
                    release_held(here.flow, here.now)
                case "silence":
                    until = here.now + timedelta(minutes=20)
                    here.flow.store.add_silence(Silence(0, here.now, until, rule_id=given_[0]))
                case "split":
                    last = "select story_id, max(id) from articles group by story_id having count(*) > 1"
                    for story_id, article in here.rows(f"{last} order by story_id desc limit 1 offset {given_[0]}"):
                        here.split(int(str(story_id)), int(str(article)))
                case "flood":
                    here.poll("d", *(story(given_[0] + more, given_[1]) for more in range(6)))
                case "merge":
                    ids = [int(str(one)) for (one,) in here.rows("select id from stories order by id desc limit 6")]
                    if max(given_) < len(ids) and given_[0] != given_[1]:
                        here.merge(*(ids[one] for one in given_))
                case "deliver":
                    _deliver(here, steps, shown)
                case _:
                    here.flow.channels = {"main": given_[0]}
            assert here.rows("select why from messages where open group by why having count(*) > 1") == []
            assert here.rows(WAITS_TWICE) == []
        here.at += 3 * 24 * 60
        release_held(here.flow, here.now)
        _deliver(here, steps, shown)
        here.at += 24 * 60
        _deliver(here, steps, shown)
        assert here.rows("select id from hits where decision = 'held'") == []
        if {one.mode for one in (channel, *(given_[0] for kind, *given_ in steps if kind == "edit"))} == {Mode.EACH}:
            told_of = here.rows("select article_id from hits where decision in ('alert', 'joined')")
            assert {row[0] for row in told_of} <= shown
        assert here.rows("select id from messages where open") == []
        assert here.rows("select id from deliveries where state <> 'sent'") == []
        told = (
            "select alert_id from message_alerts a join deliveries d on d.message_id = a.message_id "
            "where d.operation = 'send' and d.state = 'sent'"
        )
        assert here.rows(f"select id from alerts where id not in ({told})") == []
        told_twice = (
            "select a.alert_id from message_alerts a join messages m on m.id = a.message_id "
            "where m.kind = 'story' and m.story_id is not null group by a.alert_id having count(*) > 1"
        )
        assert here.rows(told_twice) == []
        digests = [one for _, one in here.posted if one.data["kind"] == "digest"]
        lines = sum(one.text.count("• ") for one in digests)
        assert lines == sum(stories for _, _, stories in kinds(digests))

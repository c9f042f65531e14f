"""What a channel tells at once it does not tell a second time in a digest, on SQLite and Postgres."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from monitor.arrivals import release_held
from monitor.delivery import retry
from monitor.model import Rule
from monitor.model_delivery import Channel, ChatPace, Mode, Operation, Outcome, OutcomeKind, Rendered
from monitor.store.records import HitFilter
from tests.desk import NOW, SHAHED, Desk
from tests.test_digests import HIGH, QUIET, clock, desk, kinds, news, sent, story
from tests.test_overrules import REPORT, STRIKE

MAIN = Channel("main", "console")
NIGHT = Channel("main", "console", quiet=QUIET)
EACH = Channel("main", "console", quiet=QUIET, mode=Mode.EACH)
DRONE = Rule("drone", "مسيرة", "Drone")
TWO = ((SHAHED, "شاهد"), (DRONE, "مسيرة"))
TITLE = "سقوط شاهد فوق أوديسا اليوم"


def links(found: list[Rendered]) -> list[str]:
    return [link.split('"')[0] for one in found for link in (one.html or "").split('href="')[1:]]


def edits(here: Desk) -> list[str]:
    """The texts of the edits that are due."""
    here.posted.clear()
    here.deliver()
    return [rendered.text for claim, rendered in here.posted if claim.operation is Operation.EDIT]


# ── escalation ──

GROWING = replace(SHAHED, escalate=3)


def test_a_story_that_is_raised_before_it_was_told_is_told_once_as_high(store_url: str) -> None:
    with desk(store_url, NIGHT, rules=((GROWING, "شاهد"), (DRONE, "مسيرة"))) as here:
        clock(here, 12)
        for outlet in "abc":
            here.poll(outlet, (TITLE, STRIKE))
        found = sent(here)
        assert kinds(found) == [("story", "", 1)] and found[0].data["severity"] == "high" and not found[0].silent
        here.poll("d", ("مسيرة شاهد فوق أوديسا اليوم", STRIKE))
        assert sum(DRONE.name_ar in text for text in edits(here)) == 1
        clock(here, 19)
        assert kinds(sent(here)) == []
        codes = {row.hit.code: row.fate for row in here.flow.store.hits(HitFilter()).items}
        assert codes == {"new_story": "delivered", "joined_story": "grouped", "escalated": "delivered"}


def test_a_message_that_waits_to_be_sent_when_its_story_is_raised_is_hurried(store_url: str) -> None:
    with desk(store_url, MAIN, rules=((GROWING, "شاهد"),)) as here:
        for outlet in "abc":
            here.poll(outlet, (TITLE, STRIKE))
        assert here.rows("select operation, priority from deliveries") == [("send", 0)]
        found = sent(here)
        assert kinds(found) == [("story", "", 1)] and found[0].data["severity"] == "high"


def test_a_story_that_is_raised_in_a_digest_that_went_is_told_once_more(store_url: str) -> None:
    with desk(store_url, NIGHT, rules=((GROWING, "شاهد"),)) as here:
        clock(here, 12)
        here.poll("a", (TITLE, STRIKE))
        clock(here, 19)
        assert kinds(sent(here)) == [("digest", "quiet", 1)]
        for outlet in "bc":
            here.poll(outlet, (TITLE, STRIKE))
        assert kinds(sent(here)) == [("development", "", 1)]


# ── a flood ──


def test_a_flood_that_two_rules_hit_is_told_once_in_one_digest(store_url: str) -> None:
    with desk(store_url, MAIN, rules=TWO) as here:
        here.flow.per_feed_cap = 5
        here.poll("a", *(story(number, "شاهد مسيرة") for number in range(8)))
        stories = len(here.stories())
        found = sent(here)
        assert sorted(kinds(found)) == [("digest", "flood", stories - 3), *[("story", "", 1)] * 3]
        assert len(links(found)) == len(set(links(found))) == stories
        both = [one for one in found if one.data["kind"] == "story"]
        assert all(SHAHED.name_ar in one.text and DRONE.name_ar in one.text for one in both)
        assert here.rows("select id from alerts where id not in (select alert_id from message_alerts)") == []


def test_a_flood_in_quiet_hours_waits_but_for_its_stories_of_high_severity(store_url: str) -> None:
    with desk(store_url, NIGHT, rules=((SHAHED, "شاهد"), (HIGH, "انفجار"))) as here:
        here.flow.per_feed_cap = 1
        clock(here, 12)
        here.poll("a", *(story(number, "شاهد انفجار" if number % 2 else "شاهد") for number in range(8)))
        grave = len(here.rows("select id from alerts where severity = 'high'"))
        found = sent(here)
        assert kinds(found) == [("digest", "flood", grave)]
        clock(here, 19)
        assert kinds(sent(here)) == [("digest", "quiet", len(here.stories()) - grave)]


def test_a_flood_takes_its_stories_out_of_the_digest_that_they_wait_in(store_url: str) -> None:
    with desk(store_url, NIGHT, rules=((SHAHED, "شاهد"), (HIGH, "انفجار"))) as here:
        here.flow.per_feed_cap = 1
        clock(here, 12)
        for number in range(3):
            news(here, number)
        here.poll("b", *(story(number, "انفجار") for number in (5, 0, 1)))
        assert sorted(kinds(sent(here))) == [("digest", "flood", 2), ("story", "", 1)]
        clock(here, 19)
        assert kinds(sent(here)) == [("digest", "quiet", 1)]


@pytest.mark.parametrize("how", ["merged", "told by another rule"])
def test_a_flood_that_waits_to_be_sent_tells_nothing_that_a_message_tells_meanwhile(store_url: str, how: str) -> None:
    with desk(store_url, MAIN, rules=((SHAHED, "شاهد"), (HIGH, "انفجار"))) as here:
        here.flow.per_feed_cap = 1
        here.poll("a", *(story(number) for number in range(4)))
        if how == "merged":
            here.merge(1, 3)
        else:
            here.take("b", *story(2, "انفجار"))
        assert sorted(kinds(sent(here))) == [
            ("digest", "flood", 2),
            *[("story", "", 1)] * (1 if how == "merged" else 2),
        ]
        assert here.rows("select id from alerts where id not in (select alert_id from message_alerts)") == []


def test_a_digest_whose_attempt_surely_failed_tells_nothing_that_a_message_tells_meanwhile(store_url: str) -> None:
    with desk(store_url, MAIN, rules=((SHAHED, "شاهد"), (HIGH, "انفجار"))) as here:
        here.flow.per_feed_cap = 1
        here.poll("a", *(story(number) for number in range(4)))
        for kind in (OutcomeKind.SENT, OutcomeKind.RETRY):
            here.at += 2
            (claim,) = here.flow.store.claim_deliveries(here.now, paces={"main": ChatPace("chat")}, limit=9)
            came = Outcome(kind, external_id="1", retry_after=1)
            here.flow.store.settle(claim, retry.settle(claim, came, here.now, Random(1)), here.now, operator=None)
        here.take("b", *story(2, "انفجار"))
        assert sorted(kinds(sent(here))) == [("digest", "flood", 2), ("story", "", 1)]


# ── two digests ──


@pytest.mark.parametrize("first", ["شاهد", "انفجار"])
def test_a_story_that_waits_for_the_morning_is_told_in_the_digest_of_a_burst_alone(store_url: str, first: str) -> None:
    with desk(store_url, replace(NIGHT, burst=1), rules=((SHAHED, "شاهد"), (HIGH, "انفجار"))) as here:
        clock(here, 12)
        news(here, 1, "انفجار")
        news(here, 0, first)
        news(here, 0, "انفجار" if first == "شاهد" else "شاهد", "b")
        news(here, 2)
        found = sent(here)
        assert sorted(kinds(found)) == [("digest", "burst", 1), ("story", "", 1)]
        (digest,) = (one for one in found if one.data["kind"] == "digest")
        assert {rule["id"] for rule in digest.data["stories"][0]["rules"]} == {"shahed", "high"}  # type: ignore[index]
        clock(here, 20)
        assert kinds(sent(here)) == [("digest", "quiet", 1)]


@pytest.mark.parametrize(("kept", "gone"), [(2, 3), (3, 2)])
@pytest.mark.parametrize("mode", [Mode.STORY, Mode.EACH])
def test_stories_that_wait_in_two_digests_are_told_in_the_first_once_they_are_merged(
    store_url: str, mode: Mode, kept: int, gone: int
) -> None:
    night = replace(NIGHT, burst=1, mode=mode)
    with desk(store_url, night, rules=((SHAHED, "شاهد"), (HIGH, "انفجار"))) as here:
        clock(here, 12)
        news(here, 1, "انفجار")
        news(here, 0, "شاهد انفجار")
        news(here, 2)
        news(here, 3)
        here.merge(kept, gone)
        assert [one for one in kinds(sent(here)) if one[0] == "digest"] == [("digest", "burst", 1)]
        clock(here, 20)
        assert kinds(sent(here)) == [("digest", "quiet", 1)]


# ── a cooldown's end ──


def test_what_a_cooldown_releases_joins_the_messages_that_the_channel_has(store_url: str) -> None:
    cooled = Rule("cooled", "شاهد", "Shahed", cooldown=timedelta(hours=1))
    with desk(store_url, MAIN, rules=((cooled, "شاهد"), (DRONE, "مسيرة"))) as here:
        news(here, 0)
        for number, word in enumerate(("شاهد مسيرة", "شاهد", "شاهد"), 1):
            news(here, number, word)
        assert kinds(sent(here)) == [("story", "", 1)] * 2
        assert release_held(here.flow, NOW + timedelta(hours=2)) == 3
        clock(here, 2)
        assert kinds(sent(here)) == [("digest", "released", 2)]
        assert here.rows("select count(*) from alerts where digest") == [(3,)]
        row = here.rows("select count(*) from deliveries where operation = 'edit' and state = 'sent'")
        assert row == [(1,)]


def test_two_rules_whose_cooldown_ends_release_a_story_once(store_url: str) -> None:
    rules = [(Rule(name, name, name, cooldown=timedelta(hours=1)), "شاهد") for name in ("one", "other")]
    with desk(store_url, MAIN, rules=rules) as here:
        for number in range(4):
            news(here, number)
        assert kinds(sent(here)) == [("story", "", 1)]
        assert release_held(here.flow, NOW + timedelta(hours=2)) == 6
        clock(here, 2)
        assert kinds(sent(here)) == [("digest", "released", 3)]


# ── merged stories ──


@pytest.mark.parametrize(("kept", "gone"), [(1, 2), (2, 1)])
def test_a_story_that_waits_is_not_told_again_once_it_is_part_of_one_that_was(
    store_url: str, kept: int, gone: int
) -> None:
    with desk(store_url, NIGHT, rules=((SHAHED, "شاهد"), (DRONE, "الملاجئ"))) as here:
        clock(here, 10)
        here.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
        assert kinds(sent(here)) == [("story", "", 1)]
        clock(here, 12)
        here.take("b", "ليلة شاهد في أوديسا", f"{REPORT} شاهد")
        news(here, 7)
        here.merge(kept, gone)
        (edit,) = edits(here)
        assert SHAHED.name_ar in edit and DRONE.name_ar in edit
        clock(here, 20)
        assert kinds(sent(here)) == [("digest", "quiet", 1)]


@pytest.mark.parametrize(("kept", "gone"), [(1, 2), (2, 1)])
@pytest.mark.parametrize("end", [OutcomeKind.SENT, OutcomeKind.REJECTED])
def test_of_two_merged_stories_the_message_that_is_out_goes_on(
    store_url: str, kept: int, gone: int, end: OutcomeKind
) -> None:
    with desk(store_url, MAIN, rules=((SHAHED, "شاهد"), (DRONE, "الملاجئ"))) as here:
        here.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
        assert kinds(sent(here)) == [("story", "", 1)]
        here.take("b", "ليلة شاهد في أوديسا", f"{REPORT} شاهد")
        if end is OutcomeKind.REJECTED:
            store = here.flow.store
            (send,) = store.claim_deliveries(here.now, paces={"main": ChatPace("chat")}, limit=9)
            store.settle(send, retry.settle(send, Outcome(end, "refused"), here.now, Random(1)), here.now)
        here.merge(kept, gone)
        (edit,) = edits(here)
        assert SHAHED.name_ar in edit and DRONE.name_ar in edit
        assert here.rows("select id from messages where story_id is not null") == [(1,)]
        assert {row.fate for row in here.flow.store.hits(HitFilter()).items} <= {"delivered", "grouped"}
        here.take("c", "إسقاط عشرين طائرة شاهد", STRIKE)
        assert len(edits(here)) == 1


# ── each article ──


@pytest.mark.parametrize("first", ["normal", "high"])
def test_an_article_that_is_told_at_once_is_not_told_again_after_quiet_hours(store_url: str, first: str) -> None:
    rules = [(SHAHED, "شاهد"), (HIGH, "انفجار")]
    with desk(store_url, EACH, rules=rules if first == "normal" else rules[::-1]) as here:
        clock(here, 12)
        here.take("a", TITLE, f"{STRIKE} انفجار")
        (told,) = sent(here)
        assert told.data["kind"] == "article" and HIGH.name_ar in told.text and SHAHED.name_ar in told.text
        here.take("b", TITLE, f"{STRIKE} انفجار")
        assert kinds(sent(here)) == [("article", "", 1)]
        clock(here, 20)
        assert sent(here) == []
        assert {row.fate for row in here.flow.store.hits(HitFilter()).items} == {"delivered", "grouped"}


@pytest.mark.parametrize("first", [True, False])
def test_other_articles_of_its_story_stay_in_the_digest(store_url: str, first: bool) -> None:
    with desk(store_url, EACH, rules=((SHAHED, "شاهد"), (HIGH, "انفجار"))) as here:
        clock(here, 12)
        if first:
            here.take("a", TITLE, STRIKE)
        here.take("b", TITLE, f"{STRIKE} انفجار")
        assert kinds(sent(here)) == [("article", "", 1)]
        if not first:
            here.take("a", TITLE, STRIKE)
        clock(here, 20)
        assert kinds(sent(here)) == [("digest", "quiet", 1)]


def test_an_article_that_waits_stays_in_the_digest_though_the_clock_was_put_back(store_url: str) -> None:
    with desk(store_url, EACH, rules=((SHAHED, "شاهد"), (HIGH, "انفجار"))) as here:
        clock(here, 13)
        here.take("a", TITLE, STRIKE, page="one")
        clock(here, 12)
        here.take("b", TITLE, STRIKE)
        here.take("a", TITLE, f"{STRIKE} انفجار", page="one")
        assert kinds(sent(here)) == [("article", "", 1)]
        clock(here, 20)
        assert kinds(sent(here)) == [("digest", "quiet", 1)]


def test_an_article_that_is_split_off_is_told_by_its_message_as_its_new_story_alone(store_url: str) -> None:
    with desk(store_url, replace(MAIN, mode=Mode.EACH)) as here:
        for outlet in "abc":
            here.take(outlet, TITLE, STRIKE)
        assert kinds(sent(here)) == [("article", "", 1)] * 3
        here.split(1, 2)
        here.deliver()
        ((claim, edited),) = here.posted
        assert claim.operation is Operation.EDIT and claim.message_id == 2
        assert [one["id"] for one in edited.data["stories"]] == [2]  # type: ignore[attr-defined]
        carried = "select message_id, story_id from message_alerts join alerts on id = alert_id order by message_id"
        assert here.rows(carried) == [(1, 1), (2, 2), (3, 1)]


def test_an_article_that_joins_a_merged_story_tells_no_number_that_another_changed(store_url: str) -> None:
    toll = Rule("toll", "قتلى", "Toll", developments=True)
    title, text = "{} قتلى في سقوط شاهد فوق أوديسا", f"{STRIKE} وسقط {{}} قتلى"
    with desk(store_url, replace(MAIN, mode=Mode.EACH), rules=((toll, "قتلى"),)) as here:
        for outlet, number in ("a", 4), ("b", 7):
            here.take(outlet, title.format(number), text.format(number))
        here.take("c", "ليلة قتلى في الملاجئ", REPORT)
        assert sorted(kinds(sent(here))) == [("article", "", 1), ("article", "", 1), ("development", "", 1)]
        here.merge(2, 1)
        here.take("d", title.format(7), text.format(7))
        (told,) = sent(here)
        assert told.data["kind"] == "article" and told.data["stories"][0]["news"] == []  # type: ignore[index]

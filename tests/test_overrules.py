"""Merged and split stories: what moves, what is told, and that the next article follows, on SQLite and Postgres."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.errors import RasidError
from monitor.model import Rule, RuleState
from monitor.model_delivery import Operation
from monitor.runtime.assembly import prime
from monitor.runtime.overruling import Overruled
from monitor.store.records import HitFilter
from tests.desk import NOW, SHAHED, Desk, desks

ODESSA = Rule("odessa", "أوديسا", "Odessa", min_outlets=2)
PORT = Rule("port", "الميناء", "Port")
STRIKE = (
    "أعلنت القوات الجوية الأوكرانية صباح اليوم أنها أسقطت عشرين طائرة من طراز شاهد أطلقتها روسيا خلال الليل على "
    "العاصمة كييف ومدينة أوديسا، وأضافت في بيان أن حطام الطائرات سقط على مبنى سكني من دون وقوع إصابات بين السكان."
)
# The same night in other words: no wording joins the two.
REPORT = (
    "قضى سكان أوديسا ليلتهم في الملاجئ بعدما دوت صفارات الإنذار مرات عدة، وقال رئيس البلدية إن النوافذ تحطمت في "
    "أحياء قريبة من الميناء وإن التيار الكهربائي انقطع عن آلاف المنازل قبل أن يعود تدريجيا مع طلوع الفجر."
)


@pytest.fixture
def desk(store_url: str) -> Iterator[Desk]:
    with desks(store_url) as (made,):
        yield made


def test_a_merged_story_has_the_articles_hits_and_alerts_of_both(desk: Desk) -> None:
    desk.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
    desk.take("b", "ليلة شاهد في الملاجئ", REPORT)
    assert desk.deliver() == 2
    assert desk.merge(1, 2) == Overruled(1, 1, 0)
    assert desk.stories() == [["a", "b"]]
    assert desk.rows("select id from stories") == [(1,)]
    assert desk.rows("select rule_id, story_id from alerts") == [("shahed", 1)]
    assert desk.rows("select distinct story_id from hits") == [(1,)]
    assert desk.deliver() == 1  # the first message shows both outlets now; the other stays as it was posted
    view = desk.flow.store.message_rows(1)
    assert (view.stories[0].outlet_count, view.alerts) == (2, (("shahed", 1),))
    assert desk.flow.store.message_rows(2).alerts == (("shahed", 1),)


def test_a_merged_storys_alert_is_as_grave_as_both_and_the_cooldown_runs_from_the_later(store_url: str) -> None:
    hour = timedelta(hours=1)
    with desks(store_url, rules=[(replace(SHAHED, cooldown=hour, escalate=2), "شاهد")]) as (desk,):
        desk.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
        desk.at = 65
        desk.take("b", "ليلة في الملاجئ", REPORT)
        desk.take("c", "ليلة شاهد في الملاجئ", REPORT)
        assert desk.rows("select severity from alerts order by id") == [("normal",), ("high",)]
        assert desk.merge(1, 2).alerts == 0  # it was told as high
        assert desk.take("d", "بيان شاهد", " ".join(f"كلمة{n}" for n in range(40))).alerts == 0
        held = desk.flow.store.hits(HitFilter()).items[0].hit
        assert (held.code, held.until) == ("cooldown", NOW + hour + timedelta(minutes=67))


def test_a_message_that_has_not_left_is_not_sent_beside_that_of_the_other_story(desk: Desk) -> None:
    desk.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
    desk.take("b", "ليلة شاهد في الملاجئ", REPORT)
    desk.merge(1, 2)
    assert desk.deliver() == 1
    assert desk.rows("select story_id, external_id from messages") == [(1, "1")]


def test_the_next_article_follows_a_merge(desk: Desk) -> None:
    desk.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
    desk.take("b", "ليلة شاهد في الملاجئ", REPORT)
    desk.merge(1, 2)
    report = desk.take("c", "ليلة شاهد في ملاجئ أوديسا", REPORT)
    desk.take("d", "كييف: إسقاط عشرين طائرة شاهد", STRIKE)
    assert report.alerts == 0
    assert desk.stories() == [["a", "b", "c", "d"]]
    assert desk.rows("select id, part from articles order by id") == [(1, None), (2, 2), (3, 2), (4, None)]


def test_a_chain_of_merges_is_followed(desk: Desk) -> None:
    desk.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
    desk.take("b", "ليلة شاهد في الملاجئ", REPORT)
    desk.take("c", "بيان شاهد", " ".join(f"كلمة{n}" for n in range(40)))
    desk.merge(2, 3)
    desk.merge(1, 2)
    desk.take("d", "نص بيان شاهد", " ".join(f"كلمة{n}" for n in range(40)))
    assert desk.stories() == [["a", "b", "c", "d"]]
    with pytest.raises(RasidError, match="there is no story 3: it was merged into story 1"):
        desk.merge(1, 3)


def test_a_rule_that_waits_for_outlets_alerts_by_a_merge(store_url: str) -> None:
    with desks(store_url, rules=[(ODESSA, "أوديسا")]) as (desk,):
        desk.take("a", "إسقاط عشرين طائرة", STRIKE)
        desk.take("b", "ليلة في الملاجئ", REPORT)
        assert desk.rows("select code from hits") == [("too_few_outlets",)] * 2
        assert desk.merge(1, 2) == Overruled(1, 1, 1)
        assert desk.rows("select code from hits order by id") == [("outlets_reached",), ("joined_story",)]


def test_an_article_that_is_split_off_is_told_as_a_story_of_its_own(desk: Desk) -> None:
    desk.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
    desk.take("b", "إسقاط عشرين طائرة شاهد فوق كييف", STRIKE)
    desk.take("c", "إسقاط عشرين طائرة شاهد ليلا", STRIKE + " وقال شهود إن القصف تجدد ظهرا.")
    assert desk.deliver() == 1
    assert desk.split(1, 3) == Overruled(2, 1, 1)
    assert desk.stories() == [["a", "b"], ["c"]]
    assert desk.rows("select story_id, hit_id from alerts order by id") == [(1, 1), (2, 3)]
    assert desk.deliver() == 2  # the first message is edited, the second sent
    assert desk.flow.store.message_rows(1).stories[0].outlet_count == 2
    assert desk.flow.store.message_rows(2).stories[0].outlet_count == 1


def test_the_next_article_follows_a_split(desk: Desk) -> None:
    more = STRIKE + " وقال شهود إن القصف تجدد ظهرا."
    desk.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
    desk.take("b", "إسقاط عشرين طائرة شاهد فوق كييف", STRIKE)
    desk.take("c", "إسقاط عشرين طائرة شاهد ليلا", more)
    desk.split(1, 3)
    desk.take("d", "إسقاط عشرين طائرة شاهد الليلة", more)
    desk.take("e", "إسقاط عشرين طائرة شاهد في كييف", STRIKE)
    assert desk.stories() == [["a", "b", "e"], ["c", "d"]]


async def test_an_article_like_the_one_that_was_split_off_follows_it_and_not_the_larger_story(store_url: str) -> None:
    before, after = STRIKE.split("، وأضافت")
    second = f"{before}، ثم قصفت ظهر اليوم محطة للكهرباء في ضاحية المدينة وانقطع التيار عن آلاف المنازل"
    with desks(store_url) as (desk,):
        for outlet in "abcdef":
            desk.take(outlet, f"إسقاط عشرين طائرة شاهد {outlet}", f"{before}، وأضافت{after}")
        desk.take("g", "إسقاط عشرين طائرة شاهد وقصف محطة", second)
        assert desk.stories() == [[*"abcdefg"]]
        desk.split(1, 7)
        desk.take("h", "إسقاط عشرين طائرة شاهد وقصف محطة الكهرباء", f"{second} قبل أن يعود مساء")
        assert desk.stories() == [[*"abcdef"], ["g", "h"]]
    with desks(store_url) as (later,):
        await prime(later.flow, NOW + timedelta(minutes=9))
        later.at = 9
        later.take("i", "إسقاط عشرين طائرة شاهد وقصف محطة كهرباء", f"{second} وعاد في المساء")
        assert later.stories() == [[*"abcdef"], ["g", "h", "i"]]


def test_an_alert_goes_with_its_article_unless_another_was_told_too(desk: Desk) -> None:
    desk.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
    desk.take("b", "إسقاط عشرين طائرة شاهد فوق كييف", STRIKE)
    desk.take("c", "إسقاط عشرين طائرة فوق كييف", STRIKE.replace("طراز شاهد", "صنع محلي"))
    desk.deliver()
    assert desk.split(1, 1) == Overruled(2, 1, 1)  # b carries the alert on, a is told anew
    assert desk.rows("select story_id, hit_id from alerts order by id") == [(1, 2), (2, 1)]
    assert desk.split(1, 2) == Overruled(3, 1, 0)  # c was no hit: the alert and its message go with b
    assert desk.rows("select story_id, hit_id from alerts order by id") == [(3, 2), (2, 1)]
    assert desk.rows("select story_id from messages order by id") == [(3,), (2,)]


def test_an_old_article_that_is_split_off_is_not_told_again(desk: Desk) -> None:
    desk.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
    desk.take("b", "إسقاط عشرين طائرة شاهد فوق كييف", STRIKE)
    desk.at = 60 * 24 * 3
    assert desk.split(1, 2) == Overruled(2, 1, 0)
    assert desk.rows("select code from hits order by id") == [("new_story",), ("split_off",)]


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (replace(SHAHED, state=RuleState.OFF), "rule_off"),
        (replace(SHAHED, state=RuleState.TRIAL), "trial"),
        (replace(SHAHED, id="another"), "rule_off"),
    ],
    ids=["off", "trial", "removed"],
)
def test_an_article_that_is_split_off_a_story_of_a_rule_that_alerts_no_more_is_muted(
    desk: Desk, now: Rule, code: str
) -> None:
    desk.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
    desk.take("b", "إسقاط عشرين طائرة شاهد فوق كييف", STRIKE)
    desk.deliver()
    desk.flow.rules = {now.id: now}
    assert desk.split(1, 1) == Overruled(2, 1, 0)  # the alert stays with b
    desk.deliver()
    rows = desk.flow.store.hits(HitFilter()).items[::-1]
    assert [(row.hit.code, row.fate) for row in rows] == [(code, "muted"), ("new_story", "delivered")]


def test_a_story_that_is_split_off_waits_for_the_outlets_that_its_rule_asks_for(store_url: str) -> None:
    with desks(store_url, rules=[(ODESSA, "أوديسا")]) as (desk,):
        for outlet in "abc":
            desk.take(outlet, "إسقاط عشرين طائرة شاهد", STRIKE)
        assert desk.deliver() == 1
        assert desk.split(1, 3) == Overruled(2, 1, 0)
        rows = [(row.hit.code, row.hit.detail, row.fate) for row in desk.flow.store.hits(HitFilter()).items]
        assert rows[0] == ("too_few_outlets", "1 of 2 outlets", "held")
        desk.merge(1, 2)
        assert desk.split(1, 2, 3) == Overruled(3, 2, 1)


def test_a_split_can_be_taken_back(desk: Desk) -> None:
    desk.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
    desk.take("b", "إسقاط عشرين طائرة شاهد فوق كييف", STRIKE)
    desk.split(1, 2)
    desk.merge(1, 2)
    desk.take("c", "إسقاط عشرين طائرة شاهد في كييف", STRIKE)
    assert desk.stories() == [["a", "b", "c"]]


def test_what_cannot_be_done_is_told_and_changes_nothing(desk: Desk) -> None:
    desk.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
    desk.take("b", "إسقاط عشرين طائرة شاهد فوق كييف", STRIKE)
    attempts: list[tuple[Callable[..., Overruled], tuple[int, ...], str]] = [
        (desk.merge, (1, 1), "story 1 is already one story"),
        (desk.merge, (1, 9), "there is no story 9: rasid stories list"),
        (desk.split, (9, 1), "there is no story 9"),
        (desk.split, (1, 2, 7), "not in story 1: article 7; it has 1, 2"),
        (desk.split, (1, 1, 2), "story 1 has no other articles"),
    ]
    for attempt, numbers, told in attempts:
        with pytest.raises(RasidError, match=told):
            attempt(*numbers)
    assert desk.stories() == [["a", "b"]]
    assert desk.rows("select * from overrules") == []


async def test_overrules_hold_in_another_process_and_after_a_restart(store_url: str) -> None:
    more = STRIKE + " وقال شهود إن القصف تجدد ظهرا."
    with desks(store_url, count=2) as (one, other):
        one.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
        one.take("b", "ليلة شاهد في الملاجئ", REPORT)
        one.take("c", "إسقاط عشرين طائرة شاهد ليلا", more)
        other.at = 3
        other.take("d", "ليلة شاهد في ملاجئ أوديسا", REPORT)  # it knows all of them
        one.merge(1, 2)
        one.split(1, 3)
        other.take("e", "ليلة شاهد في ملاجئ المدينة", REPORT)
        other.take("f", "إسقاط عشرين طائرة شاهد الليلة", more)
        assert other.stories() == [["a", "b", "d", "e"], ["c", "f"]]
    with desks(store_url) as (later,):
        await prime(later.flow, NOW + timedelta(minutes=9))
        later.at = 9
        later.take("g", "ليلة شاهد تحت الأرض في أوديسا", REPORT)
        later.take("h", "إسقاط عشرين طائرة شاهد هذه الليلة", more)
        assert later.stories() == [["a", "b", "d", "e", "g"], ["c", "f", "h"]]
        assert later.rows("select count(*) from alerts") == [(2,)]


def test_old_overrules_are_forgotten_with_their_stories(desk: Desk) -> None:
    desk.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
    desk.take("b", "ليلة شاهد في الملاجئ", REPORT)
    desk.merge(1, 2)
    desk.deliver()
    report = desk.flow.store.prune(NOW + timedelta(days=40), timedelta(days=30))
    assert (report.articles, report.stories, report.alerts) == (2, 1, 1)
    left = {name: desk.rows(f"select count(*) from {name}") for name in ("overrules", "messages", "stories", "alerts")}
    assert set(map(str, left.values())) == {"[(0,)]"}


def test_a_message_that_a_split_left_to_two_stories_outlives_the_older_one(store_url: str) -> None:
    with desks(store_url, rules=[(SHAHED, "شاهد"), (PORT, "الميناء")]) as (desk,):
        desk.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
        desk.take("b", "إسقاط عشرين طائرة شاهد", f"{STRIKE} قرب الميناء")
        desk.deliver()
        desk.at = 60 * 24 * 5
        assert desk.split(1, 2).story == 2  # the alert of the port goes along, the message shows both
        desk.deliver()
        assert desk.rows("select kind, story_id from messages") == [("story", 1)]
        desk.flow.store.prune(NOW + timedelta(days=32), timedelta(days=30))
        assert desk.stories() == [["b"]]
        assert desk.rows("select kind, story_id from messages") == [("story", 2)]
        desk.take("c", "إسقاط عشرين طائرة", f"{STRIKE.replace('شاهد', 'جديد')} قرب الميناء")
        assert desk.stories() == [["b", "c"]]
        desk.deliver()
        claim, rendered = desk.posted[-1]
        assert claim.operation is Operation.EDIT and "ونقلته أيضًا" in rendered.text


def test_a_message_that_a_split_left_to_two_stories_shows_what_becomes_of_both(store_url: str) -> None:
    other = f"{STRIKE.replace('شاهد', 'جديد')} قرب الميناء"
    with desks(store_url, rules=[(SHAHED, "شاهد"), (PORT, "الميناء")]) as (desk,):
        desk.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
        desk.take("b", "إسقاط عشرين طائرة", other)
        desk.split(1, 2)
        desk.deliver()
        desk.posted.clear()
        desk.take("c", "إسقاط عشرين طائرة", other)
        assert desk.stories() == [["a"], ["b", "c"]]
        assert desk.deliver() == 1
        assert "ونقلته أيضًا" in desk.posted[0][1].text


async def test_a_merged_story_that_goes_on_for_longer_than_overrules_are_kept_stays_one(store_url: str) -> None:
    with desks(store_url) as (desk,):
        desk.take("a", "إسقاط عشرين طائرة شاهد", STRIKE)
        desk.take("b", "ليلة شاهد في الملاجئ", REPORT)
        desk.merge(1, 2)
        desk.deliver()
        desk.at = 60 * 24 * 6
        desk.take("c", "ليلة شاهد في ملاجئ أوديسا", REPORT)
        desk.flow.store.prune(NOW + timedelta(days=7), timedelta(days=3))
        assert desk.rows("select count(*) from overrules") == [(0,)]
    with desks(store_url) as (later,):
        await prime(later.flow, NOW + timedelta(days=7))
        later.at = 60 * 24 * 7
        later.take("d", "ليلة شاهد في ملاجئ المدينة", REPORT)
        assert later.stories() == [["a", "b", "c", "d"]]

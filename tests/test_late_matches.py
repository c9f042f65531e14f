"""Any article of a story can alert a rule, also a later one, and the message tells how the story went on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from monitor.alerts.render import render
from monitor.arrivals import release_held
from monitor.model import Rule
from monitor.store.records import HitFilter
from tests.desk import NOW, SHAHED, Desk, desks

STRIKE = (
    "أعلنت القوات الجوية الأوكرانية صباح اليوم أنها أسقطت عشرين طائرة أطلقتها روسيا خلال الليل على العاصمة كييف "
    "ومدينة أوديسا، وأضافت في بيان أن حطام الطائرات سقط على مبنى سكني من دون وقوع إصابات بين السكان."
)
PORT = Rule("port", "الميناء", "The port")


def message(desk: Desk, number: int = 1, language: str = "en") -> str:
    view = desk.flow.store.message_rows(number).view()
    return render(view, desk.flow.rules, language=language, timezone="UTC", now=NOW + timedelta(minutes=desk.at)).text


def test_a_later_article_alerts_and_the_message_says_where_the_story_began(store_url: str) -> None:
    with desks(store_url) as (desk,):
        assert desk.take("a", "إسقاط عشرين طائرة فوق كييف", STRIKE).hits == 0
        report = desk.take("b", "إسقاط عشرين طائرة شاهد فوق كييف", STRIKE)
        assert (report.hits, report.alerts) == (1, 1)
        assert desk.rows("select code, detail from hits") == [("new_story", "the story had 2 articles by then")]
        assert "First told by a, 1 March, 12:01; a later report raised the alert." in message(desk)


def test_a_second_rule_that_a_later_article_matches_joins_the_message_and_is_named(store_url: str) -> None:
    with desks(store_url, rules=[(SHAHED, "شاهد"), (PORT, "ميناء")]) as (desk,):
        desk.take("a", "إسقاط عشرين طائرة شاهد فوق كييف", STRIKE)
        desk.deliver()
        report = desk.take("b", "إسقاط عشرين طائرة شاهد", STRIKE + " وتضرر رصيف في ميناء أوديسا.")
        assert (report.hits, report.alerts) == (2, 1)
        told = message(desk)
        assert "Shahed drones · The port" in told
        assert "The port: raised by a later report in b, 1 March, 12:04." in told
        assert "First told" not in told
        assert desk.deliver() == 1  # an edit: nobody is notified twice
        assert desk.rows("select count(*) from messages") == [(1,)]


def test_the_number_of_outlets_is_told_from_the_third_on(store_url: str) -> None:
    with desks(store_url) as (desk,):
        desk.take("a", "إسقاط عشرين طائرة شاهد فوق كييف", STRIKE)
        desk.take("b", "إسقاط عشرين طائرة شاهد", STRIKE)
        assert message(desk).endswith("Also in: b")
        desk.take("c", "إسقاط عشرين طائرة شاهد ليلا", STRIKE)
        assert message(desk).endswith("Also in: b, c (3 outlets)")


LANDSLIDE = (
    "قالت فرق الإنقاذ إن انهيارا أرضيا ضرب قرية جبلية بعد أمطار غزيرة استمرت يومين ودمر عشرات المنازل وقطع الطريق "
    "الوحيد المؤدي إليها فيما تواصل الجرافات رفع الركام بحثا عن ناجين وسط أحوال جوية صعبة تعيق وصول المروحيات"
)
SLIDE = Rule("slide", "انهيارات", "Landslides")


def test_a_toll_that_rises_is_shown_in_the_message_whoever_tells_it(store_url: str) -> None:
    with desks(store_url, rules=[(SLIDE, "انهيار")]) as (desk,):
        desk.take("a", "انهيار أرضي يقتل 4 في قرية جبلية", LANDSLIDE, page="news/5123401")
        desk.deliver()
        desk.take("b", "انهيار أرضي يقتل 7 في قرية جبلية", LANDSLIDE)
        desk.at += 5
        desk.take("a", "انهيار أرضي يقتل 9 في قرية جبلية", LANDSLIDE, page="news/5123401", guid="again")
        told = message(desk).splitlines()
        assert "The number changed: 4 → 7 (b, 1 March, 12:04)" in told
        assert "The number changed: 4 → 9 (a, 1 March, 12:10)" in told
        assert desk.rows("select count(*) from alerts") == [(1,)]
        assert desk.deliver() == 1


def test_a_denial_is_a_story_of_its_own_and_both_messages_name_the_other(store_url: str) -> None:
    with desks(store_url, rules=[(SLIDE, "انهيار")]) as (desk,):
        desk.take("a", "انهيار أرضي يقتل سبعة أشخاص في قرية جبلية شمال البلاد", LANDSLIDE)
        desk.deliver()
        report = desk.take("b", "البلدية تنفي انهيار أرضي يقتل سبعة أشخاص في قرية جبلية شمال البلاد", LANDSLIDE)
        assert report.alerts == 1
        assert desk.rows("select story_id, denies from articles order by id") == [(1, None), (2, 1)]
        assert "Denied or corrected later by b, 1 March, 12:04: " in message(desk, 1)
        assert "Denies or corrects a report of a, 1 March, 12:01: " in message(desk, 2)
        assert desk.deliver() == 2  # the second message, and an edit of the first


def test_a_denial_that_an_analyst_merged_with_what_it_denies_is_told_as_part_of_it(store_url: str) -> None:
    with desks(store_url, rules=[(SLIDE, "انهيار")]) as (desk,):
        desk.take("a", "انهيار أرضي يقتل سبعة أشخاص في قرية جبلية شمال البلاد", LANDSLIDE)
        desk.take("b", "البلدية تنفي انهيار أرضي يقتل سبعة أشخاص في قرية جبلية شمال البلاد", LANDSLIDE)
        desk.merge(1, 2)
        assert "enied" not in message(desk) and "enies" not in message(desk)
        assert message(desk).endswith("Also in: b")
        record = desk.flow.store.story_record(1)
        assert record is not None and record.denied_by == ()


ASKING = replace(SLIDE, developments=True)


def codes(desk: Desk) -> list[tuple[object, ...]]:
    return desk.rows("select code, detail from hits order by id")


def test_a_rule_that_asks_is_alerted_again_by_a_number_that_changed_and_never_twice_by_the_same(store_url: str) -> None:
    with desks(store_url, rules=[(ASKING, "انهيار"), (replace(PORT, developments=True), "قرية")]) as (desk,):
        desk.take("a", "انهيار أرضي يقتل 4 في قرية جبلية", LANDSLIDE)
        desk.deliver()
        assert desk.take("b", "انهيار أرضي يقتل 7 في قرية جبلية", LANDSLIDE).alerts == 2
        assert desk.deliver() == 2  # an edit of the story's message, and one message for both rules
        for outlet, toll in (("c", "7"), ("d", "4"), ("e", "سبعة")):
            assert desk.take(outlet, f"انهيار أرضي يقتل {toll} في قرية جبلية", LANDSLIDE).alerts == 0
        assert desk.take("f", "انهيار أرضي يقتل 9 في قرية جبلية", LANDSLIDE).alerts == 2
        told = [str(code) for code, _ in desk.rows("select code, id from hits where rule_id = 'slide' order by id")]
        again, joined = "number_changed", "joined_story"
        assert told == ["new_story", again, joined, joined, joined, again]
        assert desk.rows("select kind from messages order by id") == [("story",), ("development",), ("development",)]
        lines = message(desk, 2).splitlines()
        assert lines[1] == "The number changed: 4 → 7"
        assert "يقتل 7" in lines[2]
        assert message(desk, 2, "ar").splitlines()[1] == "تغيّر العدد: 4 ← 7"
        assert [row.change for row in desk.flow.store.alerts(HitFilter(rule="slide")).items] == ["7 → 9", "4 → 7", ""]
        assert "The number changed" not in message(desk, 1).splitlines()[1]


def test_a_rule_that_does_not_ask_hears_of_a_number_in_the_edit_alone(store_url: str) -> None:
    with desks(store_url, rules=[(SLIDE, "انهيار")]) as (desk,):
        desk.take("a", "انهيار أرضي يقتل 4 في قرية جبلية", LANDSLIDE)
        assert desk.take("b", "انهيار أرضي يقتل 7 في قرية جبلية", LANDSLIDE).alerts == 0
        assert [code for code, _ in codes(desk)] == ["new_story", "joined_story"]


def test_what_a_rule_was_first_told_is_no_development(store_url: str) -> None:
    """Nor does it miss a number that was first given where it did not match."""
    with desks(store_url, rules=[(ASKING, "كارثة")]) as (desk,):
        desk.take("a", "انهيار أرضي يقتل 4 في قرية جبلية", LANDSLIDE)
        assert desk.take("b", "كارثة: انهيار أرضي يقتل 7 في قرية جبلية", LANDSLIDE).alerts == 1
        assert desk.take("c", "كارثة: انهيار أرضي يقتل 7 في قرية جبلية", LANDSLIDE).alerts == 0
        desk.take("d", "انهيار أرضي يقتل 9 في قرية جبلية", LANDSLIDE)
        assert desk.take("e", "كارثة: انهيار أرضي يقتل 9 في قرية جبلية", LANDSLIDE).alerts == 1
        assert codes(desk)[2] == ("number_changed", "7 → 9")


def test_a_number_that_changed_waits_for_the_cooldown_and_keeps_its_own_fate(store_url: str) -> None:
    with desks(store_url, rules=[(replace(ASKING, cooldown=timedelta(hours=1)), "انهيار")]) as (desk,):
        desk.take("a", "انهيار أرضي يقتل 4 في قرية جبلية", LANDSLIDE)
        desk.deliver()
        for outlet in "bc":
            desk.take(outlet, "انهيار أرضي يقتل 7 في قرية جبلية", LANDSLIDE)
        assert codes(desk)[1:] == [("number_waits", "4 → 7"), ("number_waits", "4 → 7")]
        assert release_held(desk.flow, NOW + timedelta(minutes=50)) == 0
        assert release_held(desk.flow, NOW + timedelta(minutes=62)) == 1
        assert codes(desk)[1:] == [("number_changed", "4 → 7"), ("joined_story", "")]
        fates = {row.hit.id: row.fate for row in desk.flow.store.hits(HitFilter()).items}
        assert fates == {1: "delivered", 2: "queued", 3: "grouped"}  # its message waits, that of the story is sent


def test_several_numbers_that_waited_come_in_one_digest(store_url: str) -> None:
    with desks(store_url, rules=[(replace(ASKING, cooldown=timedelta(hours=1)), "انهيار")]) as (desk,):
        for outlet, toll in zip("abc", (4, 7, 9), strict=True):
            desk.take(outlet, f"انهيار أرضي يقتل {toll} في قرية جبلية", LANDSLIDE)
        assert release_held(desk.flow, NOW + timedelta(minutes=62)) == 2
        assert desk.rows("select change, digest from alerts order by id")[1:] == [("4 → 7", True), ("7 → 9", True)]
        told = message(desk, 2).splitlines()
        assert told[0] == "🗂 Digest: 1 story"
        assert told[-2].endswith(" · 4 → 7 · 7 → 9")


def test_a_number_in_an_article_that_is_too_old_alerts_nobody(store_url: str) -> None:
    with desks(store_url, rules=[(replace(ASKING, max_age=timedelta(seconds=1)), "انهيار")]) as (desk,):
        desk.take("a", "انهيار أرضي يقتل 4 في قرية جبلية", LANDSLIDE)
        assert desk.take("b", "انهيار أرضي يقتل 7 في قرية جبلية", LANDSLIDE, late=timedelta(minutes=1)).alerts == 0
        assert [code for code, _ in codes(desk)] == ["new_story", "too_old"]


def test_alerts_of_numbers_go_with_their_articles_where_an_analyst_splits_and_merges(store_url: str) -> None:
    with desks(store_url, rules=[(ASKING, "انهيار")]) as (desk,):
        desk.take("a", "انهيار أرضي يقتل 4 في قرية جبلية", LANDSLIDE)
        desk.take("b", "انهيار أرضي يقتل 7 في قرية جبلية", LANDSLIDE)
        desk.deliver()
        assert desk.split(1, 2).alerts == 0  # it was told by a message of its own
        assert desk.rows("select story_id, change from alerts order by id") == [(1, ""), (2, "4 → 7")]
        assert desk.rows("select kind, story_id from messages order by id") == [("story", 1), ("development", 2)]
        desk.merge(1, 2)
        assert desk.rows("select story_id, change from alerts order by id") == [(1, ""), (1, "4 → 7")]
        assert desk.rows("select kind, story_id from messages order by id") == [("story", 1), ("development", 1)]

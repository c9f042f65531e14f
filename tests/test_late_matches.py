"""Any article of a story can alert a rule, also a later one, and the message tells how the story went on."""

from __future__ import annotations

from datetime import timedelta

from monitor.alerts.render import render
from monitor.model import Rule
from tests.desk import NOW, SHAHED, Desk, desks

STRIKE = (
    "أعلنت القوات الجوية الأوكرانية صباح اليوم أنها أسقطت عشرين طائرة أطلقتها روسيا خلال الليل على العاصمة كييف "
    "ومدينة أوديسا، وأضافت في بيان أن حطام الطائرات سقط على مبنى سكني من دون وقوع إصابات بين السكان."
)
PORT = Rule("port", "الميناء", "The port")


def message(desk: Desk, number: int = 1) -> str:
    view = desk.flow.store.message_rows(number).view()
    return render(view, desk.flow.rules, language="en", timezone="UTC", now=NOW + timedelta(minutes=desk.at)).text


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

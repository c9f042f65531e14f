"""An outlet publishes an article again under its address: a later version, never a second article or alert."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from monitor.model import Rule
from tests.desk import NOW, SHAHED, Desk, desks

TEXT = (
    "قالت فرق الإنقاذ إن انهيارا أرضيا ضرب قرية جبلية بعد أمطار غزيرة استمرت يومين ودمر عشرات المنازل وقطع الطريق "
    "الوحيد المؤدي إليها فيما تواصل الجرافات رفع الركام بحثا عن ناجين وسط أحوال جوية صعبة تعيق وصول المروحيات"
)
LANDSLIDE = Rule("landslide", "انهيارات", "Landslides")
HELICOPTER = Rule("dead", "قتلى", "Dead")


@pytest.fixture
def desk(store_url: str) -> Iterator[Desk]:
    with desks(store_url, rules=[(LANDSLIDE, "انهيار"), (HELICOPTER, "قتيلا"), (SHAHED, "شاهد")]) as (made,):
        yield made


def versions(desk: Desk) -> list[tuple[object, ...]]:
    return desk.rows("select article_id, title from revisions order by id")


def test_another_text_under_the_same_address_is_a_revision_and_alerts_nobody_again(desk: Desk) -> None:
    first = desk.take("a", "انهيار أرضي يقتل 4 في قرية جبلية", TEXT, page="news/5123401", guid="g-1")
    again = desk.take("a", "انهيار أرضي يقتل 7 في قرية جبلية", TEXT + " اليوم", page="news/5123401", guid="g-2")
    assert (first.new, first.alerts, again.new, again.revised, again.alerts) == (1, 1, 0, 1, 0)
    assert versions(desk) == [(1, "انهيار أرضي يقتل 7 في قرية جبلية")]
    assert desk.rows("select count(*) from articles") == [(1,)]


def test_a_new_headline_in_the_address_changes_nothing_as_long_as_the_number_stays(desk: Desk) -> None:
    desk.take("a", "انهيار أرضي في قرية جبلية", TEXT, page="news/5123401-انهيار-في-قرية")
    again = desk.take("a", "مقتل 9 تحت الأنقاض", TEXT, page="news/5123401-مقتل-9-تحت-الأنقاض")
    assert (again.new, again.revised) == (0, 1)


def test_the_same_text_in_a_second_feed_of_the_outlet_is_known(desk: Desk) -> None:
    desk.take("a", "انهيار أرضي في قرية جبلية", TEXT, page="news/5123401")
    again = desk.take("a", "انهيار أرضي في قرية جبلية", TEXT, page="news/5123401", feed="a-local")
    assert (again.new, again.revised, again.hits) == (0, 0, 0)
    assert desk.rows("select feed_id, article_id from other_keys") == [("a-local", 1)]


def test_what_came_under_another_key_is_known_by_it_from_then_on(desk: Desk) -> None:
    desk.take("a", "انهيار أرضي في قرية جبلية", TEXT, page="news/5123401", guid="g-1")
    desk.take("a", "انهيار أرضي يقتل 4 في قرية جبلية", TEXT, page="news/5123401", guid="g-2")
    desk.flow.index.expire(NOW + timedelta(days=30))  # even when the window has passed
    third = desk.take("a", "انهيار أرضي يقتل 9 في قرية جبلية", TEXT, page="news/5123401", guid="g-2")
    again = desk.take("a", "انهيار أرضي يقتل 4 في قرية جبلية", TEXT, page="news/5123401", guid="g-2")
    assert (third.new, third.revised, again.new, again.revised) == (0, 1, 0, 0)
    seen = [placed.article for placed in desk.flow.store.articles_since(NOW - timedelta(days=1))]
    assert desk.flow.store.unseen(seen) == []


def test_a_rule_that_only_the_later_version_matches_alerts_once(desk: Desk) -> None:
    desk.take("a", "انهيار أرضي في قرية جبلية", TEXT, page="news/5123401", guid="g-1")
    again = desk.take("a", "انهيار أرضي: 9 قتلى", TEXT + " وسقط قتيلا", page="news/5123401", guid="g-2")
    third = desk.take("a", "انهيار أرضي: 10 قتلى", TEXT + " وسقط قتيلا آخر", page="news/5123401", guid="g-3")
    assert (again.hits, again.alerts, third.hits, third.alerts) == (1, 1, 0, 0)
    assert desk.rows("select rule_id from alerts order by id") == [("landslide",), ("dead",)]


def test_another_outlet_under_the_same_address_is_an_article_of_its_own(desk: Desk) -> None:
    desk.take("a", "انهيار أرضي في قرية جبلية", TEXT, page="https://a.example/news/5123401", guid="g-1")
    again = desk.take("b", "انهيار أرضي في قرية جبلية", TEXT, page="https://a.example/news/5123401", guid="g-2")
    assert (again.new, again.revised) == (1, 0)


def test_unlike_texts_behind_one_live_page_are_two_articles(desk: Desk) -> None:
    desk.take("a", "انهيار أرضي في قرية جبلية", TEXT, page="live/coverage-today", guid="g-1")
    other = "شاهد المنتخب يصل إلى المطار وسط استقبال حاشد من الجماهير التي انتظرته ساعات طويلة منذ الفجر"
    again = desk.take("a", "المنتخب يصل إلى المطار", other, page="live/coverage-today", guid="g-2")
    assert (again.new, again.alerts) == (1, 1)


def test_a_removed_article_does_not_come_back_under_its_other_key(desk: Desk) -> None:
    desk.take("a", "انهيار أرضي في قرية جبلية", TEXT, page="news/5123401", guid="g-1")
    desk.take("a", "انهيار أرضي يقتل 4 في قرية جبلية", TEXT, page="news/5123401", guid="g-2")
    desk.deliver()
    later = NOW + timedelta(days=40)
    assert desk.flow.store.prune(later, timedelta(days=30)).articles == 1
    desk.flow.index.expire(later)
    assert desk.take("a", "انهيار أرضي يقتل 4", TEXT, page="news/5123401", guid="g-2").new == 0
    assert desk.rows("select count(*) from other_keys") == [(0,)]

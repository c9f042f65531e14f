"""Why two articles are one story or not, tolls that rise, and reports that are taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.model import Article
from monitor.stories.assign import assign
from monitor.stories.explain import explain
from monitor.stories.headline import change, takes_back
from monitor.stories.index import StoryIndex
from monitor.stories.signature import sign

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXT = (
    "انهار مبنى من ست طبقات في حي الشجاعية فجر اليوم وهرعت فرق الدفاع المدني إلى المكان لانتشال العالقين تحت الأنقاض "
    "وقال شهود إن تشققات ظهرت في الجدران قبل أيام وإن السكان أبلغوا البلدية مرات عدة من دون أن يحضر أحد لمعاينتها"
)


def make(title: str, body: str = "", *, hours: float = 0, outlet: str = "a", url: str = "") -> Article:
    when = NOW + timedelta(hours=hours)
    return Article(
        feed_id=outlet, outlet_id=outlet, key=f"{outlet}/{hours}/{title}", url=url, canonical_url=url, title=title,
        summary="", body=body, author="", tags=(), language="ar", published=when, first_seen=when,
        content_hash=f"{title}\n{body}",
    )  # fmt: skip


def test_two_that_are_one_story_are_explained_with_their_figures() -> None:
    one = make("12 قتيلا في انهيار مبنى بحي الشجاعية", TEXT)
    other = make("ارتفاع قتلى انهيار مبنى الشجاعية إلى 19", TEXT, hours=2, outlet="b")
    told = explain(other, one)  # whichever is named first
    assert (told.joins, told.how, told.against) == (True, "body", "")
    assert (told.text, told.lead, told.apart, told.keys) == (1.0, 1.0, 2.0, ())
    assert (told.reason, told.change) == ("the texts say the same", "12 → 19")


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        (
            make("الخارجية تؤكد مقتل مواطنين في تفجير مقديشو", TEXT),
            make("الخارجية تنفي مقتل مواطنين في تفجير مقديشو", TEXT, outlet="b"),
            "the texts say the same, but one says the opposite of the other: ",
        ),
        (make("انهيار مبنى", TEXT), make("انهيار مبنى", TEXT, hours=200), "they are further apart than the window"),
        (make("انهيار مبنى", TEXT), make("افتتاح معرض الكتاب", outlet="b"), "too little is alike"),
    ],
)  # fmt: skip
def test_two_that_are_not_one_story_are_told_why(one: Article, other: Article, reason: str) -> None:
    told = explain(one, other)
    assert not told.joins
    assert told.reason.startswith(reason)


def test_keys_that_two_share_are_named() -> None:
    page = "https://a.example/news/1046939"
    told = explain(make("انهيار مبنى", TEXT, url=page), make("انهيار مبنى سكني", TEXT, hours=1, url=page))
    assert (told.how, told.keys, told.reason) == ("url", ("url",), "the address is the same")


def test_a_denial_opens_a_story_and_names_the_one_it_denies() -> None:
    index = StoryIndex()
    said = make("الجيش يعلن سقوط طائرة استطلاع قرب الحدود الشرقية", TEXT)
    index.add(7, 3, sign(said), said.when)
    for title in (
        "الجيش ينفي سقوط طائرة استطلاع قرب الحدود الشرقية",
        "تصحيح: سقوط طائرة استطلاع قرب الحدود الشرقية",
        "الجيش يتراجع عن إعلان سقوط طائرة استطلاع قرب الحدود الشرقية",
    ):
        later = make(title, hours=1, outlet="b")
        placed = assign(later, sign(later), index, later.when)
        assert (placed.story_id, placed.how, placed.denies) == (None, "new", 3), title
    other = make("الجيش ينفي نقل قواته إلى الساحل الغربي", hours=1, outlet="b")
    assert assign(other, sign(other), index, other.when).denies is None


def test_a_toll_that_rises_is_told() -> None:
    assert change("ناقه سائبه تقتل 4 اشخاص", "ناقه سائبه تقتل وتصيب 7 من عائله واحده") == "4 → 7"
    assert change("مقتل خمسه جنود في هجوم", "مقتل 5 جنود في هجوم") == ""
    assert change("مقتل 5 جنود", "زلزال بقوه 6 درجات") == ""
    assert change("مقتل 4 واصابه 7 في انفجار", "مقتل 6 واصابه 7 في انفجار") == "4 → 6"


def test_taking_back_is_more_than_a_word() -> None:
    assert takes_back("الوزير يتراجع عن تصريحاته")
    assert not takes_back("الذهب يتراجع الي ادني مستوي")

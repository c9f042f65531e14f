"""Stories: the same event joins, contradictions and columns do not, and the index forgets what it should."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Article, Placement
from monitor.stories import headline
from monitor.stories.assign import assign
from monitor.stories.evidence import weigh
from monitor.stories.index import POSTINGS_READ, Postings, StoryIndex
from monitor.stories.signature import BODY_WORDS, sign, spelled, unpack

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WIRE = (
    "أعلنت وزارة النقل صباح اليوم افتتاح الجسر الجديد الذي يربط ضفتي النهر في شمال العاصمة بعد ثلاث سنوات من العمل "
    "المتواصل وقال الوزير خلال حفل حضره عدد من السفراء إن الجسر سيختصر زمن الرحلة بين الحيين إلى عشر دقائق وسيخفف "
    "الضغط عن الطريق الدائري القديم وأضاف أن تكلفة المشروع بلغت أربعين مليون دولار مولتها مصارف محلية ودولية"
)
TOLL = (
    "قالت فرق الإنقاذ إن انهيارا أرضيا ضرب قرية جبلية بعد أمطار غزيرة استمرت يومين ودمر عشرات المنازل وقطع الطريق "
    "الوحيد المؤدي إليها فيما تواصل الجرافات رفع الركام بحثا عن ناجين وسط أحوال جوية صعبة تعيق وصول المروحيات"
)


def make(title: str, body: str = "", outlet: str = "alpha", *, at: datetime = NOW, **more: str) -> Article:
    article = Article(
        feed_id=outlet, outlet_id=outlet, key=f"{outlet}:{title}:{len(body)}", url="", canonical_url="", title=title,
        summary="", body=body, author="", tags=(), language="ar", published=at, first_seen=at,
        content_hash=f"{title}|{body}",
    )  # fmt: skip
    return replace(article, **more)  # type: ignore[arg-type]


def place(second: Article, *before: Article, now: datetime = NOW) -> Placement:
    """Where `second` goes when each article of `before` has a story of its own (10, 20, …)."""
    index = StoryIndex(timedelta(days=7))
    for number, article in enumerate(before, 1):
        index.add(number, number * 10, sign(article), article.when)
    return assign(second, sign(second), index, now)


def test_the_first_article_opens_a_story() -> None:
    assert place(make("افتتاح الجسر الجديد شمال العاصمة", WIRE)) == Placement(None, "new")


def test_a_wire_copy_joins_under_another_headline() -> None:
    placed = place(
        make("الوزير: الرحلة إلى عشر دقائق فقط", WIRE + " بحسب الوكالة", "beta"), make("افتتاح جسر النهر", WIRE)
    )
    assert (placed.story_id, placed.how) == (10, "body")
    assert placed.similarity > 0.9
    assert "article 1" in placed.detail


def test_equal_text_joins_by_content_and_equal_address_by_url() -> None:
    one = make("افتتاح جسر النهر شمال العاصمة", WIRE)
    same = replace(make("افتتاح جسر النهر شمال العاصمة", WIRE, "beta"), content_hash=one.content_hash)
    assert place(same, one).how == "content"
    link = "https://alpha.example/news/17"
    edited = make("افتتاح جسر النهر أمام السيارات", "", "beta", canonical_url=link)
    assert place(edited, replace(one, canonical_url=link)).how == "url"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (
            "world/1046939-تمويل-من-تركيا",
            "world/1046939-التمويل-التركي",
            True,
        ),  # the headline in the address was edited
        ("arabic/world-44010254", "arabic/middleeast-44010254", True),  # moved to another section
        ("story/381775.html", "ar/story/381775", True),
        ("world/1046939-تمويل", "world/1046940-تمويل", False),
        ("ar/20180501-تمويل", "ar/20180501-التمويل", False),  # a date is no article's number
        ("world/wd-010518-finance", "world/wd-010518-funding", False),
        ("page?id=1046939", "page?id=1046939&edition=2", False),
    ],
)
def test_the_article_number_in_an_address_outlives_its_headline(one: str, other: str, same: bool) -> None:
    first = make("موسكو تكشف تفاصيل التمويل", "", canonical_url=f"https://alpha.example/{one}", key="k-1001")
    edited = make("موسكو تكشف مصدر التمويل", "", canonical_url=f"https://alpha.example/{other}", key="k-1002")
    assert (place(edited, first).how == "url") is same


def test_a_key_joins_within_its_outlet_and_not_in_another() -> None:
    one = make("افتتاح جسر النهر شمال العاصمة", key="tag:alpha,17")
    assert place(make("جسر النهر: افتتاح متأخر", key="tag:alpha,17"), one).how == "guid"
    assert place(make("جسر النهر: افتتاح متأخر", outlet="beta", key="tag:alpha,17"), one).story_id is None


def test_a_front_page_address_and_a_reused_key_join_nothing() -> None:
    home = "https://alpha.example/"
    one = make("افتتاح جسر النهر شمال العاصمة", WIRE, canonical_url=home, key="1001")
    other = make("المنتخب يفوز ببطولة القارة للناشئين", TOLL, canonical_url=home, key="1001")
    assert place(other, one).story_id is None
    page = "https://alpha.example/live"
    assert place(replace(other, canonical_url=page), replace(one, canonical_url=page)).story_id is None


def test_one_word_items_with_equal_content_do_not_join() -> None:
    flash = make("عاجل", content_hash="same")
    assert place(make("عاجل", outlet="beta", content_hash="same"), flash).story_id is None


def test_the_same_outlet_under_another_address_joins() -> None:
    one = make("افتتاح جسر النهر", WIRE, canonical_url="https://alpha.example/news/1", key="k-001")
    again = make("افتتاح جسر النهر رسميا", WIRE + " شاهد", canonical_url="https://alpha.example/news/2", key="k-2")
    assert place(again, one).story_id == 10


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("الخارجية تؤكد توقيع اتفاق الحدود مع الجيران", "الخارجية تنفي توقيع اتفاق الحدود مع الجيران"),
        ("البنك المركزي يرفع سعر الفائدة الرئيسي", "البنك المركزي يخفض سعر الفائدة الرئيسي"),
        ("الوزير: سنوقع اتفاق الحدود مع الجيران غدا", "الوزير: لن نوقع اتفاق الحدود مع الجيران غدا"),
        ("مقتل 5 جنود في هجوم على حاجز عسكري", "مقتل 9 جنود في هجوم على حاجز عسكري"),
        ("زلزال قوي يضرب سواحل تشيلي صباح اليوم", "زلزال قوي يضرب سواحل اليابان صباح اليوم"),
        ("محكمة الاستئناف تدين الوزير السابق في قضية الجسر", "محكمة الاستئناف تبرئ الوزير السابق في قضية الجسر"),
        ("افتتاح معرض الكتاب في الرباط", "افتتاح معرض السيارات في الرباط"),
    ],
)
def test_headlines_that_contradict_each_other_stay_apart(one: str, other: str) -> None:
    assert place(make(other, outlet="beta"), make(one)).story_id is None
    assert place(make(one, outlet="beta"), make(other)).story_id is None


def test_denial_and_confirmation_stay_apart_even_with_nearly_equal_texts() -> None:
    confirmed = make("الخارجية تؤكد توقيع اتفاق الحدود", "أكدت الخارجية توقيع الاتفاق " + TOLL)
    denied = make("الخارجية تنفي توقيع اتفاق الحدود", "نفت الخارجية توقيع الاتفاق " + TOLL, "beta")
    placed = place(denied, confirmed)
    assert placed.story_id is None
    assert "opposite" in placed.detail


def test_a_new_toll_joins_when_the_text_is_nearly_the_same() -> None:
    placed = place(make("ارتفاع قتلى الانهيار إلى 19", TOLL, "beta"), make("12 قتيلا في انهيار أرضي", TOLL + " غدا"))
    assert placed.story_id == 10


def test_short_items_join_on_nearly_the_same_title_and_age_out() -> None:
    one = make("وفاة الروائي الكبير حسن كمال عن تسعين عاما")
    late = NOW + timedelta(days=3)
    again = "وفاة الروائي الكبير حسن كمال عن تسعين عاما بالقاهرة"
    assert place(make(again, outlet="beta"), one).how == "title"
    assert place(make(again, outlet="beta", at=late), one, now=late).story_id is None
    assert place(make("حسن كمال", outlet="beta"), make("حسن كمال")).story_id is None


def test_a_daily_column_does_not_become_one_story() -> None:
    yesterday = make("حالة الطقس المتوقعة في محافظات البلاد", at=NOW - timedelta(days=1), key="w-28")
    assert place(make("حالة الطقس المتوقعة في محافظات البلاد", key="w-01"), yesterday).story_id is None


def test_a_summary_meets_the_full_text_but_containment_alone_does_not_join() -> None:
    full = make("افتتاح الجسر الجديد شمال العاصمة", WIRE + " " + TOLL)
    short = make("افتتاح الجسر الجديد", " ".join(WIRE.split()[:30]), "beta")
    assert place(short, full).story_id == 10
    roundup = make("حصاد اليوم في سطور", TOLL[::-1] + " " + WIRE[::-1] + " " + " ".join(WIRE.split()[:30]), "beta")
    assert place(short, roundup).story_id is None


def test_spelling_diacritics_and_digits_do_not_hide_a_copy() -> None:
    vowelled = make("مُقتل ٥ جنودٍ في هجومٍ على حاجزٍ عسكريّ")
    assert place(vowelled, make("مقتل 5 جنود في هجوم على حاجز عسكري", outlet="beta")).story_id == 10
    assert place(vowelled, make("مقتل خمسة جنود في هجوم على حاجز عسكري", outlet="beta")).story_id == 10


def test_the_window_ends_and_removal_forgets() -> None:
    index = StoryIndex(timedelta(days=7))
    article = make("افتتاح جسر النهر", WIRE)
    index.add(41, 4, sign(article), article.when)
    again = make("افتتاح جسر النهر", WIRE + " اليوم", "beta")
    assert assign(again, sign(again), index, NOW).story_id == 4
    assert assign(again, sign(again), index, NOW + timedelta(days=8)).story_id is None
    assert index.last_id == 41
    assert index.remove([41, 99]) == 1
    assert assign(again, sign(again), index, NOW).story_id is None
    index.add(42, 4, sign(article), article.when)
    assert index.expire(NOW + timedelta(days=6)) == 0
    assert index.expire(NOW + timedelta(days=8)) == 1
    assert len(index) == 0


def test_a_revised_article_is_found_by_its_new_text_only() -> None:
    index = StoryIndex()
    old, new = make("افتتاح جسر النهر", WIRE), make("انهيار أرضي في قرية جبلية", TOLL)
    index.add(1, 10, sign(old), old.when)
    index.add(1, 10, sign(new), new.when)
    assert len(index) == 1
    assert assign(old, sign(old), index, NOW).story_id is None
    assert assign(new, sign(new), index, NOW).story_id == 10


def test_the_index_stays_right_through_thousands_of_removals() -> None:
    index = StoryIndex(timedelta(hours=10))
    letters = random.Random(7)
    titles = [" ".join("".join(letters.choices("ابتجدرسعفقلمنهوي", k=6)) for _ in range(6)) for _ in range(4000)]
    for number, title in enumerate(titles, 1):
        article = make(title, at=NOW + timedelta(minutes=number))
        index.expire(article.when)
        index.add(number, number, sign(article), article.when)
    assert 601 <= len(index) <= 661  # ten hours, and up to one more
    last = NOW + timedelta(minutes=4000)
    found = [assign(one := make(t, outlet="beta", at=last), sign(one), index, last).story_id for t in titles[-600:]]
    assert found == list(range(3401, 4001))
    gone = [assign(one := make(t, outlet="beta", at=last), sign(one), index, last).story_id for t in titles[:600]]
    assert set(gone) == {None}


def test_postings_give_the_newest_first_and_bound_a_crowded_key() -> None:
    postings = Postings()
    for slot in range(5000):
        postings.add([7], slot)
        postings.add([7 + 1024 * (slot + 1)], slot)
    found = postings.find(7)
    assert found[:3] == [4999, 4998, 4997]
    assert len(found) == POSTINGS_READ
    assert postings.count([7, 7 + 1024 * 5000]) == {4999: 2, **dict.fromkeys(found[1:], 1)}
    postings.keep({4999: 0})
    assert postings.find(7) == [0]
    assert len(postings) == 2


def test_a_signature_is_small_and_the_same_every_time() -> None:
    article = make("افتتاح جسر النهر", " ".join([WIRE, TOLL] * 30))
    signature = sign(article)
    assert signature == sign(article)
    assert len(signature.shingles) <= 4 * 480
    assert len(set(unpack(signature.shingles))) == len(unpack(signature.shingles))
    assert not sign(make("عنوان", " ".join(["كلمة"] * (BODY_WORDS - 1)))).shingles


def test_numbers_in_words_and_digits_are_the_same_number() -> None:
    assert headline.number("خمسه") == headline.number("5") == headline.number("و5") == 5
    assert headline.number("جسر") is None
    titles = ("ثلاثة آلاف لاجئ", "خمسة وعشرون لاجئا", "6.5 مليار ريال", "مقتل 4 وإصابة 7 آخرين", "الدفعة الثالثة")
    assert [[count.value for count in headline.counts(" ".join(spelled(title)))] for title in titles] == [
        [3000], [25], [6.5e9], [4, 7], [],
    ]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.text(max_size=300), st.text(max_size=80), st.text(max_size=40))
def test_no_text_of_any_kind_makes_placing_fail(title: str, body: str, other: str, url: str) -> None:
    one, two = make(title, body, canonical_url=url, key=url), make(other, body[::-1], "beta", canonical_url=url)
    placed = place(two, one)
    assert placed.story_id in {None, 10}
    assert 0 <= placed.similarity <= 1
    assert (placed.story_id is None) == (placed.how == "new")
    forth, back = weigh(sign(one), sign(two)), weigh(sign(two), sign(one))
    assert forth.body == back.body

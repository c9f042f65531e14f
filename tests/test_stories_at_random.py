"""Placing at random: copies in any order, the same question twice, a restart in the middle."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Article
from monitor.stories.assign import assign
from monitor.stories.index import StoryIndex
from monitor.stories.signature import sign

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SUBJECTS = ("وزارة النقل", "شركة النفط", "بلدية صور", "جامعة عدن", "نقابة الأطباء")
DEEDS = ("افتتحت الجسر الجديد", "أعلنت نتائج الامتحان", "أقالت المدير العام", "نفت خبر الإضراب", "رفعت الأسعار")
TAILS = (
    "وذكر البيان أن القرار اتخذ بعد مشاورات استمرت أياما وأن التنفيذ يبدأ مطلع الشهر القادم في جميع الفروع",
    "وقال مسؤول طلب عدم ذكر اسمه إن الخطوة كانت منتظرة منذ فترة طويلة وإن آثارها ستظهر تباعا خلال الصيف",
    "وشكك معارضون في جدوى ما أعلن ودعوا إلى نشر الوثائق كاملة أمام الرأي العام قبل نهاية الأسبوع الحالي",
)
wordings = st.tuples(
    st.sampled_from(SUBJECTS), st.sampled_from(DEEDS), st.lists(st.sampled_from(TAILS), min_size=1, max_size=3),
    st.sampled_from("abcde"), st.integers(0, 59),
)  # fmt: skip


def article(number: int, wording: tuple[str, str, list[str], str, int]) -> Article:
    subject, deed, tails, outlet, seconds = wording
    title, when = f"{subject} {deed}", NOW + timedelta(seconds=seconds)
    return Article(
        feed_id=outlet, outlet_id=outlet, key=f"key-{number}", url="", canonical_url="", title=title, summary="",
        body=f"{title} {' '.join(tails)}", author="", tags=(), language="ar", published=when, first_seen=when,
        content_hash=f"{title}|{'|'.join(tails)}",
    )  # fmt: skip


class Placing:
    """An index and the stories it gave, by the articles' keys."""

    def __init__(self) -> None:
        self.index = StoryIndex()
        self.stories: dict[str, int] = {}
        self.articles: dict[str, Article] = {}

    def place(self, one: Article) -> None:
        signature = sign(one)
        placed = assign(one, signature, self.index, NOW + timedelta(minutes=1))
        assert placed == assign(one, signature, self.index, NOW + timedelta(minutes=1))  # asking changes nothing
        number = len(self.stories) + 1
        self.stories[one.key], self.articles[one.key] = placed.story_id or number, one
        self.index.add(number, self.stories[one.key], signature, one.when)

    def restarted(self) -> Placing:
        """The same from the store: an index filled with what is known, in the order of ids."""
        again = Placing()
        for number, (key, story) in enumerate(self.stories.items(), 1):
            one = self.articles[key]
            again.index.add(number, story, sign(one), one.when)
        again.stories, again.articles = dict(self.stories), dict(self.articles)
        return again


@settings(max_examples=40, deadline=None)
@given(st.lists(wordings, min_size=2, max_size=12), st.integers(0, 12))
def test_a_restart_in_the_middle_gives_the_same_stories(
    told: list[tuple[str, str, list[str], str, int]], at: int
) -> None:
    through, stopped = Placing(), Placing()
    for number, wording in enumerate(told):
        if number == at:
            stopped = stopped.restarted()
        through.place(article(number, wording))
        stopped.place(article(number, wording))
    assert through.stories == stopped.stories


@settings(max_examples=40, deadline=None)
@given(wordings, st.integers(2, 6), st.permutations(range(6)))
def test_exact_copies_within_a_minute_are_one_story_in_whatever_order_they_come(
    wording: tuple[str, str, list[str], str, int], copies: int, order: list[int]
) -> None:
    first = article(0, wording)
    all_of = [
        replace(first, key=f"key-{n}", outlet_id="abcdef"[n], published=NOW + timedelta(seconds=9 * n))
        for n in range(copies)
    ]
    placing = Placing()
    for number in order:
        if number < copies:
            placing.place(all_of[number])
    assert len(set(placing.stories.values())) == 1

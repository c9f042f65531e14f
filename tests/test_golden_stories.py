"""The golden pairs of tests/stories: two headlines a line that report one event, or must not end in one story."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import yaml

from monitor.model import Article
from monitor.stories.assign import assign
from monitor.stories.index import StoryIndex
from monitor.stories.signature import sign

FOLDER = Path(__file__).parent / "stories"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHARED = (
    "ونقلت الوكالة عن مصادر مطلعة أن الاجتماع الذي عقد بعيدا عن الإعلام استمر ساعات عدة وأن الحاضرين اتفقوا على متابعة "
    "الملف في لقاء لاحق من دون أن يحددوا موعده بينما واصلت الجهات المعنية جمع المعلومات تمهيدا لنشر بيان مفصل يوضح "
    "ملابسات ما جرى ويرد على الأسئلة التي طرحها الصحفيون منذ الصباح حول الخطوات المقبلة"
)
ENDS = (
    "وقال مراقبون إن الأيام القادمة ستكشف مزيدا من الجوانب التي لم تتضح وإن الجميع ينتظر موقفا رسميا نهائيا",
    "وتوافد كثير من المواطنين للسؤال عما حدث وتناقلت منصات التواصل صورا لم يتسن التحقق من صحتها بعد",
)


TEXTS = ("none", "alike", "copy", "daily", "silent")


class Pair(NamedTuple):
    """One line: where it stands, whether it is one event, and what the two articles are."""

    place: str
    same: bool
    one: str
    two: str
    text: str
    hours: int
    outlet: str


def pairs() -> Iterator[Pair]:
    for path in sorted(FOLDER.glob("*.yaml")):
        for section, rows in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            assert section in {"same", "different"}, f"{path.name}: a section is called same or different"
            for number, row in enumerate(rows, 1):
                place = f"{path.name}, {section} {number}"
                assert set(row) - {"hours", "outlet"} == {"one", "two", "text"}, f"{place}: needs one, two and text"
                assert row["text"] in TEXTS, f"{place}: text is one of {TEXTS}"
                yield Pair(
                    place, section == "same", row["one"], row["two"], row["text"], row.get("hours", 1),
                    row.get("outlet", "another"),
                )  # fmt: skip


def article(pair: Pair, number: int) -> Article:
    """The first or second article of a pair. Its text begins with what happened, which is one thing in one event."""
    title = (pair.one, pair.two)[number]
    head = "" if pair.text == "silent" else f"{pair.one if pair.same else title}. "
    body = "" if pair.text == "none" else head + SHARED
    if pair.text == "alike":
        body += f" {ENDS[number]}"
    if pair.text == "daily":  # the same with other figures, one after every ninth word
        body = re.sub(r"((?:\S+ ){9})", lambda found: f"{found[1]}{found.start() + 7 * number} ", body)
    outlet = "a" if pair.outlet == "same" or not number else "b"
    when = NOW + timedelta(hours=pair.hours * number)
    return Article(
        feed_id=outlet, outlet_id=outlet, key=f"{number}:{pair.place}", url="", canonical_url="", title=title,
        summary="", body=body, author="", tags=(), language="ar", published=when, first_seen=when,
        content_hash=f"{title}\n{body}",
    )  # fmt: skip


def test_every_golden_pair_is_placed_as_it_says_whichever_comes_first() -> None:
    wrong, count = [], 0
    for pair in pairs():
        count += 1
        for swapped in (pair, pair._replace(one=pair.two, two=pair.one)):
            first, second = article(swapped, 0), article(swapped, 1)
            index = StoryIndex()
            index.add(1, 1, sign(first), first.when)
            placed = assign(second, sign(second), index, second.when)
            if (placed.story_id == 1) is not pair.same:
                wrong.append(f"{pair.place}: {swapped.one} / {swapped.two}: {placed.how}, {placed.detail}")
    assert not wrong, "\n".join(dict.fromkeys(wrong))
    assert count >= 150

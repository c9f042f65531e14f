"""The page docs/database.md tells the truth: every table and column is on it, and its queries answer as they should."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from monitor.model import Feed, Outlet, Rule
from monitor.store.store import Store
from tests.desk import NOW, SHAHED, Desk, desks

PAGE = (Path(__file__).parents[1] / "docs" / "database.md").read_text(encoding="utf-8")
PORT = Rule("port", "الميناء", "The port", min_outlets=3)
STRIKE = (
    "أعلنت القوات الجوية الأوكرانية صباح اليوم أنها أسقطت عشرين طائرة من طراز شاهد أطلقتها روسيا خلال الليل على "
    "العاصمة كييف ومدينة أوديسا، وأضافت في بيان أن حطام الطائرات سقط على رصيف في ميناء المدينة من دون إصابات."
)
FLOOD = (
    "غمرت مياه الأمطار شوارع المدينة القديمة وتعطلت حركة السير ساعات طويلة فيما دعت البلدية السكان إلى البقاء في "
    "منازلهم حتى تنتهي فرقها من سحب المياه وفتح الطرق الرئيسية أمام سيارات الإسعاف"
)
HIDDEN = {"alembic_version", "article_search"}  # Alembic's own; the inside of SQLite's search index


def documented() -> dict[str, list[str]]:
    """The columns of each table, as the page lists them."""
    found: dict[str, list[str]] = {}
    for section in re.split(r"^### ", PAGE.partition("## Ten queries")[0], flags=re.MULTILINE)[1:]:
        name, _, rest = section.partition("\n")
        lines = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", rest, flags=re.MULTILINE)
        found[name.strip()] = [column for line in lines for column in re.findall(r"`(\w+)`", line)]
    return found


def queries() -> dict[str, str]:
    """The page's queries by their headings."""
    sections = re.split(r"^### ", PAGE.partition("## Ten queries")[2], flags=re.MULTILINE)[1:]
    return {one.partition("\n")[0]: one.partition("```sql\n")[2].partition("```")[0] for one in sections}


@pytest.fixture
def desk(store_url: str) -> Iterator[Desk]:
    """Two stories: a strike in three outlets, revised once, and a flood in two."""
    with desks(store_url, rules=[(SHAHED, "شاهد"), (PORT, "ميناء")]) as (made,):
        outlets = [Outlet(name, f"وسيلة {name}", name, "LB", "ar") for name in "abcd"]
        made.flow.store.sync_feeds([Feed(one.id, f"https://{one.id}.example/rss", one) for one in outlets], NOW)
        made.take("b", "إسقاط عشرين طائرة شاهد", STRIKE, page="news/5123401")
        made.take("a", "إسقاط عشرين طائرة شاهد فوق كييف", STRIKE)
        made.deliver()
        made.take("b", "إسقاط ثلاثين طائرة شاهد", STRIKE, page="news/5123401", guid="again")
        made.take("a", "الأمطار تغمر المدينة القديمة", FLOOD)
        made.take("b", "شوارع المدينة القديمة تغرق", FLOOD)
        yield made


def test_every_table_and_column_is_on_the_page(store_url: str) -> None:
    Store.open(store_url, owner="page").close()
    engine = sa.create_engine(store_url, poolclass=sa.NullPool)
    there = sa.inspect(engine)
    tables = {name for name in there.get_table_names() if not name.startswith("article_search_")} - HIDDEN
    columns = {name: sorted(column["name"] for column in there.get_columns(name)) for name in tables}
    if engine.dialect.name == "postgresql":
        columns["article_words"].remove("tsv")  # named in the sentence above its table
    engine.dispose()
    assert {name: sorted(found) for name, found in documented().items()} == columns


def test_there_are_ten_queries() -> None:
    assert len(queries()) == 10


ANSWERS: dict[str, list[tuple[object, ...]]] = {
    "The stories that most outlets carried": [
        (1, 2, 2, "إسقاط عشرين طائرة شاهد"), (2, 2, 2, "الأمطار تغمر المدينة القديمة"),
    ],
    "Who is first": [("a", 1), ("b", 1)],
    "A story from its first report to its last": [
        ("12:01", "وسيلة b", "new", "إسقاط عشرين طائرة شاهد"),
        ("12:02", "وسيلة a", "body", "إسقاط عشرين طائرة شاهد فوق كييف"),
    ],
    "Hits of each rule by day": [("2026-03-01", "port", 2), ("2026-03-01", "shahed", 2)],
    "Why hits were not sent": [("port", "too_few_outlets", 2)],
    "Headlines that were changed after publication": [
        ("b", "12:05", "إسقاط عشرين طائرة شاهد", "إسقاط ثلاثين طائرة شاهد"),
    ],
    "Outlets that carry the same stories": [("a", "b", 2)],
    "Rules that hit the same articles": [("port", "shahed", 2)],
    "Feeds that are silent": [
        ("c", 0, None, None), ("d", 0, None, None), ("a", 0, None, "12:06"), ("b", 0, None, "12:07"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("heading", queries())
def test_a_query_of_the_page_answers_the_same_on_both_databases(desk: Desk, heading: str) -> None:
    if heading == "What waits or was given up":
        desk.at += 1
        desk.take("c", "إسقاط عشرين طائرة شاهد ليلا", STRIKE)
        expected: list[tuple[object, ...]] = [("main", "edit", "pending", "", 1)]
    else:
        expected = ANSWERS[heading]
    assert [tuple(map(clock, row)) for row in desk.rows(queries()[heading])] == expected


def clock(value: object) -> object:
    """A moment as the time of day, whatever the database gives it as."""
    if isinstance(value, datetime):
        return f"{value:%H:%M}"
    if isinstance(value, str) and (found := re.fullmatch(r"2026-03-01 (\d\d:\d\d):.*", value)):
        return found[1]
    return value

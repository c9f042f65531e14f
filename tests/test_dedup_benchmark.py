"""benchmarks/dedup.py: what its texts are made of, and that it measures any file of articles."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks import story_data
from benchmarks.dedup_texts import Texts
from monitor.stories.headline import content
from monitor.stories.signature import spelled

ROOT = Path(__file__).parents[1]
WHO = ("وزارة الصحة", "بلدية صور", "جامعة عدن", "شركة النفط", "نقابة الأطباء", "هيئة الموانئ")
DID = ("تفتتح مركزا جديدا في", "تنشر تقريرها السنوي عن", "تستقبل وفدا زائرا من", "تطلق حملة واسعة في")
WHERE = ("المحافظات الجنوبية", "القرى الساحلية", "الأحياء القديمة", "المناطق الجبلية")
WORDS = (
    "وقال المدير في مؤتمر صحفي إن العمل استمر أشهرا وإن الفرق وصلت إلى أماكن بعيدة لم تكن الخدمة متاحة فيها من قبل "
    "وأضاف أن المرحلة التالية تبدأ مطلع العام بتمويل من مصرف التنمية وبمشاركة متطوعين من الجمعيات المحلية وطلاب "
    "المدارس وأن النتائج ستعلن في تقرير مفصل ينشر للعموم بعد مراجعته من لجنة مستقلة من الخبراء"
)


def rows() -> Iterator[dict[str, Any]]:
    for number, (who, did, where) in enumerate(product(WHO, DID, WHERE)):
        source, year = ("old", 2015) if number % 4 else ("young", 2024)
        title = f"{who} {did} {where}"
        yield {
            "id": f"{source}:{number}", "outlet": source, "title": title, "body": f"{title} {WORDS}",
            "date": f"{year}-01-01T{number % 24:02}:00:00",
        }  # fmt: skip


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    path = tmp_path / "articles.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows()), encoding="utf-8")
    return path


def test_texts_are_real_then_perturbed_and_a_rewrite_says_the_same(articles: Path) -> None:
    texts = Texts(story_data.articles(articles)[0])
    assert (len(texts.titles), len(texts.fresh_titles)) == (72, 24)
    assert not set(texts.titles) & set(texts.fresh_titles)
    many = list(texts.recent("titles", 200))
    assert many == list(texts.recent("titles", 200))
    assert many[:72] == texts.titles
    assert all(
        len(set(made.split()) - set(real.split())) <= 3 for made, real in zip(many[72:], texts.titles * 2, strict=False)
    )
    changed = 0
    for number, title in enumerate(texts.titles):
        rewrite = texts.rewrite("titles", title, Random(number))
        changed += rewrite != title
        said, again = ({*content(" ".join(spelled(one)))} for one in (title, rewrite))
        assert said <= again | {"عاجل"}
    assert changed > 60  # a title may have no hamza and no small word to lose


def test_any_file_of_articles_is_measured(articles: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks.dedup",
        "--articles",
        str(articles),
        "--sizes",
        "150",
        "--no-rivals",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    found = json.loads(done.stdout)
    assert set(found) == {"sketch", "titles", "bodies", "floods"}
    assert found["titles"]["150"]["recall"] > 0.9 and found["bodies"]["150"]["fresh_joined"] <= 1
    assert set(found["floods"]) == {"one title", "one word", "no title"}

"""benchmarks/stories.py on files it has never seen: other ids, missing dates and texts, no labels."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
REPORT = (
    "أعلنت وزارة الصحة صباح اليوم انتهاء حملة التلقيح في المحافظات الجنوبية بعد ثلاثة أسابيع من العمل المتواصل وقالت "
    "إن الفرق الجوالة وصلت إلى القرى البعيدة كلها وإن نسبة التغطية فاقت ما كان متوقعا عند انطلاقها"
)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.stories", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def test_files_never_seen_are_measured_and_what_cannot_be_known_is_null(tmp_path: Path) -> None:
    rows = [
        {"id": "x1", "outlet": "a", "title": "انتهاء حملة التلقيح", "body": REPORT, "date": "2025-01-01T10:00:00"},
        {"id": "x2", "outlet": "b", "title": "حملة تنتهي", "body": f"{REPORT} اليوم", "date": "2025-01-01T11:00+03:00"},
        {"id": "x3", "outlet": "b", "title": "افتتاح المعرض السنوي للكتاب"},
        {"id": "x4", "outlet": "c", "title": "بلا تاريخ", "body": REPORT},
    ]
    articles = lines(tmp_path / "articles.jsonl", rows)
    pairs = lines(tmp_path / "pairs.jsonl", [{"a": "x1", "b": "x2", "jaccard4": 0.93}])
    stance = tmp_path / "stance.csv"
    stance.write_text(
        "s1,s2,stance\nالجيش ينفي قصف المدينة القديمة,الجيش يؤكد قصف المدينة القديمة,disagree\n", encoding="utf-8"
    )
    done = run("--articles", articles, "--pairs", pairs, "--stance", stance, "--json", "--no-rivals")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["articles"], found["left_out_without_dates"]) == (3, 1)
    assert (found["recall_high"], found["precision"], found["b_cubed_f1"], found["largest_story"]) == (1, 1, 1, 2)
    assert found["recall_mid"] is found["templates_merged"] is found["templates_split"] is None
    assert found["disagree_merged"] == found["replayed_joined"] == 0
    assert set(found["words_50"]) >= {
        "recall_high",
        "recall_mid",
        "precision",
        "largest_story",
        "contradictions_merged",
    }


def test_a_file_that_cannot_be_read_is_named_with_its_line(tmp_path: Path) -> None:
    done = run("--articles", tmp_path / "nowhere.jsonl")
    assert (done.returncode, "nowhere.jsonl is not there" in done.stderr) == (2, True)
    broken = lines(tmp_path / "broken.jsonl", [{"id": "x1", "date": "2025-01-01"}, {"title": "بلا معرف"}])
    done = run("--articles", broken)
    assert (done.returncode, "broken.jsonl:2: no id" in done.stderr) == (2, True)

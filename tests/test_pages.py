"""Pages of Arabic news sites: the article, and nothing of what stands around it."""

import json
import re
import tarfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.errors import ParseError
from monitor.pages.extract import clean_text, extract

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
URL = "https://sahel.example/n/1"
PARAGRAPHS = (
    "أعلنت هيئة الموانئ صباح اليوم افتتاح الرصيف الجديد في مرفأ اللاذقية بعد أعمال استمرت عامين كاملين.",
    "وقال مدير الهيئة إن الرصيف سيستقبل السفن الكبيرة ابتداء من الأسبوع المقبل، وإن العمل سيجري على مدار الساعة.",
    "وأشار تجار في المدينة إلى أن كلفة الشحن قد تنخفض بنسبة عشرة في المئة قبل نهاية العام الجاري.",
)
FURNITURE = ("اقرأ المزيد", "المزيد من الأخبار", "شارك المقال", "الأكثر قراءة", "اقرأ أيضاً: طائرة شاهد تسقط في البحر")


def page(middle: str = "", end: str = "", head: str = "") -> str:
    first, second, third = (f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
    return (
        '<!doctype html><html lang="ar" dir="rtl"><head><meta charset="utf-8"><title>افتتاح رصيف جديد</title>'
        f"{head}</head><body><nav><a href='/'>الرئيسية</a> <a href='/w'>العالم</a></nav><main><article>"
        f"<h1>افتتاح رصيف جديد</h1>{first}{middle}{second}{third}{end}</article></main>"
        "<footer>جميع الحقوق محفوظة</footer></body></html>"
    )


def test_the_body_is_the_articles_paragraphs_one_a_line() -> None:
    found = extract(page().encode(), url=URL)
    assert found.text.split("\n") == list(PARAGRAPHS)
    assert found.title == "افتتاح رصيف جديد"


@pytest.mark.parametrize("line", FURNITURE)
def test_furniture_in_the_middle_or_at_the_end_is_left_out(line: str) -> None:
    for html in (page(middle=f"<p>{line}</p>"), page(end=f"<p>{line}</p>")):
        assert extract(html, url=URL).text.split("\n") == list(PARAGRAPHS)


def test_plain_text_is_cleaned_too_and_sentences_that_only_begin_alike_stay() -> None:
    kept = "المزيد من الأخبار السارة وصلت إلى سكان القرية بعد عودة الكهرباء."
    assert clean_text(f"{kept}\n\nاقرأ المزيد\n  شاهد عيان: رأيت السفينة تغرق أمامي  ") == (
        f"{kept}\nشاهد عيان: رأيت السفينة تغرق أمامي"
    )
    assert clean_text("Sorry, you need to enable JavaScript to visit this website.") == ""


@pytest.mark.parametrize("charset", [None, "utf-8", "iso-8859-1", "windows-1256"])
def test_windows_1256_pages_are_read_whatever_is_claimed(charset: str | None) -> None:
    found = extract(page().replace("utf-8", "windows-1256").encode("cp1256"), url=URL, charset=charset)
    assert found.text.split("\n") == list(PARAGRAPHS)


def test_the_day_of_publication_is_read() -> None:
    head = '<meta property="article:published_time" content="2026-03-02T08:00:00+03:00">'
    published = extract(page(head=head), url=URL).published
    assert published is not None
    assert published.astimezone(UTC).date() == datetime(2026, 3, 2).date()


@pytest.mark.parametrize("html", [b"", b"   ", b"no markup", b"\x00" * 100])
def test_what_is_no_page_is_said_in_words(html: bytes) -> None:
    with pytest.raises(ParseError):
        extract(html, url=URL)


def test_a_page_without_an_article_gives_no_text() -> None:
    assert extract("<html><body><video src='x'></video></body></html>", url=URL).text == ""


def test_a_real_pages_text_loses_its_furniture_and_keeps_its_sentences() -> None:
    file = DATA / "independent_arabia_page_text.txt"
    if not file.exists():
        pytest.skip("the collected page text is not here")
    text = clean_text(file.read_text(encoding="utf-8"))
    for furniture in ("اقرأ المزيد", "المزيد من الأخبار", "JavaScript", "المقلات", "Related Nodes"):
        assert furniture not in text
    for sentence in ('طائرات "شاهد" المسيرة', "ناغورنو قره باغ", "جنوب القوقاز", "قالت وزارة الخارجية الروسية"):
        assert sentence in text


def shared_words(found: str, gold: str) -> tuple[float, float]:
    """Precision and recall of words, with repeats."""
    ours, theirs = Counter(re.findall(r"\w+", found)), Counter(re.findall(r"\w+", gold))
    both = (ours & theirs).total()
    return both / max(ours.total(), 1), both / max(theirs.total(), 1)


def test_gold_pages_are_read_nearly_as_people_read_them(capsys: pytest.CaptureFixture[str]) -> None:
    file = DATA / "article_pages.tar.xz"
    if not file.exists():
        pytest.skip("the collected pages with gold text are not here")
    scores: dict[str, float] = {}
    with tarfile.open(file) as archive:
        files = {member.name: archive.extractfile(member) for member in archive if member.isfile()}
        bodies = {name: content.read() for name, content in files.items() if content}
    for name, body in bodies.items():
        if name.endswith(".gold.json"):
            gold = json.loads(body)
            lead, words = str(gold.get("lead", "")), str(gold.get("body", ""))  # others give a few sentences only
            words = words if lead.strip() in words else f"{lead}\n{words}"
            html = bodies[name.removesuffix(".gold.json") + ".html"]
            if words.strip():
                precision, recall = shared_words(extract(html, url=str(gold.get("url") or URL)).text, words)
                scores[name] = 2 * precision * recall / ((precision + recall) or 1)
    assert scores
    mean = sum(scores.values()) / len(scores)
    with capsys.disabled():
        print(f"\npages with gold text: {len(scores)}, mean F1 {mean:.3f}, worst {min(scores.values()):.3f}")
    assert mean >= 0.9

"""HTML of an article's page → its body text. Runs in a parse worker only: pages are hostile and trafilatura is large.

trafilatura is imported when first needed, so that a worker that reads feeds alone stays small.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from monitor.errors import ParseError
from monitor.model import Page

__all__ = ["Page", "clean_text", "extract"]

MAX_HTML = 5 * 1024 * 1024
MAX_TEXT = 200_000
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_MARKS = re.compile(r"[\u064b-\u065f\u0670\u0640\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_ARABIC = re.compile(r"[\u0621-\u064a]")
_BLANKS = re.compile(r"[ \t\r\f\v\xa0\u2000-\u200a\u202f\u3000]+")
# A line that is nothing but this is furniture, wherever it stands. Compared without vowel marks and end punctuation.
_WHOLE_LINES = re.compile(
    r"(?:(?:اقرأ|إقرأ|أقرأ|اقرا|شاهد|تابع|استمع|طالع)(?: أيضا| ايضا| المزيد| كذلك| أكثر| التفاصيل)+(?: على .{1,40})?"
    r"|المزيد(?: من الأخبار| من| حول(?: هذا الموضوع)?| عن هذا الموضوع)?|للمزيد|مزيد من الأخبار|التفاصيل"
    r"|(?:مواضيع|أخبار|اخبار|مقالات|مقالت|موضوعات|قصص|فيديوهات|روابط)"
    r" (?:ذات صلة|متعلقة|مشابهة|مرتبطة|قد تهمك|أخرى)"
    r"|ذات صلة|قد (?:يعجبك|يهمك)(?: أيضا| ايضا)?"
    r"|ال[أا]كثر (?:قراءة|مشاهدة|شيوعا|تعليقا|تداولا|رواجا)"
    r"|يحتوي هذا القسم على المق[اال]+ت ذات صلة.*|\(?Related Nodes field\)?"
    r"|Sorry, you need to enable JavaScript.*|Please enable JavaScript.*"
    r"|.{0,60}(?:تفعيل|تمكين) (?:ال)?جافا ?سكر[يب]+ت.{0,60}"
    r"|(?:شارك|شاركها|شاركه|مشاركة|انشر|أرسل|طباعة|اطبع|حفظ|نسخ الرابط|Share|Tweet|Print|Email|Copy link)"
    r"(?: (?:هذا )?(?:المقال|الخبر|الموضوع|القصة|عبر|على|هذه الصفحة"
    r"|البريد(?: الإلكتروني)?|فيسبوك|تويتر|واتساب|تلغرام))*"
    r"|(?:فيسبوك|تويتر|واتساب|تلغرام|تيليغرام|لينكدإن|Facebook|Twitter|WhatsApp|Telegram|LinkedIn|Pinterest|X)"
    r"|(?:إعلان|اعلان|إعلانات|Advertisement)"
    r"|(?:إضافة|اضافة|أضف|اضف|اكتب|أكتب|اترك|أترك) (?:تعليق(?:ا|ك)?|ردا|رد)(?: جديد)?"
    r"|التعليقات|لا توجد تعليقات|تعليقات(?: القراء)?"
    r"|(?:اشترك|اشتركوا|سجل) (?:الآن|الان|في (?:نشرتنا|النشرة|القناة|قناتنا)).{0,60}"
    r"|النشرة البريدية|(?:تابعنا|تابعونا) (?:على|عبر).{0,60}|تابعنا|تابعونا"
    r"|(?:جميع|كل|كافة) الحقوق محفوظة.{0,60}|حقوق النشر محفوظة.{0,40}"
    r"|الكلمات (?:المفتاحية|الدلالية|الدليلية).{0,100}"
    r"|الآراء الواردة .{0,30}لا تعبر .{0,120}|ترحب شبكة CNN بالنقاش.*"
    r"|(?:Read more|Related (?:articles|topics|stories)|See also|More news)"
    r"|\(?انقر هنا\)?(?: .{1,40})?|اضغط هنا.{0,40}"
    r"|العودة إلى (?:الأعلى|الرئيسية)|تحميل المزيد|عرض المزيد|أعلى الصفحة|الصفحة الرئيسية|الرئيسية)",
    re.IGNORECASE,
)
# From such a line on, nothing of the article follows, provided it stands in the last part of a page.
_TAIL = re.compile(
    r"المزيد من الأخبار|الأكثر (?:قراءة|مشاهدة)|(?:مواضيع|مقالات|أخبار) (?:ذات صلة|متعلقة|مشابهة)|قد يعجبك.*"
)
# Invitations that run on: "اقرأ أيضاً: عنوان خبر آخر". The other headline would hit rules that this article does not.
_INVITATION = re.compile(
    r"(?:(?:اقرأ|إقرأ|أقرأ|اقرا|شاهد|تابع|طالع) (?:أيضا|ايضا|المزيد|كذلك)(?: عن| حول| من)?|قد (?:يهمك|يعجبك)(?: أيضا)?"
    r"|(?:مواضيع|مقالات|أخبار) (?:ذات صلة|متعلقة)|للمزيد(?: من التفاصيل| من المعلومات)?"
    r"|Read (?:also|more))\s*[:：…|»-].{0,250}"
)
_DATELINE = re.compile(r"(?<!\d)((?:19|20)\d\d)[/-](\d{1,2})[/-](\d{1,2})(?!\d)")
_WORD = re.compile(r"\w+")
_HEAD_LINES = 4
_END = " .:،؛…»«>›<‹|-–—•*#+"


def extract(html: bytes | str, *, url: str, charset: str | None = None) -> Page:
    """The article on a page. charset: what the HTTP header claims. Raises ParseError if it is no readable page.

    A page without an article (a video, a section front) gives a Page whose text is "".
    """
    source = html[:MAX_HTML] if isinstance(html, str) else _decoded(html[:MAX_HTML], charset)
    if "<" not in source or not source.strip():
        raise ParseError("the answer is no web page")
    import trafilatura

    tree = trafilatura.load_html(source)
    if tree is None:
        raise ParseError("the page is empty or broken")
    found = _best(trafilatura, tree, source, url)
    if found is None:
        return Page(title="", text="")
    title = " ".join(str(found.get("title") or "").split())[:1_000]
    text, day = _without_headlines(clean_text(str(found.get("text") or "")), title)
    return Page(
        title,
        text[:MAX_TEXT],
        day or _moment(found.get("date")),
        " ".join(str(found.get("author") or "").split())[:300],
    )


def clean_text(text: str) -> str:
    """`text` without the furniture of news pages: one paragraph a line, no empty lines. Works on plain text too."""
    lines = [_BLANKS.sub(" ", line).strip() for line in text.replace("\u2028", "\n").split("\n")]
    lines = [line for line in lines if line]
    kept: list[str] = []
    for at, line in enumerate(lines):
        bare = _MARKS.sub("", line).strip(_END)
        if not bare:
            continue
        if at >= len(lines) * 0.6 and kept and _TAIL.fullmatch(bare):
            break
        if len(bare) <= 400 and (_WHOLE_LINES.fullmatch(bare) or _INVITATION.fullmatch(_MARKS.sub("", line))):
            continue
        if kept and line == kept[-1]:
            continue
        kept.append(line)
    return "\n".join(kept)


def _best(trafilatura: Any, tree: Any, source: str, url: str) -> dict[str, Any] | None:
    """trafilatura's precise reading; where that finds next to nothing, its generous one."""
    options: dict[str, Any] = {
        "url": url,
        "include_comments": False,
        "include_tables": False,
        "with_metadata": True,
        "deduplicate": False,
        "date_extraction_params": {"extensive_search": False, "original_date": True},
    }
    found = _document(trafilatura.bare_extraction(tree, **options))
    if found is None or len(str(found.get("text") or "")) < 200:
        wider = _document(trafilatura.bare_extraction(source, favor_recall=True, **options))
        if wider and len(str(wider.get("text") or "")) > len(str((found or {}).get("text") or "")):
            return wider
    return found


def _document(found: Any) -> dict[str, Any] | None:
    if found is None:
        return None
    result: dict[str, Any] = found if isinstance(found, dict) else found.as_dict()
    return result


def _decoded(html: bytes, charset: str | None) -> str:
    """UTF-8 where the bytes are UTF-8, whatever is claimed; else the claim; else windows-1256."""
    try:
        return html.decode("utf-8-sig")
    except UnicodeDecodeError:
        broken = html.decode("utf-8", "replace")
        if broken.count("\ufffd") * 50 < len(_ARABIC.findall(broken)):
            return broken
    meta = _META.search(html[:8_192])
    for name in (charset, meta[1].decode("ascii") if meta else None):
        if not name or name.lower().replace("-", "") in ("utf8", "iso88591", "windows1252", "cp1252", "utf7"):
            continue
        try:
            return html.decode(name, "replace")
        except (LookupError, ValueError):
            continue
    return html.decode("cp1256", "replace")


def _without_headlines(text: str, title: str) -> tuple[str, datetime | None]:
    """`text` without the headline and dateline that some pages put above it, and the dateline's day if it has one."""
    lines = text.split("\n")
    words = set(_WORD.findall(_MARKS.sub("", title)))
    moment: datetime | None = None
    at = 0
    for line in lines[:_HEAD_LINES]:
        day = _DATELINE.search(line) if len(line) <= 80 else None
        found = _WORD.findall(_MARKS.sub("", line))
        repeats = bool(found) and len(line) <= 250 and sum(word in words for word in found) >= 0.8 * len(found)
        if not (day or repeats) or at + 1 >= len(lines):
            break
        if day and moment is None:
            moment = _moment("-".join(part.rjust(2, "0") for part in day.groups()))
        at += 1
    return "\n".join(lines[at:]), moment


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment

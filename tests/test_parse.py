"""Feeds of every kind become articles; what is hostile, broken or lying in them does not come through."""

import time
from datetime import UTC, datetime

import pytest

from monitor.errors import ParseError
from monitor.feeds.parse import Parsed, parse
from monitor.model import Article, Feed, Outlet
from tests.feed_bodies import BODIES

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
URL = "https://sahel.example/rss"
OUTLET = Outlet("sahel", "أنباء الساحل", "Sahel", "SY", "ar")
FEED = Feed("sahel", URL, OUTLET)


def read(body: str | bytes, headers: dict[str, str] | None = None, feed: Feed = FEED) -> Parsed:
    raw = body.encode() if isinstance(body, str) else body
    return parse(raw, feed=feed, url=URL, headers=headers or {}, now=NOW)


def one(inner: str) -> Article:
    found = read(f'<rss version="2.0"><channel><title>س</title><item>{inner}</item></channel></rss>').articles
    assert len(found) == 1
    return found[0]


def test_rss_2_with_full_text() -> None:
    found = read(BODIES["rss2"])
    first, second, third = found.articles
    assert (found.title, found.language) == ("أنباء الساحل", "ar-SY")
    assert first.title == "افتتاح ميناء جديد في اللاذقية"
    assert first.summary == "افتتح الوزير الميناء صباح اليوم."
    assert first.body.startswith("افتتح الوزير الميناء.\nنص فيه")
    assert first.tags == ("اقتصاد",)
    assert (first.key, first.canonical_url) == ("sahel-1", "https://sahel.example/n/1")
    assert first.published == datetime(2026, 3, 2, 5, tzinfo=UTC)
    assert second.title == "مقتل ثلاثة في انهيار مبنى & إصابة عشرة"
    assert (second.url, second.published) == (
        "https://sahel.example/n/2",
        datetime(2026, 3, 2, 7, 30, tzinfo=UTC),
    )
    assert third.url == ""


def test_rdf_rss_091_atom_and_json_feeds() -> None:
    (rdf,) = read(BODIES["rss1"]).articles
    assert (rdf.title, rdf.author, rdf.url) == ("موسم الزيتون يبدأ مبكرا", "هدى سالم", "https://wadi.example/1")
    assert [a.url for a in read(BODIES["rss091"]).articles] == ["https://madina.example/7", "https://madina.example/8"]
    snow, cold = read(BODIES["atom"]).articles
    assert (snow.title, snow.url, snow.author) == ("ثلوج كثيفة تغلق الممر", "https://jabal.example/n/1", "كريم حداد")
    assert snow.body == "أغلقت الثلوج الممر ليلا."
    assert (cold.summary, cold.published) == ("درجات 5 < 0", None)
    aid, bare = read(BODIES["json"]).articles
    assert (aid.title, aid.tags, aid.author) == ("قافلة مساعدات تصل إلى القرية", ("إغاثة",), "سمر علي")
    assert (bare.title, bare.url, bare.body) == ("نص بلا عنوان", "https://sahel.example/2", "نص بلا عنوان\nوسطر ثان")


@pytest.mark.parametrize("claim", ["utf-8", "iso-8859-1", "windows-1252", "windows-1256", "x-unknown", ""])
def test_windows_1256_is_read_whatever_the_server_calls_it(claim: str) -> None:
    found = read(BODIES["cp1256_lying"], {"content-type": f"text/xml; charset={claim}"} if claim else {})
    assert [a.title for a in found.articles] == ["إضراب المعلمين يدخل يومه الثالث", "عودة التيار إلى الأحياء الشرقية"]


@pytest.mark.parametrize("claim", ["windows-1256", "iso-8859-1", "utf-16"])
def test_utf_8_is_read_whatever_the_server_calls_it(claim: str) -> None:
    found = read(BODIES["rss091"], {"content-type": f"text/xml; charset={claim}"})
    assert found.articles[0].title == "إضراب المعلمين يدخل يومه الثالث"


def test_utf_16_is_read() -> None:
    assert read(BODIES["utf16"]).articles[1].title == "الحرارة دون الصفر"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Mon, 02 Mar 2026 08:00:00 GMT", "2026-03-02T08:00"),
        ("Mon, 02 Mar 2026 08:00:00 +0300", "2026-03-02T05:00"),
        ("2026-03-02T08:00:00+03:00", "2026-03-02T05:00"),
        ("2026-03-02 08:00:00", "2026-03-02T08:00"),
        ("٢ مارس ٢٠٢٦ ٠٨:٠٠", "2026-03-02T08:00"),
        ("1 آذار 2026 10:15 مساءً", "2026-03-01T22:15"),
        ("الأحد 1 مارس/آذار 2026", "2026-03-01T00:00"),
        ("15 غشت 2025", "2025-08-15T00:00"),
        ("3 كانون الثاني 2026", "2026-01-03T00:00"),
        ("28 فيفري 2026 - 09:00 صباحا", "2026-02-28T09:00"),
        ("01/03/2026 14:00", "2026-03-01T14:00"),
        ("Mon, 02 Mar 2026 10:00:00 GMT", "2026-03-02T09:00"),  # an hour ahead: a wrong clock
        ("Sat, 02 May 2099 10:00:00 GMT", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("0000-00-00 00:00:00", None),
        ("أمس", None),
        ("31 شباط 2026", None),
        ("", None),
    ],
)
def test_dates_are_read_as_outlets_write_them(written: str, meant: str | None) -> None:
    article = one(f"<title>خبر</title><pubDate>{written}</pubDate>")
    assert article.published == (datetime.fromisoformat(meant).replace(tzinfo=UTC) if meant else None)
    assert article.when <= NOW


@pytest.mark.parametrize(
    "link",
    [
        *("javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "http://[::1"),
        *("file:///etc/passwd", "vbscript:x", "mailto:a@b.example", "tel:123", " javascript:alert(1)"),
    ],
)
def test_what_is_no_web_address_is_no_link(link: str) -> None:
    assert one(f"<title>خبر</title><link>{link}</link>").url == ""


def test_relative_links_and_logins_in_links() -> None:
    assert one("<title>خ</title><link>../n/5</link>").url == "https://sahel.example/n/5"
    assert one("<title>خ</title><link>//cdn.example/5</link>").url == "https://cdn.example/5"
    assert one("<title>خ</title><link>https://u:p@x.example/5</link>").url == "https://x.example/5"


def test_markup_in_titles_becomes_text() -> None:
    for written in (
        "<![CDATA[<b>عاجل</b>: &quot;انتهاء&quot; الأزمة]]>",
        "&lt;b&gt;عاجل&lt;/b&gt;: &amp;quot;انتهاء&amp;quot; الأزمة",
        '<![CDATA[<script>alert(1)</script>عاجل: "انتهاء" <img src=x onerror=alert(1)>الأزمة]]>',
    ):
        assert one(f"<title>{written}</title>").title == 'عاجل: "انتهاء" الأزمة'


def test_direction_marks_stay_in_the_original_and_make_no_new_version() -> None:
    plain, marked = one("<title>وصول الوفد</title>"), one("<title>\u202bوصول\u200f الوفد\u202c</title>")
    assert marked.content_hash == plain.content_hash


def test_a_guid_shared_by_all_entries_is_no_key() -> None:
    items = "".join(f"<item><title>خبر {i}</title><link>/n/{i}</link><guid>sahel</guid></item>" for i in range(3))
    found = read(f"<rss version='2.0'><channel>{items}</channel></rss>").articles
    assert len({article.key for article in found}) == 3


def test_a_guid_that_gains_tracking_stays_the_same_key() -> None:
    keys = {
        one(f"<title>خ</title><guid>https://sahel.example/n/1{tail}</guid>").key
        for tail in ("", "?utm_source=rss", "#0", "/")
    }
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("<!doctype html><html><body>صيانة</body></html>", "web page"),
        ('{"a": 1}', "no JSON Feed"),
        ('{"items": [', "JSON is broken"),
        ("نص لا غير", "no feed"),
        ("/etc/passwd", "no feed"),
        ("http://127.0.0.1/feed", "no feed"),
        ("\x00\x01\x02", "no feed"),
        ("[" * 100_000, "no feed"),
        ('{"items":' + "[" * 100_000, "JSON is broken"),
    ],
)
def test_what_is_no_feed_is_said_in_words(body: str, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        read(body)


def test_entities_that_read_files_or_swell_do_neither() -> None:
    lol = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "lol"}">' for i in range(10))
    for doctype in (f"<!DOCTYPE rss [{lol}]>", '<!DOCTYPE rss [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>'):
        item = "<item><title>خبر &l9;</title></item>"
        body = f'<?xml version="1.0"?>{doctype}<rss version="2.0"><channel>{item}</channel></rss>'
        try:
            titles = [article.title for article in read(body).articles]
        except ParseError:
            titles = []
        assert all("root:" not in title and len(title) < 100 for title in titles)


def test_a_flood_of_entries_and_letters_is_cut() -> None:
    items = "".join(f"<item><title>خبر {i}</title></item>" for i in range(2_500))
    found = read(f"<rss version='2.0'><channel>{items}</channel></rss>")
    assert len(found.articles) == 2_000
    assert "too many entries: the first 2000 were read, 500 others were not" in found.notes
    entries = ", ".join(f'{{"id": "{i}", "title": "خبر {i}"}}' for i in range(2_500))
    found = read(f'{{"version": "https://jsonfeed.org/version/1.1", "title": "أنباء", "items": [{entries}]}}')
    assert len(found.articles) == 2_000
    assert "too many entries: the first 2000 were read, 500 others were not" in found.notes
    long = one(f"<title>{'كلمة ' * 5_000}</title><description>{'نص ' * 200_000}</description>")
    assert len(long.title) <= 1_000
    assert len(long.summary) <= 20_000


@pytest.mark.parametrize(
    "piece", ["<b>", "<", "&amp;lt;", "<!--", "<a b='", "&#", "</p>", "<script>", '<a "', "&lt;p&gt;"]
)
def test_markup_made_to_be_slow_takes_time_in_proportion(piece: str) -> None:
    started = time.process_time()
    one(f"<title>خبر</title><description><![CDATA[{piece * (300_000 // len(piece))}]]></description>")
    assert time.process_time() - started < 5


def test_a_feed_of_several_languages_is_told_apart_by_letters() -> None:
    mixed = Feed("mixed", URL, OUTLET, language=None)
    titles = (
        "أعلنت وزارة الخارجية أن الوفد وصل إلى العاصمة",
        "وزیر خارجه گفت که مذاکرات ادامه پیدا می‌کند",
        "The minister has resigned",
    )
    items = "".join(f"<item><title>{title}</title></item>" for title in titles)
    found = read(f"<rss version='2.0'><channel>{items}</channel></rss>", feed=mixed).articles
    assert [article.language for article in found] == ["ar", "fa", "en"]


def test_what_belongs_to_a_picture_or_to_comments_is_not_the_articles() -> None:
    media = 'xmlns:media="http://search.yahoo.com/mrss/" xmlns:slash="http://purl.org/rss/1.0/modules/slash/"'
    body = (
        f'<rss version="2.0" {media}><channel><title>س</title><item><comments>https://sahel.example/1#c</comments>'
        '<media:content url="https://sahel.example/1.jpg"><media:title>ميناء</media:title><media:description>صورة من '
        "الأرشيف</media:description></media:content><slash:comments>7</slash:comments><title>وصول السفينة</title>"
        "<link>https://sahel.example/1</link><description>وصلت السفينة ظهر اليوم.</description></item></channel></rss>"
    )
    (article,) = read(body).articles
    assert (article.title, article.summary) == ("وصول السفينة", "وصلت السفينة ظهر اليوم.")
    assert (article.url, article.body) == ("https://sahel.example/1", "")
    (captioned,) = read(body.replace("<description>وصلت السفينة ظهر اليوم.</description>", "")).articles
    assert (captioned.title, captioned.summary) == ("وصول السفينة", "")


def test_markup_inside_an_atom_text_is_read_whatever_its_elements_are_called() -> None:
    body = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>س</title><entry><id>urn:1</id><title>وصول السفينة</title>'
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>وصلت <comments xmlns="">ظهر</comments> '
        "اليوم.</p></div></content></entry></feed>"
    )
    (article,) = read(body).articles
    assert article.summary == "وصلت ظهر اليوم."

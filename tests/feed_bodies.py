"""Feeds of every kind, written by hand in Arabic, and ways to damage them. Shared by the tests of reading feeds."""

from __future__ import annotations

import random

_RSS2 = """<?xml version="1.0" encoding="UTF-8"?>
<!-- تجربة <item> داخل تعليق -->
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:atom="http://www.w3.org/2005/Atom">
<channel><title>أنباء الساحل</title><link>https://sahel.example/</link><language>ar-SY</language><ttl>10</ttl>
<atom:link href="https://sahel.example/rss" rel="self"/>
<item><title><![CDATA[افتتاح ميناء جديد في اللاذقية]]></title><link>https://sahel.example/n/1?utm_source=rss</link>
<guid isPermaLink="false">sahel-1</guid><pubDate>Mon, 02 Mar 2026 08:00:00 +0300</pubDate>
<category>اقتصاد</category><description><![CDATA[<p>افتتح الوزير <b>الميناء</b> صباح اليوم.</p>]]></description>
<content:encoded><![CDATA[<p>افتتح الوزير الميناء.</p><p>نص فيه </item> و <item> داخل CDATA.</p>]]></content:encoded>
</item>
<item><title>مقتل ثلاثة في انهيار مبنى &amp; إصابة عشرة</title><link>/n/2</link><guid>https://sahel.example/n/2</guid>
<pubDate>٢ مارس ٢٠٢٦ ٠٧:٣٠</pubDate><description>وقع الحادث فجرا في حي الأشرفية.</description></item>
<item><title>رابط خبيث</title><link>javascript:alert(1)</link><guid>sahel-3</guid><description>نص</description></item>
</channel></rss>"""
_RSS1 = """<?xml version="1.0" encoding="UTF-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://wadi.example/"><title>أخبار الوادي</title>
<link>https://wadi.example/</link><description>خلاصة</description><items><rdf:Seq>
<rdf:li rdf:resource="https://wadi.example/1"/></rdf:Seq></items></channel>
<item rdf:about="https://wadi.example/1"><title>موسم الزيتون يبدأ مبكرا</title><link>https://wadi.example/1</link>
<dc:date>2026-03-02T05:00:00Z</dc:date><dc:creator>هدى سالم</dc:creator>
<description>قال مزارعون إن الموسم جيد.</description>
</item></rdf:RDF>"""
_RSS091 = """<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "rss-0.91.dtd">
<rss version="0.91"><channel><title>بريد المدينة</title><link>https://madina.example/</link><language>ar</language>
<item><title>إضراب المعلمين يدخل يومه الثالث</title><link>https://madina.example/7</link></item>
<item><title>عودة التيار إلى الأحياء الشرقية</title><link>https://madina.example/8</link></item></channel></rss>"""
_ATOM = """<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ar"
 xml:base="https://jabal.example/"><title>صوت الجبل</title><id>urn:jabal</id><updated>2026-03-02T06:00:00Z</updated>
<entry><title type="html">ثلوج &lt;b&gt;كثيفة&lt;/b&gt; تغلق الممر</title><id>urn:jabal:1</id><link href="n/1"/>
<published>2026-03-02T05:00:00+02:00</published><updated>2026-03-02T06:00:00Z</updated>
<author><name>كريم حداد</name></author><summary>أغلقت الثلوج الممر.</summary>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>أغلقت الثلوج الممر ليلا.</p></div></content></entry>
<entry><title>الحرارة دون الصفر</title><id>urn:jabal:2</id><link rel="alternate" href="https://jabal.example/n/2"/>
<updated>2099-01-01T00:00:00Z</updated><summary type="text">درجات 5 &lt; 0</summary></entry></feed>"""
_JSON = """{"version": "https://jsonfeed.org/version/1.1", "title": "نشرة الضفة", "home_page_url": "https://daffa.example/",
"language": "ar", "items": [{"id": "1", "url": "https://daffa.example/1", "title": "قافلة مساعدات تصل إلى القرية",
"content_html": "<p>وصلت القافلة ظهرا.</p>", "date_published": "2026-03-02T09:00:00+02:00", "tags": ["إغاثة"],
"authors": [{"name": "سمر علي"}]}, {"id": 2, "url": "/2", "content_text": "نص بلا عنوان\\nوسطر ثان"}]}"""
_CP1256 = _RSS091.replace('<?xml version="1.0"?>', '<?xml version="1.0" encoding="utf-8"?>')

BODIES: dict[str, bytes] = {
    "rss2": _RSS2.encode(),
    "rss1": _RSS1.encode(),
    "rss091": _RSS091.encode(),
    "atom": _ATOM.encode(),
    "json": _JSON.encode(),
    "cp1256_lying": _CP1256.encode("cp1256"),
    "utf16": _ATOM.replace('encoding="utf-8"', 'encoding="utf-16"').encode("utf-16"),
}
_TOKENS = (
    *(b"<item>", b"</item>", b"<entry>", b"</entry>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?", b"?>", b"&#0;"),
    *(b"&#x110000;", b"&lol;", b"<", b">", b'"', b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"{", b"}", b"\xd8", b"\x1b$B"),
    b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY lol "&b;&b;&b;&b;&b;">]>',
    b'<!DOCTYPE r [<!ENTITY lol SYSTEM "file:///etc/passwd">]>',
    "\u202eنص معكوس\u2066".encode(),
)


def mutant(body: bytes, rng: random.Random) -> bytes:
    """`body` with one to six seeded damages: bits, cuts, repeats, tokens out of place, deep nesting, floods."""
    data = bytearray(body)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data) + 1)
        end = min(len(data), at + rng.choice((1, 8, 64, 512)))
        kind = rng.randrange(8)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[at:end]
        elif kind == 2:
            data[at:at] = data[at:end] * rng.choice((1, 2, 50))
        elif kind == 3:
            data[at:at] = rng.choice(_TOKENS)
        elif kind == 4:
            del data[at:]
        elif kind == 5:
            data[at:at] = rng.randbytes(rng.choice((1, 16, 200)))
        elif kind == 6:
            data[at:at] = rng.choice((b"<div>", b"<a b='", b"[", b"<item>", b"(", b"&amp;")) * rng.choice((10, 3_000))
        else:
            place = rng.randrange(len(data) + 1)
            data[place:place] = data[at:end]
        if not data:
            data += b"<rss/>"
    return bytes(data)

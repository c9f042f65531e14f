"""Cutting a feed into entries loses nothing, adds nothing and changes nothing that the parser sees."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.feeds.parse import parse
from monitor.feeds.split import MOST_CUT, document, split
from monitor.model import Article, Feed, Outlet
from tests.feed_bodies import BODIES

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
URL = "https://sahel.example/rss"
FEED = Feed("sahel", URL, Outlet("sahel", "أنباء الساحل", "Sahel", "SY", "ar"))

_WORDS = st.text("ابتثجحخ <>&\"'item-", max_size=12)
_ESCAPED = _WORDS.map(lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
_CDATA = _WORDS.map(lambda text: f"<![CDATA[{text}<item></item><!-- ]]>")
_COMMENT = st.sampled_from(["<!-- </item><item> -->", "<!-- <![CDATA[ -->", "<?pi <item> ?>", ""])
_TEXT = st.one_of(_ESCAPED, _CDATA)


@st.composite
def _items(draw: st.DrawFn) -> str:
    tag = draw(st.sampled_from(["<item>", "<item >", '<item rdf="a">', "<item\n>"]))
    link = f"<link>https://sahel.example/{draw(st.integers(0, 10**6))}</link>"
    inner = f"<title>خبر {draw(_TEXT)}</title>{link}{draw(_COMMENT)}<description>{draw(_TEXT)}</description>"
    return f"{tag}{inner}</item>{draw(_COMMENT)}"


_FEEDS = st.lists(_items(), min_size=1, max_size=6).map(
    lambda items: f'<rss version="2.0"><channel><title>أنباء</title>{" ".join(items)}</channel></rss>'.encode()
)


def read(body: bytes) -> list[Article]:
    return parse(body, feed=FEED, url=URL, headers={}, now=NOW).articles


@settings(max_examples=120, deadline=None)
@given(_FEEDS)
def test_a_feed_put_together_again_reads_as_the_whole(body: bytes) -> None:
    parts = split(body)
    assert parts is not None
    assert read(document(parts, range(len(parts.entries)))) == read(body)


@settings(max_examples=60, deadline=None)
@given(_FEEDS, st.data())
def test_any_one_entry_alone_reads_as_it_does_in_the_whole(body: bytes, data: st.DataObject) -> None:
    parts = split(body)
    assert parts is not None
    whole = read(body)
    if len(whole) == len(parts.entries) and len({a.url for a in whole}) == len(whole):
        at = data.draw(st.integers(0, len(whole) - 1))
        alone = read(document(parts, [at]))
        assert [(a.url, a.title, a.summary) for a in alone] == [(whole[at].url, whole[at].title, whole[at].summary)]


@pytest.mark.parametrize("name", ["rss2", "rss1", "rss091", "atom", "cp1256_lying"])
def test_every_kind_of_xml_feed_is_cut(name: str) -> None:
    parts = split(BODIES[name])
    assert parts is not None
    assert len(set(parts.hashes)) == len(parts.entries) == len(read(BODIES[name]))
    assert read(document(parts, range(len(parts.entries)))) == read(BODIES[name])


@pytest.mark.parametrize("name", ["json", "utf16"])
def test_what_cannot_be_cut_with_certainty_is_left_whole(name: str) -> None:
    assert split(BODIES[name]) is None


def test_of_very_many_entries_the_first_are_cut_and_the_others_counted() -> None:
    items = "".join(f"<item><title>{n}</title></item>\n" for n in range(MOST_CUT + 7))
    body = f"<rss version='2.0'><channel>{items}<title>أنباء</title></channel></rss>".encode()
    parts = split(body)
    assert parts is not None
    assert (len(parts.entries), parts.beyond) == (MOST_CUT, 7)
    assert parts.entries[-1] == f"<item><title>{MOST_CUT - 1}</title></item>".encode()
    found = parse(document(parts, [0, 1]), feed=FEED, url=URL, headers={}, now=NOW)
    assert ([one.title for one in found.articles], found.title, found.notes) == (["0", "1"], "أنباء", ())


def test_a_change_in_one_entry_changes_its_hash_alone() -> None:
    before, after = split(BODIES["rss2"]), split(BODIES["rss2"].replace("إصابة عشرة".encode(), "إصابة تسعة".encode()))
    assert before is not None
    assert after is not None
    assert [a == b for a, b in zip(before.hashes, after.hashes, strict=True)] == [True, False, True]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<rss>",
        b"<rss><channel></channel></rss>",
        b"<rss>" + b"<item>" * 300_000,
        b"<rss>" + b"<item><!--" * 200_000,
        b"<rss>" + b"<item/>" * 300_000,
        b"<rss>" + b"<item></item><![CDATA[" * 100_000,
        b"<!--" * 500_000,
        b"<!DOCTYPE [" * 100_000,
        b"<rss>" + b"<item>x</item>" * 200_000,
        b"<rss>" + b"<itemx>" * 400_000 + b"<item></item></rss>",
    ],
    ids=range(11),
)
def test_a_body_made_to_be_slow_is_given_up_soon(body: bytes) -> None:
    started = time.process_time()
    parts = split(body)
    assert time.process_time() - started < 3
    assert parts is None or len(parts.entries) <= 100_000

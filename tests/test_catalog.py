from datetime import timedelta
from pathlib import Path

import pytest

from monitor import yamlfile
from monitor.errors import ConfigError, ParseError
from monitor.feeds import catalog, discovery, opml
from monitor.model import Outlet

FEEDS = """# رأس الملف
defaults:
  interval: 10m
  headers: {X-From: rasid}
outlets:
  # الأول
  - id: first
    name: {ar: الأول, en: First}
    country: eg
    feeds:
      - https://first.example/rss  # main
      - url: https://first.example/members
        id: first-members
        interval: 1h
        max_age: 12h
        username_env: FIRST_USER
        password_env: FIRST_PASSWORD
        headers: {X-Key: $FIRST_KEY}
        ca_file: first.pem
        language: auto
        full_text: true
        tags: [politics]
        enabled: false
  # الثاني
  - id: second
    name: {ar: 'الثاني: نعم', en: Second}
    country: IQ
    language: fa
    feeds:
      - https://second.example/rss
# آخر الملف
"""
SECRETS = {"FIRST_USER": "u", "FIRST_PASSWORD": "p", "FIRST_KEY": "k"}


def parsed(text: str, environ: dict[str, str] | None = None) -> catalog.Catalog:
    return catalog.read(yamlfile.parse(text, "feeds.yaml"), environ)


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parsed(text)
    return str(caught.value)


def one(feed: str) -> str:
    return f"outlets:\n  - id: a\n    name: {{ar: أ, en: A}}\n    country: EG\n    feeds:\n      - {feed}\n"


def test_every_field_of_a_feed_is_read_and_defaults_fill_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text(FEEDS, encoding="utf-8")
    (tmp_path / "first.pem").write_text("", encoding="utf-8")
    found = catalog.load(path, SECRETS)
    main, members, second = found.feeds
    assert (main.interval, main.max_age) == (timedelta(minutes=10), timedelta(days=2))
    assert (main.language, second.language, members.language) == ("ar", "fa", None)
    assert (members.id, members.interval, members.max_age) == ("first-members", timedelta(hours=1), timedelta(hours=12))
    assert (members.username, members.password, members.headers) == ("u", "p", {"X-From": "rasid", "X-Key": "k"})
    assert (members.ca_file, members.full_text, members.tags) == (str(tmp_path / "first.pem"), True, ("politics",))
    assert (members.enabled, main.enabled) == (False, True)
    assert found.outlets["first"] == Outlet("first", "الأول", "First", "EG", "ar")
    assert found.variables == frozenset(SECRETS)
    assert found.warnings == ()
    assert found.get("first-members") is members


def test_the_id_of_a_feed_follows_from_outlet_and_address_alone() -> None:
    assert parsed(one("https://a.example/rss")).feeds[0].id == catalog.feed_id("a", "https://a.example/rss")
    assert parsed(one("{url: 'https://a.example/rss', interval: 1h}")).feeds[0].id.startswith("a-")


def test_a_secret_that_is_not_set_is_warned_of() -> None:
    warned = parsed(FEEDS).warnings
    assert {"FIRST_USER", "FIRST_PASSWORD", "FIRST_KEY"} <= {one.what.split()[0] for one in warned}
    assert all(one.line for one in warned)


@pytest.mark.parametrize(
    ("feed", "mend"),
    [
        ("javascript:alert(1)", "only http and https"),
        ("https://", "names no host"),
        ("http://2130706433/rss", "in disguise"),
        ("https://u:geheim@a.example/rss", "username_env"),
        ("'https://a.example/a b'", "spaces"),
        ("{url: 'https://a.example', intervall: 5m}", "did you mean interval?"),
        ("{url: 'https://a.example', interval: 5}", "needs its unit"),
        ("{url: 'https://a.example', interval: 1s}", "between 15s and 7d"),
        ("{url: 'https://a.example', password: geheim}", "no such key"),
        ("{url: 'https://a.example', headers: {Authorization: geheim}}", "$NAME"),
        ("{url: 'https://a.example', headers: {X: 'راصد'}}", "ASCII"),
        ("{url: 'https://a.example', headers: {Host: x}}", "no header that can be set"),
        ("{url: 'https://a.example', proxy: 'socks5://u:geheim@p:1'}", "RASID_FETCH__PROXY"),
        ("{interval: 5m}", "is required"),
    ],
)
def test_a_feed_that_cannot_be_polled_is_told_with_place_and_mend(feed: str, mend: str) -> None:
    told = refused(one(feed))
    assert mend in told
    assert told.startswith("feeds.yaml:6:")
    assert "geheim" not in told


def test_what_is_given_twice_is_told_with_the_first_line_beside_other_problems() -> None:
    text = FEEDS.replace("second.example/rss", "first.example/rss?utm_source=x").replace("id: second", "id: first")
    told = refused(text.replace("country: IQ", "country: Iraq"))
    assert "already an outlet with this id (first on line 7)" in told
    assert "already polled (first on line 11)" in told
    assert "two letters" in told


def test_an_outlet_without_feeds_and_a_file_without_any_are_warned_of() -> None:
    text = one("https://a.example/rss").rsplit("\n", 2)[0].replace("feeds:", "feeds: []")
    assert len(parsed(text).warnings) == 2
    assert len(parsed("").warnings) == 1


@pytest.mark.parametrize("outlet_id", ["first", "second", "third"])
def test_a_feed_is_added_and_every_other_line_stays(tmp_path: Path, outlet_id: str) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text(FEEDS, encoding="utf-8")
    path.chmod(0o640)
    added = catalog.add_feed(path, "https://new.example/rss", Outlet(outlet_id, "جديد: 'نعم'", "New", "LB", "ar"))
    after = path.read_text(encoding="utf-8")
    found = catalog.load(path)
    assert (added.url, added.outlet.id) == ("https://new.example/rss", outlet_id)
    assert len(found.feeds) == 4
    rest = iter(after.splitlines())
    assert all(line in rest for line in FEEDS.splitlines())  # in order, none lost
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["feeds.yaml"]


@pytest.mark.parametrize(
    "text", ["", "outlets:\n", "# nothing\ndefaults: {interval: 1h}\n", one("https://a.example/rss")]
)
def test_a_feed_can_be_added_to_a_file_of_any_usual_layout(tmp_path: Path, text: str) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text(text, encoding="utf-8")
    catalog.add_feed(path, "https://new.example/rss", Outlet("new", "جديد", "New", "LB", "ar"))
    assert catalog.load(path).feeds[-1].url == "https://new.example/rss"


def test_what_cannot_be_added_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "feeds.yaml"
    outlet = Outlet("first", "الأول", "First", "EG", "ar")
    inline = "outlets: [{id: first, name: {ar: ا, en: F}, country: EG, feeds: ['https://first.example/x']}]\n"
    for text, url, mend in (
        (FEEDS, "https://first.example/rss", "already polled"),
        (FEEDS, "ftp://x", "only http"),
        (inline, "https://new.example/rss", "laid out"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=mend):
            catalog.add_feed(path, url, outlet)
        assert path.read_text(encoding="utf-8") == text


# ── OPML ─────────────────────────────────────────────────────────────────────────────────────────────────────────

OPML = """<?xml version="1.0" encoding="utf-8"?><opml version="2.0"><head><title>قائمتي</title></head><body>
<outline text="أخبار"><outline text="الأولى" type="rss" xmlUrl="https://a.example/rss" htmlUrl="https://a.example/"/>
<outline title="مكرر" xmlUrl="http://a.example/rss/"/></outline>
<OUTLINE XMLURL="https://b.example/rss" text="ب"/><outline xmlUrl="javascript:alert(1)"/></body></opml>"""


def test_opml_gives_feeds_with_their_folders_each_once() -> None:
    first, second = opml.read(OPML.encode())
    assert (first.url, first.title, first.folders) == ("https://a.example/rss", "الأولى", ("أخبار",))
    assert (second.url, second.title, second.folders) == ("https://b.example/rss", "ب", ())


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE opml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><opml><body><outline text="&b;"/></body></opml>',
        b'<!DOCTYPE opml SYSTEM "file:///etc/passwd"><opml/>',
        b"<rss/>",
        b"<opml>",
        b"",
        b'<?xml version="1.0" encoding="none-such"?><opml/>',
        b"<opml>" + b"<outline>" * 500,
        b"x" * (opml.MAX_BYTES + 1),
    ],
)
def test_hostile_and_broken_opml_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(ParseError, match="OPML"):
        opml.read(body)


# ── discovery ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_offers_declared_then_linked_then_guessed_feeds_each_once() -> None:
    html = """<html><head><base href="https://cdn.example/site/"><link rel="stylesheet" href="/x.css">
    <link rel="ALTERNATE" type="application/rss+xml; charset=utf-8" title="كل  الأخبار" href="all.xml">
    <link rel="alternate" hreflang="en" href="/en/"><!-- <link rel="alternate" type="text/xml" href="/no"> --></head>
    <a href="https://a.example/rss.xml">خلاصة</a> <a href="javascript:rss">x</a> <a href="/ar/rss/sport">رياضة</a>"""
    found = discovery.offers(html, "https://a.example/news/")
    assert (found[0].url, found[0].title, found[0].how) == (
        "https://cdn.example/site/all.xml",
        "كل الأخبار",
        "declared",
    )
    assert [one.url for one in found if one.how == "linked"] == [
        "https://a.example/rss.xml",
        "https://cdn.example/ar/rss/sport",
    ]
    assert "https://a.example/feed" in [one.url for one in found if one.how == "guessed"]
    assert len({one.url for one in found}) == len(found)


@pytest.mark.parametrize("html", ["", "<![bogus", "<" * 100_000, "<a href='" + "x" * 5000 + "'>", "<!DOCTYPE [<"])
def test_no_page_breaks_discovery(html: str) -> None:
    assert {one.how for one in discovery.offers(html, "https://a.example/")} == {"guessed"}

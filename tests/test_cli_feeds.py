"""`rasid feeds` and `rasid match --url` against a real server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.feed_server import Route
from tests.living import Living, living, rss
from tests.test_end_to_end import BODY, STRIKE, VIDEO

PAGE = (
    "<html><head><title>أنباء الجنوب</title><link rel='alternate' type='application/rss+xml' href='/south.xml'></head>"
    f"<body><article><h1>{STRIKE.title}</h1><p>{BODY}</p><p>{BODY}</p></article></body></html>"
)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Living]:
    with living(tmp_path, f"sqlite:///{tmp_path / 'rasid.db'}") as found:
        found.outlets("anba", "sada")
        found.feeds.set("/anba", rss("anba", STRIKE, VIDEO))
        found.feeds.set("/sada", Route(status=500))
        found.feeds.set("/south.xml", rss("south", STRIKE))
        found.feeds.set("/south", Route(body=PAGE.encode(), content_type="text/html"))
        yield found


def test_the_list_shows_how_each_feed_goes(here: Living) -> None:
    before = json.loads(here.rasid("feeds", "list", "--json").stdout)
    assert [(one["id"], one["state"]) for one in before] == [("anba", "not polled yet"), ("sada", "not polled yet")]
    here.rasid("run", "--once")
    after = {one["id"]: one for one in json.loads(here.rasid("feeds", "list", "--json").stdout)}
    assert after["anba"]["state"] == "ok" and after["anba"]["last_ok"]
    assert after["sada"]["failures"] == 1 and "500" in after["sada"]["last_error"]
    assert "sada" in here.rasid("feeds", "list", "--failing").stdout
    assert "anba" not in here.rasid("feeds", "list", "--failing").stdout


def test_a_feed_is_tried_with_the_rules_before_it_is_polled(here: Living) -> None:
    told = json.loads(here.rasid("feeds", "test", "anba", "--json").stdout)
    assert [(one["title"], one["rules"]) for one in told["entries"]] == [(STRIKE.title, ["shahed"]), (VIDEO.title, [])]
    broken = here.rasid("feeds", "test", "sada", check=False)
    assert broken.returncode == 1 and "500" in broken.stderr
    page = here.rasid("feeds", "test", here.feeds.url("/south"), check=False)
    assert page.returncode == 1 and here.feeds.url("/south.xml") in page.stdout
    nonsense = here.rasid("feeds", "test", "nobody", check=False)
    assert nonsense.returncode == 2 and "neither a feed's id nor an address" in nonsense.stderr


def test_a_feed_of_very_many_entries_is_tried_in_part(here: Living) -> None:
    items = "".join(f"<item>\n<title>خبر {n}</title>\n<guid>{n}</guid></item>" for n in range(30_000))
    here.feeds.set("/anba", f"<rss version='2.0'><channel><title>أ</title>{items}</channel></rss>")
    told = json.loads(here.rasid("feeds", "test", "anba", "--json").stdout)
    assert len(told["entries"]) == 2_000
    assert told["notes"] == ["too many entries: the first 2000 were read, 28000 others were not"]


def test_nothing_that_a_feed_or_page_says_can_drive_the_terminal(here: Living) -> None:
    evil = "\x1b]0;evil\x07\x1b[31m"
    entry = {"id": "1", "url": "https://a.example/1", "title": f"قمة {evil}", "content_text": evil}
    made = {"version": "https://jsonfeed.org/version/1.1", "title": f"أنباء {evil}", "items": [entry]}
    here.feeds.set("/json", Route(body=json.dumps(made).encode(), content_type="application/feed+json"))
    offer = f"<link rel='alternate' type='application/rss+xml' title='{evil}' href='/x{evil}.xml'>"
    here.feeds.set("/page", Route(body=f"<html><head>{offer}</head></html>".encode(), content_type="text/html"))
    for path in ("/json", "/page"):
        shown = here.rasid("feeds", "test", here.feeds.url(path), check=False).stdout
        assert "\x1b" not in shown and "\x07" not in shown and "evil" in shown


def test_a_feed_is_found_on_a_page_and_added_with_the_comments_kept(here: Living) -> None:
    file = here.config / "feeds.yaml"
    file.write_text("# ours\n" + file.read_text())
    done = here.rasid("feeds", "add", here.feeds.url("/south"), "--outlet", "south", "--name-ar", "الجنوب")
    assert "south.xml" in done.stdout
    assert file.read_text().startswith("# ours\n")
    listed = json.loads(here.rasid("feeds", "list", "--json").stdout)
    assert [one["outlet"] for one in listed] == ["anba", "sada", "south"]
    again = here.rasid("feeds", "add", here.feeds.url("/south.xml"), "--outlet", "south", check=False)
    assert again.returncode == 2 and "already polled" in again.stderr


def test_an_opml_file_brings_its_feeds(here: Living) -> None:
    (here.folder / "mine.opml").write_text(
        '<opml version="2.0"><body><outline text="عربي"><outline type="rss" text="الشرق" '
        'xmlUrl="https://sharq.example/rss"/></outline></body></opml>'
    )
    assert "sharq.example" in here.rasid("feeds", "add", "--opml", "mine.opml").stdout
    assert len(json.loads(here.rasid("feeds", "list", "--json").stdout)) == 3


def test_a_web_page_is_matched_as_the_daemon_would_read_it(here: Living) -> None:
    told = json.loads(here.rasid("match", "--url", here.feeds.url("/south"), "--json").stdout)
    assert [one["rule"] for one in told["hits"]] == ["shahed"]
    gone = here.rasid("match", "--url", here.feeds.url("/none"), check=False)
    assert gone.returncode == 2 and "404" in gone.stderr


def test_a_sample_reaches_the_channel_by_the_configured_server(here: Living) -> None:
    done = here.rasid("channels", "test", "main")
    assert "✓" in done.stdout
    assert len(here.messages()) == 1

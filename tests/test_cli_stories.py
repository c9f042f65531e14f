"""`rasid stories` on a database that a real run has filled, on SQLite and Postgres."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.living import Living, living, rss
from tests.test_end_to_end import BODY, STRIKE, TALKS, VIDEO

EARLIER = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
FIRST = replace(STRIKE, when=EARLIER)
REWORDED = replace(STRIKE, title="أوكرانيا: إسقاط 20 طائرة شاهد ليلا", when=EARLIER + timedelta(minutes=10))
COPY = replace(STRIKE, when=EARLIER + timedelta(minutes=20))
REVISED = replace(FIRST, text=BODY.replace("عشرين طائرة", "ثلاثين طائرة"), title="إسقاط ثلاثين طائرة شاهد فوق كييف")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, module_store_url: str) -> Iterator[Living]:
    """Three outlets have carried the strike, the first of them in two versions. Only read it."""
    with living(tmp_path_factory.mktemp("living"), module_store_url) as found:
        found.feeds.set("/anba", rss("anba", FIRST, VIDEO, TALKS))
        found.feeds.set("/sada", rss("sada", REWORDED))
        found.feeds.set("/nahar", rss("nahar", COPY))
        found.outlets("anba", "sada", "nahar")
        found.rasid("run", "--once")
        found.feeds.set("/anba", rss("anba", REVISED, VIDEO, TALKS))
        found.rasid("run", "--once")
        yield found


def listed(here: Living, *options: str) -> list[dict[str, Any]]:
    return list(json.loads(here.rasid("stories", "list", "--json", *options).stdout)["stories"])


def strike(here: Living) -> int:
    return int(listed(here, "--min-outlets", "3")[0]["id"])


def test_stories_are_listed_with_their_outlets_and_rules(here: Living) -> None:
    stories = {one["headline"]: one for one in listed(here)}
    assert len(stories) == 3
    told = next(one for one in stories.values() if one["alerted"])
    assert (sorted(told["outlets"]), told["articles"], told["alerted"]) == (["anba", "nahar", "sada"], 3, ["shahed"])
    assert [one["id"] for one in listed(here, "--rule", "shahed", "--outlet", "sada")] == [told["id"]]
    assert [one["headline"] for one in listed(here, "--text", "جنيف")] == [TALKS.title]
    assert listed(here, "--until", "2020-01-01") == []
    assert listed(here, "--min-outlets", "4") == []
    page = json.loads(here.rasid("stories", "list", "--json", "--limit", "2").stdout)
    rest = listed(here, "--before", str(page["next_before"]))
    assert sorted(one["id"] for one in [*page["stories"], *rest]) == sorted(one["id"] for one in stories.values())


def test_the_page_of_a_story_tells_who_was_first_and_how_its_headline_changed(here: Living) -> None:
    told = json.loads(here.rasid("stories", "show", str(strike(here)), "--json").stdout)
    assert (told["first"]["outlet"], told["first"]["when"]) == ("anba", EARLIER.isoformat())
    assert [one["outlet"] for one in told["timeline"]] == ["anba", "sada", "nahar"]
    assert all(one["rules"] == ["shahed"] for one in told["timeline"])
    headlines = [(one["title"], one["outlet"], one["articles"]) for one in told["headlines"]]
    assert headlines == [(STRIKE.title, "anba", 2), (REWORDED.title, "sada", 1), (REVISED.title, "anba", 1)]
    assert [(one["rule"], one["messages"][0]["state"]) for one in told["alerts"]] == [("shahed", "sent")]


def test_a_revision_is_kept_shown_word_by_word_and_never_alerts_again(here: Living) -> None:
    told = json.loads(here.rasid("stories", "show", str(strike(here)), "--json").stdout)
    revisions = [one["revisions"] for one in told["timeline"]]
    assert [len(one) for one in revisions] == [1, 0, 0]
    title = [(part["kind"], part["text"]) for part in revisions[0][0]["changes"]["title"]]
    assert title == [
        ("kept", "إسقاط"), ("removed", "عشرين"), ("added", "ثلاثين"), ("kept", "طائرة شاهد فوق كييف"),
    ]  # fmt: skip
    assert len(told["alerts"]) == 1
    assert here.rows("select count(*) from messages where kind = 'story'") == [(1,)]


def test_the_page_is_readable(here: Living) -> None:
    page = here.rasid("stories", "show", str(strike(here))).stdout
    lines = page.splitlines()
    assert "3 outlets, 3 articles" in lines[0]
    assert "[-عشرين-] {+ثلاثين+} طائرة" in page
    local = EARLIER.astimezone(ZoneInfo("Asia/Beirut")).strftime("%Y-%m-%d %H:%M")
    assert any(local in line and "\u2068anba\u2069" in line and STRIKE.title in line for line in lines)
    assert any("as article" in line for line in lines)
    assert "main: sent" in page


def test_the_page_says_why_a_rule_has_not_alerted(here: Living) -> None:
    story = str(listed(here, "--text", "جنيف")[0]["id"])
    told = json.loads(here.rasid("stories", "show", story, "--json").stdout)
    assert [(one["rule"], one["fate"], one["detail"]) for one in told["not_alerted"]] == [
        ("caucasus", "held", "1 of 2 outlets")
    ]
    assert (
        "waits until min_outlets outlets carry the story (1 of 2 outlets)"
        in here.rasid("stories", "show", story).stdout
    )


def test_a_story_that_does_not_exist_is_told(here: Living) -> None:
    told = here.rasid("stories", "show", "999999", check=False)
    assert told.returncode == 2 and "there is no story 999999" in told.stderr


def test_a_folder_without_a_database_says_so(tmp_path: Path) -> None:
    with living(tmp_path, f"sqlite:///{tmp_path / 'none.db'}") as here:
        here.outlets("anba")
        told = here.rasid("stories", "list", check=False)
        assert told.returncode == 2 and "start rasid once" in told.stderr


def test_an_analyst_merges_and_splits_beside_the_daemon_and_it_follows(tmp_path: Path, store_url: str) -> None:
    with living(tmp_path, store_url) as here:
        here.feeds.set("/anba", rss("anba", FIRST))
        here.feeds.set("/sada", rss("sada", REWORDED))
        here.feeds.set("/nahar", rss("nahar", replace(REWORDED, guid="again")))
        here.outlets("anba")
        here.start()
        here.wait(lambda: len(here.messages()) == 1)
        here.outlets("anba", "sada")
        here.wait(lambda: "sada" in "".join(one["text"] for one in here.messages()))
        split = json.loads(here.rasid("stories", "split", "1", "2", "--json").stdout)
        assert split == {"story": 2, "articles": 1, "alerts": 1}
        here.wait(lambda: len(here.messages()) == 2)
        here.outlets("anba", "sada", "nahar")
        here.wait(lambda: "nahar" in here.messages()[1]["text"])
        assert here.rows("select story_id from articles order by id") == [(1,), (2,), (2,)]
        merged = here.rasid("stories", "merge", "1", "2").stdout
        assert merged == "story 2 is part of story 1 now: 2 articles moved, no alert\n"
        edits = "select count(*) from deliveries where message_id = 1 and operation = 'edit' and state = 'pending'"
        assert here.rows(edits) == [(1,)]  # a message is edited once a minute at most
        page = here.rasid("stories", "show", "1").stdout
        assert "story 2 was merged into this: articles 2, 3" in page
        told = here.rasid("stories", "show", "2", check=False)
        assert told.returncode == 2 and "it was merged into story 1" in told.stderr
        assert here.stop() == 0


def test_two_articles_are_explained_with_their_figures(here: Living) -> None:
    story = json.loads(here.rasid("stories", "show", str(strike(here)), "--json").stdout)
    first, second, copy = (str(one["id"]) for one in story["timeline"])
    told = json.loads(here.rasid("stories", "explain", first, second, "--json").stdout)
    assert (told["joins"], told["how"], told["one_story"], told["text"]) == (True, "body", True, 1.0)
    assert [one["story"] for one in told["articles"]] == [story["id"]] * 2
    assert "✓ one story: title and text are the same" in here.rasid("stories", "explain", first, copy).stdout
    talks = json.loads(here.rasid("stories", "show", str(listed(here, "--text", "جنيف")[0]["id"]), "--json").stdout)[
        "timeline"
    ][0]["id"]
    page = here.rasid("stories", "explain", first, str(talks)).stdout
    assert "✗ not one story: too little is alike" in page
    assert f"article {talks} was placed: it opened a story" in page and "decided otherwise" not in page


def test_articles_that_cannot_be_explained_are_told(here: Living) -> None:
    assert "there is no article 98, 99" in here.rasid("stories", "explain", "98", "99", check=False).stderr
    assert "article 1 is one article: name two" in here.rasid("stories", "explain", "1", "1", check=False).stderr

"""`rasid hits`, `alerts`, `status` and `db` on a database that a real run has filled, on SQLite and Postgres."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.living import Living, living, rss
from tests.test_end_to_end import STRIKE, TALKS, VIDEO


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, module_store_url: str) -> Iterator[Living]:
    """Two outlets have carried the strike, one of them the talks and a video; one article is old. Only read it."""
    with living(tmp_path_factory.mktemp("living"), module_store_url) as found:
        old = replace(STRIKE, title="كييف تعلن إسقاط ثلاث طائرات شاهد قبل أسبوع", text="خبر قديم.", guid="old")
        old = replace(old, when=datetime.now(UTC) - timedelta(days=9))
        found.feeds.set("/anba", rss("anba", STRIKE, VIDEO, TALKS, old))
        found.feeds.set("/sada", rss("sada", replace(STRIKE, title="أوكرانيا: إسقاط 20 طائرة شاهد ليلا")))
        found.outlets("anba", "sada")
        found.rasid("run", "--once")
        yield found


def test_every_hit_is_told_with_its_fate(here: Living) -> None:
    def hits(*options: str) -> list[tuple[str, str, str]]:
        found = json.loads(here.rasid("hits", "--json", *options).stdout)["hits"]
        return sorted((one["rule"], one["reason"], one["fate"]) for one in found)

    strike = [("shahed", "joined_story", "grouped"), ("shahed", "new_story", "delivered")]
    old = ("shahed", "too_old", "muted")
    assert hits() == [("caucasus", "too_few_outlets", "held"), *strike, old]
    assert hits("--rule", "shahed", "--decision", "muted") == [old]
    assert hits("--text", "بطائرات الأوكرانية -جنيف") == []
    assert hits("--text", "أوديسا") == strike
    assert hits("--text", "أسبوع'\" OR )( *") == []
    assert hits("--since", "2020-01-01", "--until", "2020-01-02") == []
    spans = json.loads(here.rasid("hits", "--decision", "alert", "--json").stdout)["hits"][0]["spans"]
    assert {"شاهد"} <= {span["text"] for span in spans}


def test_hits_are_paged_without_loss(here: Living) -> None:
    seen: list[int] = []
    before: list[str] = []
    for _ in range(9):
        page = json.loads(here.rasid("hits", "--json", "--limit", "1", *before).stdout)
        seen += [one["id"] for one in page["hits"]]
        if page["next_before"] is None:
            break
        before = ["--before", str(page["next_before"])]
    assert len(seen) == 4 and seen == sorted(seen, reverse=True)


def test_an_alert_names_its_outlets_and_its_message(here: Living) -> None:
    found = json.loads(here.rasid("alerts", "--json").stdout)["alerts"]
    assert [(one["rule"], sorted(one["outlets"]), one["severity"]) for one in found] == [
        ("shahed", ["anba", "sada"], "high")
    ]
    assert [(post["channel"], post["state"]) for post in found[0]["messages"]] == [("main", "sent")]
    told = json.loads(here.rasid("alerts", "--json").stdout)
    assert told["alerts"][0]["reason"] == "new_story"
    assert told["held_back"] == {"too_few_outlets": 1, "too_old": 1}
    assert json.loads(here.rasid("alerts", "--rule", "caucasus", "--json").stdout)["held_back"] == {
        "too_few_outlets": 1
    }
    line = here.rasid("alerts").stdout
    assert "main: sent" in line and "\u2068" in line


def test_the_ledger_accounts_for_every_hit_with_a_link_to_its_message(here: Living) -> None:
    found = json.loads(here.rasid("ledger", "--since", "24h", "--limit", "1", "--json").stdout)
    assert found["fates"] == {"delivered": 1, "grouped": 1, "held": 1, "muted": 1}
    assert (found["total"], found["reasons"]["muted"], found["removed"]) == (4, {"too_old": 1}, {})
    assert len(found["hits"]) == 1 and found["next_before"] is not None
    rows = json.loads(here.rasid("ledger", "--fate", "delivered", "--json").stdout)
    assert rows["total"] == 1 and rows["hits"][0]["at"] >= rows["hits"][0]["created"]
    assert [post["link"] for post in rows["hits"][0]["messages"]] == ["https://t.me/c/1234567890/1"]
    told = here.rasid("ledger")
    assert "https://t.me/c/1234567890/1" in told.stdout and "first hit of this rule in this story" in told.stdout
    assert "waits until min_outlets outlets carry the story: \u20681 of 2 outlets\u2069" in told.stdout
    assert told.stderr.splitlines()[-1].startswith("4 hits: 1 delivered (1 new_story); 1 grouped")
    assert here.rasid("ledger", "--fate", "held").stderr.splitlines()[-1].startswith("1 hit: 1 held")
    assert "no rule is called shahid: did you mean shahed?" in here.rasid("ledger", "--rule", "shahid").stderr


def test_what_failed_is_listed_mended_and_sent_again(tmp_path: Path) -> None:
    with living(tmp_path, f"sqlite:///{tmp_path / 'rasid.db'}") as here:
        here.feeds.set("/anba", rss("anba", STRIKE))
        here.outlets("anba")
        here.fault(kind="status", status=400, description="Bad Request: message is not to my liking")
        here.rasid("run", "--once")
        assert json.loads(here.rasid("ledger", "--json").stdout)["fates"] == {"failed": 1}
        told = here.rasid("deliveries", "list", "--state", "dead").stdout
        assert "main\tsend\tdead\t1\tBad Request: message is not to my liking" in told
        wrong = here.rasid("deliveries", "retry", "1", "--all-failed", check=False)
        assert wrong.returncode == 2 and "give one of them" in wrong.stderr
        again = here.rasid("deliveries", "retry", "--channel", "main").stdout
        assert again == "✓ 1 in main is sent again; it had failed: Bad Request: message is not to my liking\n"
        assert here.rasid("deliveries", "retry", "--all-failed", check=False).returncode == 1
        here.rasid("run", "--once")
        (sent,) = [
            one
            for one in json.loads(here.rasid("deliveries", "list", "--json").stdout)["deliveries"]
            if one["kind"] == "story"
        ]
        assert (sent["state"], sent["ends"][0]["reason"]) == ("sent", "Bad Request: message is not to my liking")
        assert sent["link"].startswith("https://t.me/c/1234567890/")
        assert len([one for one in here.messages() if "إسقاط عشرين" in one["text"]]) == 1


def test_status_tells_the_delay_and_the_queue(here: Living) -> None:
    told = json.loads(here.rasid("status", "--json").stdout)
    assert (told["feeds"], told["feeds_failing"], told["queue"]) == (2, 0, 0)
    assert told["since_published"]["count"] == 1
    assert 0 <= told["since_first_seen"]["p50"] <= told["since_published"]["p50"] + 5
    assert told["hits"] == {"alert": 1, "held": 1, "joined": 1, "muted": 1}
    assert "2 watched" in here.rasid("status").stdout


def test_old_stories_are_removed_and_do_not_come_back(here: Living) -> None:
    refused = here.rasid("db", "prune", "--keep", "1h", "--yes", check=False)
    assert refused.returncode == 2 and "at least 7d" in refused.stderr
    assert json.loads(here.rasid("db", "prune", "--yes", "--json").stdout)["articles"] == 0
    facts = json.loads(here.rasid("db", "info", "--json").stdout)
    assert (facts["rows"]["articles"], facts["not_indexed"]) == (5, 0)
    assert facts["size"] > 10_000
    assert "tables at" in here.rasid("db", "upgrade").stdout


def test_without_a_database_the_mend_is_said(tmp_path: Path) -> None:
    with living(tmp_path, f"sqlite:///{tmp_path / 'none.db'}") as here:
        here.outlets("anba")
        told = here.rasid("hits", check=False)
        assert told.returncode == 2 and "start rasid once" in told.stderr

"""Routes: which channels an alert goes to, how channels.yaml says it, and how it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor import yamlfile
from monitor.alerts.routing import routing
from monitor.arrivals import release_held
from monitor.delivery import routes
from monitor.errors import ConfigError
from monitor.faces.cli.routes import Routed, draw
from monitor.model import Outlet, Rule, Severity
from monitor.model_delivery import Channel, Mode, Route
from tests.desk import NOW, SHAHED, Desk, desks
from tests.living import RULES, Living, living, rss
from tests.test_controls import EVENTS, tell
from tests.test_decide import ARTICLE
from tests.test_end_to_end import STRIKE

URGENT = Route(("urgent",), severities=(Severity.HIGH,), go_on=True)
IRAN = Route(("iran", "urgent"), tags=("iran",), countries=("IR", "IQ"))
REST = Route(("main",))
CHANNELS = ("first", "main", "urgent", "iran")
HIGH = Rule("high", "", "", severity=Severity.HIGH)
TAGGED = Rule("tagged", "", "", tags=("nuclear", "iran"))


def outlet(country: str) -> Outlet:
    return Outlet("o", "", "", country, "ar")


def to(rule: Rule, *asked: Route, country: str = "LB", language: str = "ar") -> tuple[str, ...]:
    article = replace(ARTICLE, language=language)
    return routing(asked, CHANNELS, rule, article, outlet(country)).channels


def test_the_first_route_that_holds_takes_an_alert_unless_it_says_continue() -> None:
    assert to(HIGH, URGENT, IRAN, REST) == ("urgent", "main")
    assert to(TAGGED, URGENT, IRAN, REST, country="IR") == ("iran", "urgent")
    assert to(TAGGED, URGENT, IRAN, REST) == ("main",)
    both = replace(TAGGED, severity=Severity.HIGH)
    assert to(both, URGENT, IRAN, REST, country="iq") == ("urgent", "iran")  # each channel once


def test_a_rules_own_channels_go_before_all_routes() -> None:
    own = replace(HIGH, channels=("iran", "gone"))
    found = routing((URGENT, REST), CHANNELS, own, ARTICLE, None)
    assert (found.channels, found.by) == (("iran",), "rule")
    assert not any(step.asked for step in found.steps)


def test_what_no_route_takes_goes_to_the_default_channel() -> None:
    found = routing((IRAN,), CHANNELS, HIGH, ARTICLE, None)
    assert (found.channels, found.by) == (("first",), "default")
    assert to(HIGH) == ("first",)


def test_every_criterion_is_asked_of_what_it_names() -> None:
    for route, holds in (
        (Route(("main",), rules=("high",)), True),
        (Route(("main",), rules=("tagged",)), False),
        (Route(("main",), languages=("fa", "ar")), True),
        (Route(("main",), languages=("en",)), False),
        (Route(("main",), outlets=("alpha",)), True),
        (Route(("main",), outlets=("beta",)), False),
        (Route(("main",), countries=("LB",)), True),
        (Route(("main",), severities=(Severity.LOW, Severity.HIGH)), True),
        (Route(("main",), severities=(Severity.LOW,)), False),
    ):
        (step,) = routing((route,), CHANNELS, HIGH, replace(ARTICLE, language="ar-LB"), outlet("LB")).steps
        assert step.takes is holds, route
    (step,) = routing((Route(("main",), countries=("LB",)),), CHANNELS, HIGH, ARTICLE, None).steps
    assert not step.takes and step.criteria[0].there == ()


# ── the file ──


def read(text: str) -> tuple[tuple[Route, ...], list[str]]:
    found, warnings = routes.read(yamlfile.parse(text, "channels.yaml"), ["main", "urgent"])
    return found, [str(one) for one in warnings]


def test_routes_are_read_with_one_or_many_values() -> None:
    found, warnings = read("""
routes:
  - {severity: high, channels: urgent, continue: yes}
  - severity: [normal, high]
    tags: iran
    countries: [ir, IQ]
    languages: AR
    outlets: [a, b]
    rules: r
    channels: [main, urgent, main]
  - channels: [main]
""")
    assert found[0] == Route(("urgent",), severities=(Severity.HIGH,), go_on=True)
    assert found[1] == Route(
        ("main", "urgent"), (Severity.NORMAL, Severity.HIGH), ("r",), ("iran",), ("IR", "IQ"), ("ar",), ("a", "b")
    )
    assert found[2] == REST and warnings == []
    assert read("channels: []\n") == ((), []) and read("routes:\n") == ((), [])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{channels: [mian]}", "channels.yaml:2:17: routes.0.channels.0: there is no channel mian: did you mean main?"),
        ("{tags: x}", "routes.0.channels: is required"),
        ("{channels: []}", "routes.0.channels: should have at least 1"),
        ("{channels: main, severity: huge}", "routes.0.severity"),
        ("{channels: main, countries: Iran}", "no country code"),
        ("{channels: main, tag: x}", "did you mean tags?"),
        ("{channels: main, continue: perhaps}", "routes.0.continue"),
        ("main", "routes.0"),
    ],
)
def test_what_is_wrong_with_a_route_is_said_at_its_place(line: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(f"routes:\n  - {line}\n")
    assert says in str(caught.value)


def test_a_route_that_is_never_asked_is_warned_of() -> None:
    _, warnings = read("routes:\n  - {channels: main}\n  - {channels: urgent, severity: high}\n")
    assert len(warnings) == 1 and "channels.yaml:3:5: warning: routes.1: is never asked" in warnings[0]
    assert read("routes:\n  - {channels: main, continue: true}\n  - {channels: urgent}\n")[1] == []


# ── alerts ──


def desk_of(desk: Desk) -> Desk:
    desk.flow.channels = {name: Channel(name, "console") for name in CHANNELS}
    desk.flow.outlets = {name: replace(outlet("IR" if name in "bc" else "SA"), id=name) for name in "abcdefgh"}
    return desk


def sent(desk: Desk) -> list[tuple[object, ...]]:
    return desk.rows("select channel, kind from messages order by channel, id")


def test_an_alert_goes_where_the_article_that_raised_it_leads(store_url: str) -> None:
    with desks(store_url, rules=[(replace(SHAHED, tags=("iran",)), "شاهد")]) as (made,):
        desk = desk_of(made)
        desk.flow.routes = (IRAN, REST)
        tell(desk, 0, 1)
        assert sent(desk) == [("iran", "story"), ("main", "story"), ("urgent", "story")]


def test_a_story_that_is_raised_is_routed_as_high(store_url: str) -> None:
    with desks(store_url, rules=[(replace(SHAHED, escalate=2), "شاهد")]) as (made,):
        desk = desk_of(made)
        desk.flow.routes = (replace(URGENT, go_on=False), REST)
        for name in "ab":
            desk.take(name, *EVENTS[0])
        assert sent(desk) == [("main", "story"), ("urgent", "development")]


def test_the_article_that_raises_a_story_comes_once_to_a_channel_that_wants_each(store_url: str) -> None:
    with desks(store_url, rules=[(replace(SHAHED, escalate=3), "شاهد")]) as (made,):
        desk = desk_of(made)
        desk.flow.channels = {name: replace(one, mode=Mode.EACH) for name, one in desk.flow.channels.items()}
        desk.flow.routes = (URGENT, REST)
        for name in "abcd":
            desk.take(name, *EVENTS[0])
        assert sent(desk) == [
            *(("main", "article"), ("main", "article"), ("main", "development"), ("main", "article")),
            *(("urgent", "development"), ("urgent", "article")),
        ]


def test_what_waited_comes_to_each_channel_as_one_digest_of_what_is_for_it(store_url: str) -> None:
    cooling = replace(SHAHED, tags=("iran",), cooldown=timedelta(hours=1))
    with desks(store_url, rules=[(cooling, "شاهد")]) as (made,):
        desk = desk_of(made)
        desk.flow.routes = (replace(IRAN, channels=("iran",)), REST)
        tell(desk, 0, 1, 2, 3)
        assert release_held(desk.flow, NOW + timedelta(hours=2)) == 3
        assert sent(desk) == [("iran", "digest"), ("main", "story"), ("main", "story")]


# ── the command ──

WIRED = """
channels:
  - {name: main, type: telegram}
  - {name: urgent, type: console}
  - {name: beirut, type: console}
routes:
  - {severity: high, channels: [urgent], continue: true}
  - {tags: [ir], countries: [LB], channels: [beirut]}
  - {rules: [caucasus], channels: [main]}
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    folder = tmp_path_factory.mktemp("living")
    with living(folder, f"sqlite:///{folder / 'rasid.db'}") as found:
        found.feeds.set("/anba", rss("anba", STRIKE))
        found.outlets("anba")
        found.write("channels.yaml", WIRED)
        found.write("rules.yaml", RULES.replace("    severity: high", "    severity: high\n    tags: [ir, drones]"))
        found.rasid("run", "--once")
        yield found


def told(here: Living, *asked: str) -> dict[str, object]:
    (one,) = json.loads(here.rasid("channels", "route", *asked, "--json").stdout)["rules"]
    return dict(one)


def test_a_text_is_routed_as_far_as_it_tells(here: Living) -> None:
    one = told(here, "طائرة شاهد فوق كييف")
    assert (one["rule"], one["channels"], one["by"]) == ("shahed", ["urgent"], "routes")
    page = here.rasid("channels", "route", "طائرة شاهد فوق كييف").stdout.splitlines()
    assert page[0] == "shahed  \u2068مسيّرات شاهد\u2069 · high → urgent"
    assert [line.lstrip("│├└─ ") for line in page[1:]] == [
        "✓ route 1 → urgent, and on (continue)",
        "✓ severity high",
        "✗ route 2 → beirut",
        "✓ tags ir",
        "✗ countries LB; here unknown",
        "✗ route 3 → main",
        "✗ rules caucasus; here shahed",
    ]
    with_outlet = told(here, "طائرة شاهد فوق كييف", "--outlet", "anba")
    assert with_outlet["channels"] == ["urgent", "beirut"]
    assert "route 3 → main: not asked" in here.rasid("channels", "route", "طائرة شاهد", "--outlet", "anba").stdout


def test_a_line_that_is_wider_than_the_page_is_drawn_whole(capsys: pytest.CaptureFixture[str]) -> None:
    names = tuple(f"channel-{number}" for number in range(40))
    rule = replace(HIGH, channels=names)
    draw([Routed(rule, routing([REST], names, rule, ARTICLE, outlet("LB")))])
    assert capsys.readouterr().out.splitlines()[1].endswith(", channel-39; routes are not asked")


def test_a_stored_hit_is_routed_as_it_was_sent(here: Living) -> None:
    ((hit,),) = here.rows("select id from hits")
    assert told(here, str(hit))["channels"] == ["urgent", "beirut"]
    assert sorted(here.rows("select channel from messages")) == [("beirut",), ("urgent",)]


def test_a_rule_may_be_asked_for_that_does_not_hit(here: Living) -> None:
    none = here.rasid("channels", "route", "كرة القدم", check=False)
    assert none.returncode == 1 and "no rule hits it" in none.stdout
    assert told(here, "كرة القدم", "--rule", "caucasus")["channels"] == ["main"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["99"], "there is no hit 99"),
        (["x", "--rule", "shahd"], "did you mean shahed?"),
        (["x", "--outlet", "anaba"], "did you mean anba?"),
    ],
)
def test_what_is_not_there_is_told(here: Living, asked: list[str], says: str) -> None:
    done = here.rasid("channels", "route", *asked, check=False)
    assert done.returncode == 2 and says in done.stderr


def test_routes_that_name_what_is_not_there_are_refused_and_a_running_daemon_takes_an_edit_over(tmp_path: Path) -> None:
    with living(tmp_path, f"sqlite:///{tmp_path / 'rasid.db'}") as here:
        here.feeds.set("/anba", rss("anba", STRIKE))
        here.feeds.set("/sada", rss("sada"))
        here.outlets("sada")
        here.write("channels.yaml", WIRED.replace("caucasus", "caucasas").replace("severity: high", "outlets: [anab]"))
        said = here.rasid("check", check=False).stdout
        assert "routes.0.outlets.0: there is no outlet anab: there are sada" in said
        assert "routes.2.rules.0: there is no rule caucasas: did you mean caucasus?" in said
        here.write("channels.yaml", WIRED)
        assert "there is no rule with the tag ir" in here.rasid("check").stdout
        here.write("channels.yaml", "channels:\n  - {name: main, type: telegram}\n")
        here.start()
        here.wait(lambda: here.rows("select count(*) from feeds") == [(1,)])
        here.write("channels.yaml", WIRED)
        here.wait(lambda: '"configuration reloaded"' in here.log())
        here.outlets("anba")
        here.wait(lambda: here.rows("select channel from messages") == [("urgent",)])

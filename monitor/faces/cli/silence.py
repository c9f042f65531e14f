"""`rasid silence`: keep a rule, an outlet, a story or a subject quiet for a while."""

from __future__ import annotations

import contextlib
import getpass
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from monitor.errors import RasidError
from monitor.faces.cli import complete
from monitor.faces.cli.common import AsJson, ConfigDir, isolated, print_json, print_table, told
from monitor.faces.cli.ledger import iso, reading
from monitor.faces.cli.times import moment, shown
from monitor.model import LARGEST_ID, Silence
from monitor.runtime import configuration, database, silencing
from monitor.yamlfile import parse_duration

app = typer.Typer(no_args_is_help=True)
_Rule = Annotated[str | None, typer.Option("--rule", "-r", autocompletion=complete.rules, help="Hits of this rule.")]
_Outlet = Annotated[
    str | None, typer.Option("--outlet", "-o", autocompletion=complete.outlets, help="Articles of this outlet.")
]
_Story = Annotated[
    int | None, typer.Option("--story", min=1, max=LARGEST_ID, help="Articles of this story, by number.")
]


@app.command("add")
def add(
    rule: _Rule = None,
    outlet: _Outlet = None,
    story: _Story = None,
    text: Annotated[
        str, typer.Option("--text", "-t", help="Articles that this query holds for, written as in a rule's match.")
    ] = "",
    lasts: Annotated[str | None, typer.Option("--for", help="How long from now: 30m, 6h, 2d.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Its end: 2026-11-26, 2026-11-26T08:00.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for those who read the list.")] = "",
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Let something alert nobody for a while. Criteria that are given together must all hold.

    What comes meanwhile is stored as muted, with the silence as its reason, and is not sent later; a later article of a
    story that was not told alerts as ever. A running daemon obeys at once. Messages that were sent are still edited.
    Examples: rasid silence add --rule shahed-drones --for 6h · rasid silence add --story 12 --until 2026-11-26T08:00 ·
    rasid silence add --outlet bbc-arabic --text 'title:(كرة OR دوري)' --for 2d --reason "the cup"
    """
    now = datetime.now(UTC)
    with told():
        found = configuration.load(config)
        zone = found.settings.settings.zone
        end = _end(lasts, until, zone, now)
        with contextlib.closing(database.open_store(found)) as store:
            made = silencing.silence(
                store, found, end, now, rule=rule, outlet=outlet, story=story, text=text, reason=reason, author=_user()
            )
    if as_json:
        print_json(_json(made, now))
    else:
        typer.echo(f"silence {made.id} until {shown(made.until, zone)}: {what(made)}")


@app.command("list")
def list_silences(
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """List the silences in force, the newest first.

    One whose query can no longer be read, like that of a term list that is gone from the rules, silences nothing.

    Examples: rasid silence list · rasid silence list --all --json
    """
    now = datetime.now(UTC)
    with reading(config) as (found, store):
        zone = found.settings.settings.zone
        silences = store.silences(None if everything else now)
    wrong = silencing.unread(found, (one for one in silences if _state(one, now) == "in force"))
    if as_json:
        print_json({"silences": [{**_json(one, now), "problem": wrong.get(one.id)} for one in silences]})
        return
    rows = [
        [
            str(one.id),
            "without effect" if one.id in wrong else _state(one, now),
            shown(one.created, zone),
            shown(one.end, zone),
            one.author,
            what(one) + (f": cannot be read: {wrong[one.id]}" if one.id in wrong else ""),
        ]
        for one in silences
    ]
    print_table(["silence", "", "from", "to", "by", "what"], rows)


@app.command("end")
def end(
    silence_id: Annotated[int, typer.Argument(min=1, max=LARGEST_ID, metavar="SILENCE", help="Its number.")],
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """End a silence now. What it muted stays muted; what comes from now on alerts.

    Example: rasid silence end 3
    """
    now = datetime.now(UTC)
    with told():
        found = configuration.load(config)
        with contextlib.closing(database.open_store(found)) as store:
            ended = store.end_silence(silence_id, now)
        if ended is None:
            raise RasidError(f"there is no silence {silence_id}: rasid silence list --all shows them")
    if as_json:
        print_json(_json(ended, now))
    else:
        over = ended.end < now
        zone = found.settings.settings.zone
        typer.echo(
            f"silence {ended.id} {'was over at' if over else 'ends now,'} {shown(ended.end, zone)}: {what(ended)}"
        )


def what(silence: Silence) -> str:
    """What a silence is of, and why, on one line."""
    given = [("rule", silence.rule_id), ("outlet", silence.outlet_id), ("story", silence.story_id)]
    parts = [f"{name} {value}" for name, value in given if value is not None]
    parts += [f"text {isolated(silence.text)}"] if silence.text else []
    return " and ".join(parts) + (f" ({isolated(silence.reason)})" if silence.reason else "")


def _end(lasts: str | None, until: str | None, zone: str, now: datetime) -> datetime:
    if (lasts is None) == (until is None):
        raise RasidError("say how long, with one of them: --for 6h or --until 2026-11-26T08:00")
    if until is not None:
        return moment(until, zone, now)
    try:
        return now + parse_duration(lasts)
    except (ValueError, OverflowError) as error:
        raise RasidError(f"--for: {error}") from None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return "command line"


def _state(silence: Silence, now: datetime) -> str:
    if silence.ended is not None:
        return "ended early"
    return "in force" if silence.until > now else "over"


def _json(silence: Silence, now: datetime) -> dict[str, object]:
    times = {name: iso(getattr(silence, name)) for name in ("created", "until", "ended")}
    return {**asdict(silence), **times, "state": _state(silence, now)}

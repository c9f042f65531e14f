"""`rasid audit`: what people did through the bot, and what came of it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from monitor.faces.cli.common import AsJson, ConfigDir, isolated, print_json, print_table
from monitor.faces.cli.ledger import BeforeOption, LimitOption, iso, more, reading
from monitor.faces.cli.times import shown


def audit(
    person: Annotated[str | None, typer.Option("--person", help="Only of this Telegram user, by number.")] = None,
    limit: LimitOption = 30,
    before: BeforeOption = None,
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """List what people did through the bot, the newest first: who, as what, what they asked, and what came of it.

    Examples: rasid audit · rasid audit --person 77001 --json
    """
    with reading(config) as (found, store):
        zone = found.settings.settings.zone
        page = store.actions(person=person, limit=limit, before_id=before)
    if as_json:
        rows = [{**asdict(one), "at": iso(one.at)} for one in page.items]
        print_json({"actions": rows, "next_before": page.next_before})
        return
    table = [
        [
            str(one.id),
            shown(one.at, zone),
            one.person,
            _line(one.name),
            one.role,
            _line(one.action),
            _line(one.result),
            _line(one.given),
        ]
        for one in page.items
    ]
    print_table(["action", "when", "person", "name", "role", "did", "result", "asked"], table)
    more(page.next_before, len(table), "audit")


def _line(text: str) -> str:
    return isolated(" ".join("".join(one if one.isprintable() else " " for one in text).split()))

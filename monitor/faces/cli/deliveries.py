"""`rasid deliveries`: what waits to be sent, what failed and why, and having it sent again once that is mended."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from monitor.delivery.links import link
from monitor.errors import RasidError
from monitor.faces.cli import complete
from monitor.faces.cli.common import AsJson, ConfigDir, print_json, print_table, told
from monitor.faces.cli.ledger import BeforeOption, LimitOption, headline, iso, more, reading
from monitor.faces.cli.times import shown
from monitor.model import LARGEST_ID
from monitor.runtime import configuration, database
from monitor.store.delivery_records import DeliveryFilter, DeliveryRow, Retried

app = typer.Typer(no_args_is_help=True)


class State(StrEnum):
    """The states of a delivery as the shell offers them."""

    PENDING = "pending"
    SENDING = "sending"
    UNKNOWN = "unknown"
    SENT = "sent"
    DEAD = "dead"


ChannelOption = Annotated[
    str | None, typer.Option("--channel", autocompletion=complete.channels, help="Only of this channel.")
]


@app.command("list")
def list_deliveries(
    state: Annotated[
        list[State] | None, typer.Option("--state", "-s", help="Only in this state; may be given more than once.")
    ] = None,
    channel: ChannelOption = None,
    limit: LimitOption = 30,
    before: BeforeOption = None,
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """List deliveries, the newest first: sends, edits and deletions of messages, in which state, and why.

    Examples: rasid deliveries list --state dead · rasid deliveries list --state pending --state unknown --json
    """
    with reading(config) as (found, store):
        zone = found.settings.settings.zone
        states = tuple(one.value for one in state or ())
        page = store.deliveries(DeliveryFilter(states, channel, limit, before))
    if as_json:
        print_json({"deliveries": [_json(row) for row in page.items], "next_before": page.next_before})
        return
    rows = [
        [
            str(row.id),
            shown(row.settled or row.created, zone),
            row.channel,
            row.operation,
            row.state,
            str(row.attempt),
            row.reason or (f"before: {row.ends[-1].reason}" if row.ends else "-"),
            headline(row.headline),
        ]
        for row in page.items
    ]
    print_table(["delivery", "when", "channel", "operation", "state", "attempts", "reason", "headline"], rows)
    more(page.next_before, len(rows), "deliveries list")


@app.command("retry")
def retry_deliveries(
    ids: Annotated[list[int] | None, typer.Argument(min=1, max=LARGEST_ID, help="Numbers of deliveries.")] = None,
    channel: ChannelOption = None,
    all_failed: Annotated[bool, typer.Option("--all-failed", help="All that failed, in every channel.")] = False,
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Have failed deliveries made again, once what was wrong with them is mended; how they had failed is kept.

    Only what failed: what waits is made by itself, and what was sent is never sent twice. A message shows its story as
    it is by then. Ends with 1 if nothing was to be done.
    Examples: rasid deliveries retry 12 15 · rasid deliveries retry --channel main · rasid deliveries retry --all-failed
    """
    with told():
        if sum((bool(ids), channel is not None, all_failed)) != 1:
            raise RasidError("give one of them: numbers of deliveries, --channel or --all-failed")
        found = configuration.load(config)
        with contextlib.closing(database.open_store(found)) as store:
            done = store.retry_deliveries(ids or store.dead_deliveries(channel), datetime.now(UTC))
    if as_json:
        print_json({"deliveries": [asdict(one) for one in done]})
    else:
        for one in done:
            typer.echo(_line(one))
        if not done:
            typer.echo("no delivery has failed")
    raise typer.Exit(0 if any(one.again for one in done) else 1)


def _line(one: Retried) -> str:
    if one.again:
        return f"✓ {one.id} in {one.channel} is sent again; it had failed: {one.why}"
    return f"✗ {one.id} is left as it is: {one.why}"


def _json(row: DeliveryRow) -> dict[str, object]:
    ends = [{"ended": iso(one.ended), "again": iso(one.again), "reason": one.reason} for one in row.ends]
    times = {"created": iso(row.created), "due_at": iso(row.due_at), "settled": iso(row.settled)}
    return {**asdict(row), **times, "ends": ends, "link": link(row.chat, row.external_id)}

"""`rasid ledger`: for every hit one line that says what became of it, and a sum that leaves none out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from monitor.delivery.links import link
from monitor.faces.cli.common import AsJson, ConfigDir, isolated, print_json, print_table
from monitor.faces.cli.ledger import (
    BeforeOption,
    LimitOption,
    OutletOption,
    RuleOption,
    SinceOption,
    StoryOption,
    TextOption,
    UntilOption,
    doubt,
    headline,
    hit_filter,
    hit_json,
    more,
    reading,
)
from monitor.faces.cli.times import shown
from monitor.reasons import REASONS
from monitor.store.fates import FATES
from monitor.store.records import HitRow, Ledger


class Fate(StrEnum):
    """The fates as the shell offers them."""

    DELIVERED = "delivered"
    GROUPED = "grouped"
    DIGESTED = "digested"
    QUEUED = "queued"
    HELD = "held"
    MUTED = "muted"
    FAILED = "failed"


def ledger(
    rule: RuleOption = None,
    outlet: OutletOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    fate: Annotated[Fate | None, typer.Option("--fate", "-f", help="Only with this fate.")] = None,
    text: TextOption = None,
    story: StoryOption = None,
    limit: LimitOption = 30,
    before: BeforeOption = None,
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Account for every hit: what became of it, why, since when and where; with the sums.

    It was delivered, grouped, digested, is queued or held, was muted, or failed. The sum counts all, whatever --limit
    shows; hits that retention removed count by the day.

    Examples: rasid ledger --since 24h · rasid ledger --since today --fate failed · rasid ledger --rule shahed-drones
    --json
    """
    with reading(config) as (found, store):
        zone = found.settings.settings.zone
        wanted = hit_filter(zone, rule, outlet, since, until, text, story, limit, before, fate=fate)
        sums = store.ledger(wanted)
        page = store.hits(wanted)
    if not sums.total:
        doubt(found, rule, outlet)
    if as_json:
        rows = [hit_json(row) for row in page.items]
        print_json({**_sums_json(sums), "hits": rows, "next_before": page.next_before})
        return
    table = [
        [
            str(row.hit.id),
            shown(row.at, zone),
            row.hit.rule_id,
            row.fate,
            _why(row, zone),
            _links(row),
            headline(row.article.title),
        ]
        for row in page.items
    ]
    print_table(["hit", "since", "rule", "fate", "why", "message", "headline"], table)
    more(page.next_before, len(table), "ledger")
    typer.echo(_sentence(sums), err=True)


def _why(row: HitRow, zone: str) -> str:
    """The reason in words, which a channel may have said, with what the decision noted; of what is held also when it
    goes."""
    noted = f": {isolated(row.hit.detail)}" if row.hit.detail and row.why == row.hit.code else ""
    until = f" (not before {shown(row.until, zone)})" if row.until else ""
    return f"{REASONS.get(row.why, row.why)}{noted}{until}"


def _links(row: HitRow) -> str:
    found = [link(post.chat, post.external_id) or f"{post.channel}: {post.state}" for post in row.posts]
    return " ".join(dict.fromkeys(found)) or "-"


def _sentence(sums: Ledger) -> str:
    """«12 hits: 5 delivered, 4 grouped, 3 muted (2 trial, 1 too_old)»."""
    told = []
    for one in FATES:
        codes = sums.reasons.get(one, {})
        why = ", ".join(f"{number} {code}" for code, number in codes.items())
        told += [f"{sums.fates[one]} {one} ({why})"] if one in sums.fates else []
    removed = ", ".join(f"{number} {one}" for one, number in sums.removed.items())
    told += [f"removed since: {removed}"] if removed else []
    counted = f"{sums.total} hit{'' if sums.total == 1 else 's'}"
    return f"{counted}{': ' if told else ''}{'; '.join(told)}"


def _sums_json(sums: Ledger) -> dict[str, object]:
    return {"total": sums.total, "fates": sums.fates, "reasons": sums.reasons, "removed": sums.removed}

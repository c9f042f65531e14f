"""What came of a soak of the outbox: every line of the Bot API server's ledger against every row of the database."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

TOKEN = re.compile(r"N(\d{6})X")  # in each title: which alert a message tells of
GROWN = "رديف"  # the outlet that carries a story later

_SENDS = """
select ar.title, d.id as delivery, d.channel, d.state, d.reason, d.unknowns, d.attempt, m.external_id, al.severity
from deliveries d join messages m on m.id = d.message_id join message_alerts ma on ma.message_id = m.id
join alerts al on al.id = ma.alert_id join hits h on h.id = al.hit_id join articles ar on ar.id = h.article_id
where d.operation = 'send' order by d.id
"""


@dataclass
class Verdict:
    """The figures of a run. All are counts; `problems` names what is not as promised, a few of each kind."""

    alerts: int
    delivered: int
    lost: int
    stuck: int
    dead: int
    duplicates: int
    duplicates_unexplained: int
    committed_answer_lost: int
    out_of_order: int
    edits_lost: int
    unmatched: int
    paced_429: int
    seeded_faults: int
    problems: list[str]


def judge(
    database: str, ledger: Path, chats: Mapping[str, set[int]], cut_off: Mapping[int, int], grown: set[int], audit: bool
) -> Verdict:
    """chats: every id that a channel's chat had, by channel. cut_off: attempts that died with a daemon, by delivery.

    grown: the alerts whose story another outlet joined. audit: whether duplicates are forbidden.
    """
    events = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
    rows = _rows(database)
    lines: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        if event["event"] == "delivered" and (found := TOKEN.search(event["text"])):
            lines[int(found.group(1))].append(event)
    problems: list[str] = []
    acknowledged = {(e["chat"], e["message_id"]) for e in events if e["event"] == "acknowledged"}
    counts = dict.fromkeys(("lost", "stuck", "dead", "duplicates", "unexplained", "unmatched", "answer_lost"), 0)

    def wrong(kind: str, number: int, what: str) -> None:
        counts[kind] += 1
        if counts[kind] <= 5:
            problems.append(f"{kind}: alert {number}: {what}")

    for number, row in rows.items():
        here = [line for line in lines.get(number, []) if line["chat"] in chats[row.channel]]
        if row.state == "dead":
            wrong("dead", number, row.reason)
        if row.state not in ("sent", "dead"):
            wrong("stuck", number, f"{row.state}: {row.reason}")
        if not here and not (row.state == "dead" and row.reason):
            wrong("lost", number, f"in no chat of {row.channel}; {row.state}: {row.reason}")
        kept = [line for line in here if str(line["message_id"]) == row.external_id]
        if (row.state == "sent" and len(kept) < 1) or len(here) != len(lines.get(number, [])):
            wrong("unmatched", number, f"the database says {row.external_id}, the ledger {_ids(lines.get(number, []))}")
        for line in here:
            told = (line["chat"], line["message_id"]) in acknowledged
            counts["answer_lost"] += not told or line not in kept
        again = [one for one in here if one not in kept][: len(here) - 1]
        counts["duplicates"] += len(again)
        # An answer that came may be known to nobody only if its daemon died before it wrote it down.
        answered = sum((line["chat"], line["message_id"]) in acknowledged for line in again)
        died = cut_off.get(row.delivery, 0)
        if again and (audit or row.unknowns < len(again) or answered > died):
            what = f"{row.unknowns} unknown of {row.attempt}, {answered} answered, {died} cut off by a kill"
            wrong("unexplained", number, f"{_ids(here)}: {what}")
    counts["unmatched"] += sum(number not in rows for number in lines)
    return Verdict(
        alerts=len(rows),
        delivered=sum(len(one) for one in lines.values()),
        lost=counts["lost"],
        stuck=counts["stuck"] + _waiting(database),
        dead=counts["dead"],
        duplicates=counts["duplicates"],
        duplicates_unexplained=counts["unexplained"],
        committed_answer_lost=counts["answer_lost"],
        out_of_order=_out_of_order(rows, lines, problems),
        edits_lost=_edits_lost(rows, events, grown, chats, problems),
        unmatched=counts["unmatched"],
        paced_429=sum(e["event"] == "flood" for e in events),
        seeded_faults=sum(e["event"] == "fault" for e in events),
        problems=problems,
    )


def fails(verdict: Verdict, *, audit: bool) -> list[str]:
    """The promises that were not kept."""
    figures = asdict(verdict)
    never = ("lost", "stuck", "dead", "duplicates_unexplained", "out_of_order", "edits_lost", "unmatched")
    broken = [name for name in (*never, *(("duplicates",) if audit else ())) if figures[name]]
    if verdict.duplicates > verdict.committed_answer_lost:
        broken.append("duplicates > committed_answer_lost")
    if verdict.paced_429 * 1000 > verdict.delivered:
        broken.append("paced_429 > 1 per 1,000 sends")
    return broken


def _rows(database: str) -> dict[int, Any]:
    """The last send of each alert."""
    return {int(match.group(1)): row for row in _ask(database, _SENDS) if (match := TOKEN.search(row.title))}


def _waiting(database: str) -> int:
    """Edits that never ended."""
    ended = "select count(*) from deliveries where operation <> 'send' and state not in ('sent', 'dead')"
    return int(_ask(database, ended)[0][0])


def _ask(database: str, statement: str) -> Sequence[Any]:
    engine = sa.create_engine(database, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return connection.execute(sa.text(statement)).all()


def _ids(lines: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{one['chat']}/{one['message_id']}" for one in lines) or "nothing"


def _out_of_order(rows: Mapping[int, Any], lines: Mapping[int, Sequence[Any]], problems: list[str]) -> int:
    """Messages that came, the first time, after one committed later, within one channel and severity."""
    first = sorted((one[0]["at"], number) for number, one in lines.items() if number in rows)
    newest: dict[tuple[str, str], int] = {}
    count = 0
    for _, number in first:
        row = rows[number]
        place = (row.channel, row.severity)
        if row.delivery < newest.get(place, 0):
            count += 1
            problems.append(f"out_of_order: alert {number} ({place}) came after delivery {newest[place]}")
        newest[place] = max(newest.get(place, 0), row.delivery)
    return count


def _edits_lost(
    rows: Mapping[int, Any],
    events: Sequence[Mapping[str, Any]],
    grown: set[int],
    chats: Mapping[str, set[int]],
    problems: list[str],
) -> int:
    """Stories that grew, and whose message does not show it. Of chats that moved nothing can be asked."""
    texts = {(e["chat"], str(e["message_id"])): e["text"] for e in events if e["event"] in ("delivered", "edited")}
    count = 0
    for number in grown:
        row = rows[number]
        if row.state != "sent" or len(chats[row.channel]) > 1:
            continue
        (chat,) = chats[row.channel]
        if GROWN not in texts.get((chat, row.external_id), ""):
            count += 1
            problems.append(f"edits_lost: alert {number}: {chat}/{row.external_id}")
    return count

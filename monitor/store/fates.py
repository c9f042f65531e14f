"""What became of a hit, in one word: the only place that decides it, for lists, sums and what is removed alike.

held, muted          its decision says so
delivered, grouped   a message that carries its alert was sent: the alert is its own, or one it joined
digested             only digests that carry it were sent
queued               nothing was sent yet, and something still waits
failed               every send ended without being made
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from monitor.model import Decision, Operation
from monitor.store.tables import alerts, deliveries, hits, message_alerts, messages

OF_THEIR_OWN = ("number_changed", "escalated")  # reasons of hits whose alert tells something else than the story
FATES = ("delivered", "grouped", "digested", "queued", "held", "muted", "failed")


def fate() -> sa.Label[str]:
    """A column for selects from `hits`, labelled "fate"."""
    alert, joined = (hits.c.decision == one.value for one in (Decision.ALERT, Decision.JOINED))
    sent = deliveries.c.state == "sent"
    digest = messages.c.kind == "digest"
    return sa.case(
        (hits.c.decision == Decision.HELD.value, "held"),
        (hits.c.decision == Decision.MUTED.value, "muted"),
        (sa.and_(alert, _send(sent, ~digest)), "delivered"),
        (sa.and_(alert, _send(sent, digest)), "digested"),
        (_send(sent), "grouped"),
        (_send(deliveries.c.state != "dead"), "queued"),
        (_send(), "failed"),
        (sa.and_(joined, ~_alerted()), "grouped"),  # told with the story that an analyst then split it from
        else_="queued",
    ).label("fate")


def alert_of_hit(own: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Which alert tells of a hit: its own, where that tells of a number, or that its story was raised; else what its
    rule told of its story."""
    number = sa.and_(own, alerts.c.hit_id == hits.c.id, alerts.c.change != "")
    story = sa.and_(alerts.c.rule_id == hits.c.rule_id, alerts.c.story_id == hits.c.story_id, alerts.c.change == "")
    return sa.or_(number, sa.and_(story, ~own))


def _alerted() -> sa.ColumnElement[bool]:
    return sa.exists().where(alert_of_hit(_own())).correlate(hits)


def _own() -> sa.ColumnElement[bool]:
    told = alerts.alias()
    of_its_own = hits.c.code.in_(OF_THEIR_OWN)
    return sa.exists().where(of_its_own, told.c.hit_id == hits.c.id, told.c.change != "").correlate(hits)


def _send(*where: sa.ColumnElement[bool]) -> Any:
    """Whether there is such a send of a message that carries the hit's alert."""
    joined = (
        alerts.join(message_alerts, message_alerts.c.alert_id == alerts.c.id)
        .join(messages, messages.c.id == message_alerts.c.message_id)
        .join(deliveries, deliveries.c.message_id == messages.c.id)
    )
    found = sa.select(sa.literal(1)).select_from(joined)
    return (
        found.where(alert_of_hit(_own()), deliveries.c.operation == Operation.SEND.value, *where)
        .correlate(hits)
        .exists()
    )

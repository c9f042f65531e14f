"""What became of a hit, in one word: the only place that decides it, for lists, sums and what is removed alike.

held, muted          its decision says so
delivered, grouped   a message that carries its alert was sent, or edited to show it: the alert is its own, or one it
                     joined
digested             only digests that carry it were sent
queued               nothing that tells of it was sent yet, and something is to go at once
held                 nothing was sent yet, and its alert waits in digests that are open: for their hour, for the end of
                     quiet hours or of a burst
failed               every send, or edit that was to show it, ended without being made
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from monitor.model import Decision
from monitor.model_delivery import Operation
from monitor.store.tables import alerts, deliveries, hits, message_alerts, messages

OF_THEIR_OWN = ("number_changed", "escalated")  # reasons of hits whose alert tells something else than the story
FATES = ("delivered", "grouped", "digested", "queued", "held", "muted", "failed")


# What became of an alert: the best that did in any channel. _COLLECTED: it waits in an open digest, of this kind.
_SENT, _DIGESTED, _WAITS, _DEAD = 6, 5, 4, 0
_COLLECTED = {"burst": 3, "quiet": 2, "digest": 1}


def fate() -> sa.Label[str]:
    """A column for selects from `hits`, labelled "fate"."""
    return _fate(dict.fromkeys(_COLLECTED.values(), "held")).label("fate")


def account() -> sa.Label[str]:
    """As `fate`, labelled "account"; of what waits in a digest with its kind: "held quiet"."""
    return _fate({number: f"held {kind}" for kind, number in _COLLECTED.items()}).label("account")


def _fate(held: Mapping[int, str]) -> sa.Case[str]:
    decided = {one: hits.c.decision == one.value for one in Decision}
    alert = sa.case(
        {_SENT: "delivered", _DIGESTED: "digested", _WAITS: "queued", _DEAD: "failed", **held},
        value=_best(),
        else_="queued",
    )
    untold = sa.case((_alert().is_(None), "grouped"), else_="queued")  # told with a story that it was then split from
    joined = sa.case(
        {_SENT: "grouped", _DIGESTED: "grouped", _WAITS: "queued", _DEAD: "failed", **held},
        value=_best(),
        else_=untold,
    )
    return sa.case(
        (decided[Decision.HELD], "held"),
        (decided[Decision.MUTED], "muted"),
        (decided[Decision.ALERT], alert),
        else_=joined,
    )


def _alert() -> Any:
    """Which alert tells of a hit: its own, where its reason is that; else what its rule told of its story."""
    of_its_own = (hits.c.code.in_(OF_THEIR_OWN), alerts.c.hit_id == hits.c.id, alerts.c.change != "")
    number = sa.select(sa.func.max(alerts.c.id)).where(*of_its_own)
    of_story = (alerts.c.story_id == hits.c.story_id, alerts.c.rule_id == hits.c.rule_id, alerts.c.change == "")
    story = sa.select(alerts.c.id).where(*of_story)
    return sa.func.coalesce(*(one.correlate(hits).scalar_subquery() for one in (number, story)))


def _best() -> Any:
    """NULL where no message carries it. Asked by the alert alone, so that no database begins with all that was sent."""
    digest = messages.c.kind == "digest"
    is_open = sa.and_(messages.c.open, deliveries.c.state == "pending", deliveries.c.attempt == 0)  # see digests
    became = sa.case(
        (sa.and_(deliveries.c.state == "sent", ~digest), _SENT),
        (deliveries.c.state == "sent", _DIGESTED),
        (deliveries.c.state == "dead", _DEAD),
        (~is_open, _WAITS),
        *((messages.c.why == kind, number) for kind, number in _COLLECTED.items()),
        else_=_WAITS,
    )
    tells = sa.case(  # no OR, which might lead a database away from the message
        (message_alerts.c.told_by.is_(None), deliveries.c.operation == Operation.SEND.value),
        else_=deliveries.c.id == message_alerts.c.told_by,
    )
    told = message_alerts.join(messages, messages.c.id == message_alerts.c.message_id).join(
        deliveries, sa.and_(deliveries.c.message_id == messages.c.id, tells)
    )
    found = sa.select(sa.func.max(became)).select_from(told).where(message_alerts.c.alert_id == _alert())
    return found.correlate(hits).scalar_subquery()

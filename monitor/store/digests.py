"""Digests: messages that tell of many stories. Works inside a transaction of the caller's.

Law of this file: an open digest is one that waits to be sent for the first time; alerts join it until its time has
come. Then it is closed and cut into messages of a size that can be read, the gravest stories first; nothing is
left out; before that nobody claims it. What a channel tells at once, or sooner in another digest, it does not tell a
second time: it leaves the digest that it waits in, unless that may have arrived or was cut into several messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.model import Decision
from monitor.model_delivery import Place
from monitor.store import dialect
from monitor.store.connection import Database
from monitor.store.feeds import CLOCK_SLACK, chunks
from monitor.store.posting import add_delivery, add_message, attach
from monitor.store.retention import remove_messages
from monitor.store.tables import alerts, articles, deliveries, hits, message_alerts, messages

PART = 25  # stories of one message
_LONGEST_BURST = timedelta(hours=1)  # that a digest of a burst stays open
_LONGEST = timedelta(hours=25)  # that any other does: a day, also the one on which clocks are changed
_TOLD = (Decision.ALERT.value, Decision.JOINED.value)
GRAVE = {"high": 0, "normal": 1, "low": 2}


class Digests(Database):
    """The store's part that closes digests."""

    def close_digests(self, now: datetime) -> int:
        """Close those whose time has come; how many there were."""
        with self._reading() as connection:
            due = connection.execute(_due(now)).scalars().all()
        for message_id in due:  # one at a time: an intake that holds another one waits for this one at most
            with self._writing() as connection:
                still = _due(now).where(messages.c.id == message_id)
                if connection.execute(dialect.lock_rows(still)).first() is None:
                    continue
                connection.execute(sa.update(messages).where(messages.c.id == message_id).values(open=False))
                waits = (deliveries.c.message_id == message_id, deliveries.c.due_at > now)
                connection.execute(sa.update(deliveries).where(*waits).values(due_at=now))
                _cut(connection, message_id, now)
        return len(due)


def collect(connection: sa.Connection, alert_ids: Sequence[int], place: Place, now: datetime, *, priority: int) -> int:
    """Let alerts of one story, or of one change in it, join the channel's open digest of the place's kind, which goes
    no later than it says; or the digest that it waits in already, where that goes no later. The digest's id."""
    assert place.until is not None
    of_first = sa.select(alerts.c.story_id, alerts.c.change).where(alerts.c.id == alert_ids[0])
    story_id, change = connection.execute(of_first).tuples().one()
    open_ = connection.execute(dialect.lock_rows(_open(place.channel, place.why))).first()
    own = None if open_ is None else open_.id
    others = [one for one in _waiting(connection, place.channel, story_id, change) if one.id != own]
    until = place.until if open_ is None else min(place.until, open_.due_at)
    sooner = next((one for one in others if one.due_at <= until), None)
    left = [] if sooner else [one for other in others for one in _take_out(connection, other.id, story_id, change)]
    if sooner is not None or open_ is not None:
        message_id = _join(connection, sooner or open_, place, priority)
    else:
        values = {"why": place.why, "open": True, "text": place.detail}
        message_id = add_message(connection, "digest", place.channel, now, **values)
        add_delivery(
            connection, message_id, place.channel, "send", now,
            priority=priority, due_at=place.until, reason=place.held,
        )  # fmt: skip
    attach(connection, message_id, [*alert_ids, *left])
    return message_id


def _join(connection: sa.Connection, digest: Any, place: Place, priority: int) -> int:
    sooner = {"due_at": place.until, "reason": place.held} if place.until < digest.due_at else {}
    connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.id == digest.delivery_id)
        .values(priority=min(priority, digest.priority), **sooner)
    )
    return int(digest.id)


def post_digest(
    connection: sa.Connection,
    alert_ids: Sequence[int],
    channel: str,
    now: datetime,
    *,
    why: str,
    priority: int,
) -> int:
    """A digest that goes at once, with what waited elsewhere of its stories; the id of its first message."""
    carried = list(alert_ids)
    for chunk in chunks(alert_ids):
        told = sa.select(alerts.c.story_id, alerts.c.change).distinct().where(alerts.c.id.in_(chunk))
        for story_id, change in connection.execute(told).tuples().all():
            carried += leave(connection, channel, story_id, change)
    message_id = add_message(connection, "digest", channel, now, why=why)
    add_delivery(connection, message_id, channel, "send", now, priority=priority)
    attach(connection, message_id, carried)
    _cut(connection, message_id, now)
    return message_id


def leave(connection: sa.Connection, channel: str, story_id: int, change: str = "") -> list[int]:
    """Take out of the digests that wait what another message now tells the channel: a story, or a change in one.

    The alerts that waited there; that message is to carry them.
    """
    digests = _waiting(connection, channel, story_id, change)
    return [one for digest in digests for one in _take_out(connection, digest.id, story_id, change)]


def leave_article(connection: sa.Connection, channel: str, story_id: int, article_id: int) -> list[int]:
    """As `leave`, of a message about one article, in a channel that wants each: a story that waits with other articles
    of its own, too, goes on waiting."""
    shown = sa.exists().where(
        messages.c.kind == "article", messages.c.channel == channel, messages.c.article_id == hits.c.article_id
    )
    left: list[int] = []
    for digest in _waiting(connection, channel, story_id):
        first = sa.select(sa.func.min(hits.c.id)).where(hits.c.created >= digest.created).scalar_subquery()
        since = sa.or_(hits.c.decided >= digest.created, hits.c.id >= first)  # the clock may have been put back
        others = sa.exists().where(
            hits.c.story_id == story_id, hits.c.rule_id == alerts.c.rule_id, hits.c.article_id != article_id,
            hits.c.decision.in_(_TOLD), since, ~shown,
        )  # fmt: skip
        left += _take_out(connection, digest.id, story_id, "", ~others)
    return left


def unite(connection: sa.Connection, story_id: int) -> None:
    """Let what waits of a story in several digests of a channel, since two stories became one, go with the first."""
    told = message_alerts.join(alerts, alerts.c.id == message_alerts.c.alert_id)
    told = told.join(messages, messages.c.id == message_alerts.c.message_id)
    waits = sa.select(messages.c.channel, alerts.c.change).distinct().select_from(told)
    waits = waits.where(alerts.c.story_id == story_id, messages.c.kind == "digest")
    for channel, change in connection.execute(waits).tuples().all():
        digests = sorted(_waiting(connection, channel, story_id, change), key=lambda one: (one.due_at, one.id))
        for other in digests[1:]:
            attach(connection, digests[0].id, _take_out(connection, other.id, story_id, change))
        if len(digests) > 1:
            grave = min(one.priority for one in digests)
            send = sa.update(deliveries).where(deliveries.c.id == digests[0].delivery_id)
            connection.execute(send.values(priority=grave))


def is_waiting(connection: sa.Connection, channel: str, story_id: int) -> bool:
    """Whether the story waits in a digest of the channel, which it can still leave."""
    return bool(_waiting(connection, channel, story_id))


def _waiting(connection: sa.Connection, channel: str, story_id: int, change: str = "") -> list[Any]:
    """The digests of the channel that tell of a story, or of a change in it, and surely did not arrive, locked."""
    carried = sa.select(message_alerts.c.message_id).join(alerts, alerts.c.id == message_alerts.c.alert_id)
    carried = carried.where(alerts.c.story_id == story_id, alerts.c.change == change)
    whole = sa.or_(messages.c.open, messages.c.parts == 1)
    found = _digests(channel).where(messages.c.kind == "digest", messages.c.id.in_(carried), whole)
    rows = connection.execute(dialect.lock_rows(found)).all()
    return [row for row in rows if row.state == "pending" and not row.unknowns]


def _take_out(
    connection: sa.Connection, message_id: int, story_id: int, change: str, *which: sa.ColumnElement[bool]
) -> list[int]:
    """Take a story's alerts out of a digest, which goes where that leaves none; their ids."""
    run = connection.execute
    ours = message_alerts.c.message_id == message_id
    told = sa.select(alerts.c.id).where(alerts.c.story_id == story_id, alerts.c.change == change, *which)
    waiting = sa.select(message_alerts.c.alert_id).where(ours, message_alerts.c.alert_id.in_(told))
    ids = list(run(waiting).scalars())
    if ids:
        run(sa.delete(message_alerts).where(ours, message_alerts.c.alert_id.in_(ids)))
        if run(sa.select(message_alerts.c.alert_id).where(ours).limit(1)).first() is None:
            remove_messages(connection, [message_id])
    return ids


def crowd(connection: sa.Connection, channel: str, since: datetime, now: datetime) -> tuple[int, int]:
    """What the channel was told since, or will be in a digest of its burst: (stories, those of high severity). What a
    clock that was put back dated ahead does not count."""
    end = now + CLOCK_SLACK
    counted = messages.c.kind.in_(("story", "development", "article"))
    carried = message_alerts.join(alerts, alerts.c.id == message_alerts.c.alert_id)
    grave = sa.func.max(sa.case((alerts.c.severity == "high", 1), else_=0))
    own = (
        sa.select(messages.c.id, grave.label("high"))
        .select_from(carried.join(messages, messages.c.id == message_alerts.c.message_id))
        .where(messages.c.channel == channel, messages.c.created > since, messages.c.created <= end, counted)
        .group_by(messages.c.id)
    )
    burst = (
        sa.select(alerts.c.story_id, grave.label("high"))
        .select_from(carried.join(messages, messages.c.id == message_alerts.c.message_id))
        .where(messages.c.channel == channel, messages.c.why == "burst", messages.c.created > since - _LONGEST_BURST)
        .where(alerts.c.created > since, alerts.c.created <= end)
        .group_by(alerts.c.story_id)
    )
    both = sa.union_all(own, burst).subquery()
    told, high = connection.execute(sa.select(sa.func.count(), sa.func.sum(both.c.high)).select_from(both)).one()
    return int(told), int(high or 0)


def _open(channel: str, why: str) -> sa.Select[Any]:
    """The channel's open digest of a kind."""
    return _digests(channel).where(messages.c.open, messages.c.why == why)


def _digests(channel: str) -> sa.Select[Any]:
    """Of the channel's digests, with their sends, what is asked for."""
    columns = (
        messages.c.id, messages.c.created, deliveries.c.id.label("delivery_id"), deliveries.c.state,
        deliveries.c.unknowns, deliveries.c.priority, deliveries.c.due_at,
    )  # fmt: skip
    return (
        sa.select(*columns)
        .select_from(messages.join(deliveries, deliveries.c.message_id == messages.c.id))
        .where(messages.c.channel == channel, deliveries.c.operation == "send")
        .order_by(messages.c.id)
    )


def _due(now: datetime) -> sa.Select[Any]:
    """Those whose time has come.

    An hour of the day stays that hour where the clock was put back meanwhile; but one that lies further ahead than any
    digest waits was set by a clock that was wrong by more than that.
    """
    burst, other = (sa.literal(now + wait, dialect.Utc()) for wait in (_LONGEST_BURST, _LONGEST))
    longest = sa.case((messages.c.why == "burst", burst), else_=other)
    astray = sa.and_(deliveries.c.created > now + CLOCK_SLACK, deliveries.c.due_at > longest)
    return (
        sa.select(messages.c.id)
        .select_from(messages.join(deliveries, deliveries.c.message_id == messages.c.id))
        .where(messages.c.open, deliveries.c.state == "pending", deliveries.c.attempt == 0)
        .where(sa.or_(deliveries.c.due_at <= now, astray))
        .order_by(messages.c.id)
    )


def _cut(connection: sa.Connection, message_id: int, now: datetime) -> None:
    """Divide a digest into messages of PART stories, which go one after the other."""
    run = connection.execute
    ordered = _ordered(connection, message_id)
    parts = [ordered[at : at + PART] for at in range(0, len(ordered), PART)]
    if len(parts) < 2:
        return
    first = run(sa.select(messages).where(messages.c.id == message_id)).one()
    send = run(sa.select(deliveries).where(deliveries.c.message_id == message_id)).one()
    whole = {"parts": len(parts), "total": len(ordered)}
    run(sa.update(messages).where(messages.c.id == message_id).values(whole))
    same = whole | {name: getattr(first, name) for name in ("why", "text")}
    for number, stories in enumerate(parts[1:], 2):
        other = add_message(connection, "digest", first.channel, now, part=number, **same)
        add_delivery(
            connection, other, first.channel, "send", now,
            priority=send.priority, due_at=send.due_at, reason=send.reason,
        )  # fmt: skip
        ids = [alert_id for story in stories for alert_id in story]
        for chunk in chunks(ids):
            gone = sa.and_(message_alerts.c.message_id == message_id, message_alerts.c.alert_id.in_(chunk))
            run(sa.update(message_alerts).where(gone).values(message_id=other))


def _ordered(connection: sa.Connection, message_id: int) -> list[list[int]]:
    """The alerts of a digest, those of one story together: the gravest first, by rule, by the number of outlets."""
    carried = (
        sa.select(alerts.c.id, alerts.c.story_id, alerts.c.rule_id, alerts.c.severity)
        .select_from(message_alerts.join(alerts, alerts.c.id == message_alerts.c.alert_id))
        .where(message_alerts.c.message_id == message_id)
        .order_by(alerts.c.id)
    )
    of_story: dict[int, list[Any]] = {}
    for row in connection.execute(carried):
        of_story.setdefault(row.story_id, []).append(row)
    if len(of_story) <= PART:
        return [[row.id for row in rows] for rows in of_story.values()]
    spread: dict[int, int] = {}
    for chunk in chunks(list(of_story)):
        outlets = sa.func.count(articles.c.outlet_id.distinct())
        counted = sa.select(articles.c.story_id, outlets).where(articles.c.story_id.in_(chunk))
        spread.update(connection.execute(counted.group_by(articles.c.story_id)).tuples().all())
    rules = list(dict.fromkeys(row.rule_id for rows in of_story.values() for row in rows))

    def weight(story_id: int) -> tuple[int, int, int, int]:
        chief = min(of_story[story_id], key=lambda row: GRAVE[row.severity])
        return GRAVE[chief.severity], rules.index(chief.rule_id), -spread.get(story_id, 0), story_id

    return [[row.id for row in of_story[story_id]] for story_id in sorted(of_story, key=weight)]

"""How alerts become messages and deliveries. Works inside a transaction of the caller's.

Law of this file: an alert's message is rendered when its delivery is claimed, so whatever joins a message before that
needs nothing more, and whatever joins it later needs an edit. The send's row is locked while we look. An alert that
joins names the delivery that tells of it (told_by), which is never one that had begun before; where that delivery gives
way to another, or dies while another waits or is made, the other one takes the alert over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.model_delivery import GONE
from monitor.store import dialect
from monitor.store.feeds import CLOCK_SLACK
from monitor.store.tables import alerts, deliveries, message_alerts, messages

EDIT_GAP = timedelta(seconds=60)  # between two edits of one message


def post(
    connection: sa.Connection,
    alert_ids: Sequence[int],
    story_id: int,
    channel: str,
    now: datetime,
    *,
    priority: int,
    change: str = "",
) -> int:
    """Put alerts into the story's message in a channel; the message's id.

    change: the number that the alerts tell of. Each has a message of its own, which all rules that ask for it share.
    """
    kind = "development" if change else "story"
    ours = sa.select(messages.c.id).where(
        messages.c.story_id == story_id, messages.c.channel == channel, messages.c.kind == kind
    )
    if change:
        carried = message_alerts.join(alerts, alerts.c.id == message_alerts.c.alert_id)
        of_change = sa.select(message_alerts.c.message_id).select_from(carried).where(alerts.c.change == change)
        ours = ours.where(messages.c.id.in_(of_change))
    found = connection.execute(ours).first()
    told_by = None
    if found is None:
        message_id = add_message(connection, kind, channel, now, story_id=story_id)
        add_delivery(connection, message_id, channel, "send", now, priority=priority)
    else:
        message_id = found.id
        told_by = join(connection, message_id, channel, now, priority=priority)
    attach(connection, message_id, alert_ids, told_by=told_by)
    return message_id


def post_article(
    connection: sa.Connection,
    alert_ids: Sequence[int],
    article_id: int,
    story_id: int,
    channel: str,
    now: datetime,
    *,
    priority: int,
) -> int:
    """Put alerts into the message about one article of their story; the message's id."""
    ours = (messages.c.article_id == article_id, messages.c.channel == channel, messages.c.kind == "article")
    message_id = connection.execute(sa.select(messages.c.id).where(*ours)).scalar()
    told_by = None
    if message_id is None:
        about = {"story_id": story_id, "article_id": article_id}
        message_id = add_message(connection, "article", channel, now, **about)
        add_delivery(connection, message_id, channel, "send", now, priority=priority)
    else:
        _belongs(connection, message_id, story_id)
        told_by = join(connection, message_id, channel, now, priority=priority)
    attach(connection, message_id, alert_ids, told_by=told_by)
    return int(message_id)


def _belongs(connection: sa.Connection, message_id: int, story_id: int) -> None:
    """A message about an article that was split off tells of its new story alone, as soon as a rule alerts that."""
    run = connection.execute
    moved = sa.update(messages).where(messages.c.id == message_id, messages.c.story_id != story_id)
    if not run(moved.values(story_id=story_id)).rowcount:
        return
    others = message_alerts.alias()
    elsewhere = sa.exists().where(others.c.alert_id == message_alerts.c.alert_id, others.c.message_id != message_id)
    left = sa.select(alerts.c.id).where(alerts.c.story_id != story_id)
    run(
        sa.delete(message_alerts).where(
            message_alerts.c.message_id == message_id, message_alerts.c.alert_id.in_(left), elsewhere
        )
    )


def grew(connection: sa.Connection, story_id: int, now: datetime) -> int:
    """Queue an edit of every message that tells of the story and whose send has left; how many were queued.

    A split may leave a message of another story with an alert of this one. One that stays as it was posted, its story
    having been merged, is no story's.
    """
    carried = message_alerts.join(alerts, alerts.c.id == message_alerts.c.alert_id)
    tells = sa.select(message_alerts.c.message_id).select_from(carried).where(alerts.c.story_id == story_id)
    kind = messages.c.kind == "story"
    either = sa.union(
        sa.select(messages.c.id).where(messages.c.story_id == story_id, kind), tells
    )  # no OR: it would scan
    posted = (kind, messages.c.story_id.is_not(None), messages.c.id.in_(either))
    ours = sa.select(messages.c.id, messages.c.channel).where(*posted)
    queued = 0
    for message in connection.execute(ours).all():
        send = latest_send(connection, message.id)
        if send is None or is_gone(connection, message.id, send.id):
            continue
        if send.state in ("sending", "unknown", "sent"):
            _, added = _queue_edit(connection, message.id, message.channel, now, priority=send.priority)
            queued += added
    return queued


def add_message(connection: sa.Connection, kind: str, channel: str, now: datetime, **values: Any) -> int:
    row = {"kind": kind, "channel": channel, "created": now, "text": "", "plain": False, **values}
    key = connection.execute(sa.insert(messages).values(row)).inserted_primary_key
    assert key is not None
    return int(key[0])


def add_delivery(
    connection: sa.Connection,
    message_id: int,
    channel: str,
    operation: str,
    now: datetime,
    *,
    priority: int,
    due_at: datetime | None = None,
    reason: str = "",
    brings_alert: bool = False,
) -> int:
    """The new delivery's id. reason: why it waits until due_at, in words. brings_alert: of an edit that is the first to
    tell of an alert."""
    key = connection.execute(
        sa.insert(deliveries).values(
            message_id=message_id,
            channel=channel,
            operation=operation,
            state="pending",
            priority=priority,
            created=now,
            due_at=due_at or now,
            attempt=0,
            unknowns=0,
            plain=False,
            brings_alert=brings_alert,
            reason=reason,
        )
    ).inserted_primary_key
    assert key is not None
    return int(key[0])


def join(connection: sa.Connection, message_id: int, channel: str, now: datetime, *, priority: int) -> int:
    """Make a message that exists show what is added to it; the id of the delivery that will."""
    send = latest_send(connection, message_id)
    if send is None or send.state == "dead" or is_gone(connection, message_id, send.id):
        return _send_anew(connection, message_id, channel, now, priority=priority)  # the new alert deserves an attempt
    if send.state == "pending":
        if priority < send.priority:
            connection.execute(sa.update(deliveries).where(deliveries.c.id == send.id).values(priority=priority))
        return int(send.id)
    return _queue_edit(connection, message_id, channel, now, priority=priority, brings_alert=True)[0]


def edit_died(connection: sa.Connection, edit: Any, now: datetime, *, gone: bool) -> None:
    """See to the alert that a dead edit was the first to tell of. gone: because its message is no longer there.

    The send is locked before we look, as in `join`: an intake may be about to queue another edit.
    """
    send = latest_send(connection, edit.message_id)
    if gone and send is not None and send.state in ("sent", "dead"):
        absorb_edits(connection, edit)
        priority = connection.execute(sa.select(deliveries.c.priority).where(deliveries.c.id == edit.id)).scalar_one()
        _send_anew(connection, edit.message_id, edit.channel, now, priority=priority)
        return
    waiting = sa.select(deliveries.c.id).where(
        deliveries.c.message_id == edit.message_id, deliveries.c.operation == "edit", deliveries.c.state == "pending"
    )
    other = send.id if gone and send is not None else connection.execute(waiting).scalar()
    if other is not None:
        take_over(connection, edit.message_id, other)


def _send_anew(connection: sa.Connection, message_id: int, channel: str, now: datetime, *, priority: int) -> int:
    send = add_delivery(connection, message_id, channel, "send", now, priority=priority)
    take_over(connection, message_id, send)
    return send


def take_over(connection: sa.Connection, message_id: int, delivery_id: int) -> None:
    """Let a delivery that is yet to begin tell of the alerts of the message whose own one is dead."""
    run = connection.execute
    dead = (deliveries.c.message_id == message_id, deliveries.c.state == "dead", deliveries.c.id != delivery_id)
    untold = (
        message_alerts.c.message_id == message_id,
        message_alerts.c.told_by.in_(sa.select(deliveries.c.id).where(*dead)),
    )
    if run(sa.update(message_alerts).where(*untold).values(told_by=delivery_id)).rowcount:
        run(sa.update(deliveries).where(*dead).values(brings_alert=False))
        edit = (deliveries.c.id == delivery_id, deliveries.c.operation == "edit")
        run(sa.update(deliveries).where(*edit).values(brings_alert=True))


def latest_send(connection: sa.Connection, message_id: int) -> Any:
    """The newest send of a message (id, state, priority), locked; None where there is none."""
    statement = (
        sa.select(deliveries.c.id, deliveries.c.state, deliveries.c.priority)
        .where(deliveries.c.message_id == message_id, deliveries.c.operation == "send")
        .order_by(deliveries.c.id.desc())
        .limit(1)
    )
    return connection.execute(dialect.lock_rows(statement)).first()


def is_there(connection: sa.Connection, message_id: int, *, sent: bool = False) -> bool:
    """Whether a message is on its way, or out and can still be edited. sent: it may be out, and waits no more."""
    send = latest_send(connection, message_id)
    if send is None or send.state == "dead" or (sent and send.state == "pending"):
        return False
    return not is_gone(connection, message_id, send.id)


def is_gone(connection: sa.Connection, message_id: int, send_id: int) -> bool:
    """Whether the message can no longer be edited where it was last sent: somebody deleted it, or it is too old."""
    edit = (deliveries.c.message_id == message_id, deliveries.c.operation == "edit", deliveries.c.id > send_id)
    dead = sa.select(deliveries.c.id).where(*edit, deliveries.c.state == "dead", deliveries.c.reason.startswith(GONE))
    return connection.execute(dead.limit(1)).first() is not None


def _queue_edit(
    connection: sa.Connection,
    message_id: int,
    channel: str,
    now: datetime,
    *,
    priority: int,
    brings_alert: bool = False,
) -> tuple[int, bool]:
    """One edit at most waits; a more urgent reason hurries it. Its id, and whether it was added."""
    waiting = sa.select(deliveries.c.id, deliveries.c.priority, deliveries.c.brings_alert).where(
        deliveries.c.message_id == message_id, deliveries.c.operation == "edit", deliveries.c.state == "pending"
    )
    edit = connection.execute(dialect.lock_rows(waiting)).first()
    if edit is not None:
        both = {"priority": min(priority, edit.priority), "brings_alert": brings_alert or edit.brings_alert}
        connection.execute(sa.update(deliveries).where(deliveries.c.id == edit.id).values(both))
        return edit.id, False
    last = connection.execute(sa.select(messages.c.last_edit).where(messages.c.id == message_id)).scalar()
    put_back = last is not None and last > now + CLOCK_SLACK
    due_at = max(now, last + EDIT_GAP) if last is not None and not put_back else now
    added = add_delivery(
        connection, message_id, channel, "edit", now, priority=priority, due_at=due_at, brings_alert=brings_alert
    )
    take_over(connection, message_id, added)
    return added, True


def put_off_edits(connection: sa.Connection, edited: Sequence[Mapping[str, Any]]) -> None:
    """Let edits that were asked for while another was under way keep their distance from it. edited: {of: a message,
    next: when it may be edited again}."""
    waiting = (deliveries.c.message_id == sa.bindparam("of"), deliveries.c.operation == "edit")
    sooner = (deliveries.c.state == "pending", deliveries.c.due_at < sa.bindparam("next"))
    later = sa.update(deliveries).where(*waiting, *sooner).values(due_at=sa.bindparam("next"))
    connection.execute(later, list(edited))


def absorb_edits(connection: sa.Connection, edit: Any) -> None:
    """Let an edit that waits again take the place of a later one: both are rendered when they are claimed.

    The send is locked before we look, as in `join`: an intake may be about to queue the other one, or to let it tell
    of an alert.
    """
    latest_send(connection, edit.message_id)
    later = (
        deliveries.c.message_id == edit.message_id,
        deliveries.c.operation == "edit",
        deliveries.c.state == "pending",
        deliveries.c.id != edit.id,
    )
    columns = (deliveries.c.id, deliveries.c.priority, deliveries.c.brings_alert)
    other = connection.execute(dialect.lock_rows(sa.select(*columns).where(*later))).first()  # one at most waits
    if other is None:
        return
    both = {
        "priority": min(edit.priority, other.priority),
        "brings_alert": edit.brings_alert or other.brings_alert,
    }
    connection.execute(sa.update(deliveries).where(deliveries.c.id == edit.id).values(both))
    told = (message_alerts.c.message_id == edit.message_id, message_alerts.c.told_by == other.id)
    connection.execute(sa.update(message_alerts).where(*told).values(told_by=edit.id))
    connection.execute(sa.delete(deliveries).where(*later))


def attach(connection: sa.Connection, message_id: int, alert_ids: Sequence[int], *, told_by: int | None = None) -> None:
    """Let a message carry these alerts too. told_by: the delivery that tells of them; None: any send of it does."""
    rows = [{"message_id": message_id, "alert_id": alert_id, "told_by": told_by} for alert_id in alert_ids]
    dialect.insert_new(connection, message_alerts, rows, columns=["message_id", "alert_id"])

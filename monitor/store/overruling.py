"""Merging and splitting stories as an analyst says. Works inside an intake, so that no article is placed meanwhile.

Law of this file: hits and alerts go with their articles, a rule keeps at most one alert a story and one for
each number that changed in it, and what was posted stays posted: a message that the merged story has already is not
sent again, and one that was sent is not taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from monitor.model import ESCALATED, Decision, Overrule
from monitor.store import digests, posting, silences
from monitor.store.digests import GRAVE
from monitor.store.retention import remove_messages
from monitor.store.tables import alerts, articles, hits, message_alerts, messages, overrules, stories


def merge(connection: sa.Connection, kept: int, gone: int, now: datetime) -> list[int]:
    """Let story `gone` become part of story `kept`; the ids of the articles that moved."""
    run = connection.execute
    moved = list(run(sa.select(articles.c.id).where(articles.c.story_id == gone).order_by(articles.c.id)).scalars())
    part = sa.func.coalesce(articles.c.part, gone)
    run(sa.update(articles).where(articles.c.story_id == gone).values(story_id=kept, part=part))
    run(sa.update(articles).where(articles.c.denies == gone).values(denies=kept))
    run(sa.update(hits).where(hits.c.story_id == gone).values(story_id=kept))
    silences.follow_merge(connection, kept, gone)
    _merge_alerts(connection, kept, gone)
    _merge_messages(connection, kept, gone, now)
    run(sa.delete(stories).where(stories.c.id == gone))
    _remember(connection, "merge", kept, gone, moved, now)
    return moved


def split(connection: sa.Connection, story_id: int, article_ids: Sequence[int], now: datetime) -> int:
    """Give articles of a story one of their own; its id."""
    run = connection.execute
    key = run(sa.insert(stories).values(opened=now)).inserted_primary_key
    assert key is not None
    other = int(key[0])
    raised = run(
        sa.select(alerts.c.id, alerts.c.rule_id, alerts.c.change)
        .select_from(alerts.join(hits, hits.c.id == alerts.c.hit_id))
        .where(alerts.c.story_id == story_id, hits.c.article_id.in_(list(article_ids)))
    ).all()
    run(sa.update(articles).where(articles.c.id.in_(list(article_ids))).values(story_id=other, part=None))
    run(sa.update(hits).where(hits.c.article_id.in_(list(article_ids))).values(story_id=other))
    for alert in sorted(raised, key=lambda one: one.change != ""):  # what tells of the story finds its heir first
        _pass_on(connection, alert, story_id, other, now)
    for message in run(sa.select(messages.c.id).where(messages.c.story_id == story_id)).scalars().all():
        _follow(connection, message, story_id, other)
    _remember(connection, "split", story_id, other, article_ids, now)
    return other


def overrules_after(connection: sa.Connection, overrule_id: int) -> list[Overrule]:
    """What was decided since, oldest first."""
    rows = connection.execute(sa.select(overrules).where(overrules.c.id > overrule_id).order_by(overrules.c.id))
    return [_overrule(row) for row in rows]


def overrules_of(connection: sa.Connection, story_id: int) -> list[tuple[datetime, Overrule]]:
    """What was decided about a story, and when, oldest first."""
    named = sa.or_(overrules.c.story_id == story_id, overrules.c.other_id == story_id)
    rows = connection.execute(sa.select(overrules).where(named).order_by(overrules.c.id))
    return [(row.created, _overrule(row)) for row in rows]


def became(connection: sa.Connection, story_id: int) -> int | None:
    """The story that a merged one is part of now; None where it was never merged."""
    merged = sa.select(overrules.c.other_id, overrules.c.story_id).where(overrules.c.kind == "merge")
    into = dict(connection.execute(merged).tuples().all())
    found = into.get(story_id)
    while found in into:
        found = into[found]
    return found


def _overrule(row: Any) -> Overrule:
    return Overrule(row.id, row.kind, row.story_id, row.other_id, tuple(row.article_ids))


def _merge_alerts(connection: sa.Connection, kept: int, gone: int) -> None:
    """Where both stories alerted a rule, the messages of both carry the alert of `kept` from now on. It is as grave as
    the graver one and counts as of the later one, since which a cooldown runs."""
    run = connection.execute
    of_kept = run(sa.select(alerts).where(alerts.c.story_id == kept)).all()
    own = {(one.rule_id, one.change): one for one in of_kept}
    for alert in run(sa.select(alerts).where(alerts.c.story_id == gone)).all():
        stays = own.get((alert.rule_id, alert.change))
        if stays is None:
            run(sa.update(alerts).where(alerts.c.id == alert.id).values(story_id=kept))
            continue
        both = {
            "severity": min(stays.severity, alert.severity, key=GRAVE.__getitem__),
            "created": max(one.created for one in (stays, alert) if not one.digest or stays.digest == alert.digest),
            "digest": stays.digest and alert.digest,
        }
        run(sa.update(alerts).where(alerts.c.id == stays.id).values(both))
        of_alert = message_alerts.c.alert_id == alert.id
        where = sa.select(message_alerts.c.message_id, message_alerts.c.told_by).where(of_alert)
        for message_id, told_by in run(where).tuples().all():
            posting.attach(connection, message_id, [stays.id], told_by=told_by)
        run(sa.delete(message_alerts).where(of_alert))
        run(sa.delete(alerts).where(alerts.c.id == alert.id))


def _merge_messages(connection: sa.Connection, kept: int, gone: int, now: datetime) -> None:
    run = connection.execute
    told = messages.c.kind.in_(("development", "article"))  # as many a channel as there are numbers or articles
    run(sa.update(messages).where(messages.c.story_id == gone, told).values(story_id=kept))
    of_kept = sa.select(messages.c.channel, messages.c.id).where(messages.c.story_id == kept, ~told)
    own = dict(run(of_kept).tuples().all())
    of_gone = sa.select(messages.c.channel, messages.c.id).where(messages.c.story_id == gone)
    for channel, message_id in run(of_gone.order_by(messages.c.id)).tuples().all():
        stays = own.get(channel, message_id)
        if stays != message_id:
            stays = _join(connection, stays, message_id, channel, now)
        run(sa.update(messages).where(messages.c.id == stays).values(story_id=kept))
        own[channel] = stays
    for channel, message_id in own.items():
        if posting.is_there(connection, message_id):
            priority = posting.latest_send(connection, message_id).priority
            _carry(connection, message_id, digests.leave(connection, channel, kept), channel, now, priority=priority)
    digests.unite(connection, kept)


def _join(connection: sa.Connection, own: int, other: int, channel: str, now: datetime) -> int:
    """Let one of two messages of a channel tell both stories; its id. It is the first, unless only the other is out."""
    run = connection.execute
    out = posting.is_there(connection, other, sent=True) and not posting.is_there(connection, own, sent=True)
    stays, ends = (other, own) if out else (own, other)
    carried = message_alerts.c.message_id == ends
    send = posting.latest_send(connection, ends)
    priority = send.priority if send is not None else 1
    ids = run(sa.select(message_alerts.c.alert_id).where(carried)).scalars().all()
    _carry(connection, stays, ids, channel, now, priority=priority)
    if send is None or send.state == "pending":  # it never left
        run(sa.delete(message_alerts).where(carried))
        remove_messages(connection, [ends])
    else:  # it stays as it was posted; what follows is told by the other
        run(sa.update(messages).where(messages.c.id == ends).values(story_id=None))
    return stays


def _carry(
    connection: sa.Connection, message_id: int, alert_ids: Sequence[int], channel: str, now: datetime, *, priority: int
) -> None:
    if alert_ids:
        told_by = posting.join(connection, message_id, channel, now, priority=priority)
        posting.attach(connection, message_id, alert_ids, told_by=told_by)


def _pass_on(connection: sa.Connection, alert: Any, story_id: int, other: int, now: datetime) -> None:
    """An alert whose article was split off stays where another hit of its rule was told, else it goes with it. One that
    tells of a number goes with the article that gave it; one that tells how many carry the story stays with the story,
    as long as the rule's own alert does."""
    run = connection.execute
    if alert.change == ESCALATED:
        ours = (alerts.c.story_id == story_id, alerts.c.rule_id == alert.rule_id, alerts.c.change == "")
        told_by = run(sa.select(alerts.c.hit_id).where(*ours)).scalar()
        where = {"story_id": other} if told_by is None else {"hit_id": told_by}
        run(sa.update(alerts).where(alerts.c.id == alert.id).values(**where))
        return
    told = hits.c.decision.in_((Decision.ALERT.value, Decision.JOINED.value))
    busy = sa.select(alerts.c.hit_id).where(alerts.c.story_id == story_id, alerts.c.id != alert.id)
    heir = run(
        sa.select(hits.c.id)
        .where(hits.c.story_id == story_id, hits.c.rule_id == alert.rule_id, told, hits.c.id.not_in(busy))
        .order_by(hits.c.id)
        .limit(1)
    ).scalar()
    if heir is None or alert.change:
        run(sa.update(alerts).where(alerts.c.id == alert.id).values(story_id=other))
        return
    run(sa.update(alerts).where(alerts.c.id == alert.id).values(hit_id=heir))
    words = {"decision": Decision.ALERT.value, "code": "new_story", "decided": now}
    detail = "in place of an article that an analyst split off"
    run(sa.update(hits).where(hits.c.id == heir).values(**words, detail=detail))


def _follow(connection: sa.Connection, message_id: int, story_id: int, other: int) -> None:
    """A message all of whose alerts went with the split-off articles becomes theirs."""
    run = connection.execute
    carried = (
        sa.select(alerts.c.story_id)
        .select_from(message_alerts.join(alerts, alerts.c.id == message_alerts.c.alert_id))
        .where(message_alerts.c.message_id == message_id)
    )
    told = set(run(carried).scalars())
    if told == {other}:
        run(sa.update(messages).where(messages.c.id == message_id).values(story_id=other))


def _remember(
    connection: sa.Connection, kind: str, story_id: int, other: int, article_ids: Sequence[int], now: datetime
) -> None:
    row = {"created": now, "kind": kind, "story_id": story_id, "other_id": other, "article_ids": list(article_ids)}
    connection.execute(sa.insert(overrules).values(**row))

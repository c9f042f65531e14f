"""The intake's part that tells channels of alerts: messages made, joined, collected, and edited when stories grow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from monitor.model_delivery import Place
from monitor.store import digests, posting
from monitor.store.feeds import chunks
from monitor.store.tables import alerts, hits, messages


class Telling:
    """Works inside one transaction."""

    def __init__(self, connection: sa.Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    def post(
        self,
        alert_id: int,
        story_id: int,
        channels: Sequence[str],
        now: datetime,
        *,
        priority: int,
        change: str = "",
    ) -> list[int]:
        """Put the alert into the message of the story, or of a change in it, in each channel (made, joined, or edited).
        The messages' ids."""
        run = self._connection
        ids = []
        for channel in dict.fromkeys(channels):
            carried = [alert_id, *digests.leave(run, channel, story_id, change)]
            told = posting.post(run, carried, story_id, channel, now, priority=priority, change=change)
            ids.append(told)
        return ids

    def post_article(self, alert_id: int, hit_id: int, channel: str, now: datetime, *, priority: int) -> int:
        """Put the alert into the message about a hit's article, in one channel; the message's id."""
        of_hit = sa.select(hits.c.article_id, hits.c.story_id).where(hits.c.id == hit_id)
        run = self._connection
        article_id, story_id = run.execute(of_hit).one()
        carried = [alert_id, *digests.leave_article(run, channel, story_id, article_id)]
        return posting.post_article(run, carried, article_id, story_id, channel, now, priority=priority)

    def collect(self, alert_ids: Sequence[int], place: Place, now: datetime, *, priority: int) -> int:
        """Let alerts join an open digest of a channel, made if there is none; its id."""
        return digests.collect(self._connection, alert_ids, place, now, priority=priority)

    def post_digest(
        self,
        alert_ids: Sequence[int],
        channels: Sequence[str],
        now: datetime,
        priority: int,
        *,
        why: str = "",
    ) -> list[int]:
        """A digest of all these alerts that goes at once, in each channel; the ids of its first messages.

        why: released (their hits were held till now), flood (one feed brought them all).
        """
        run = self._connection
        return [
            digests.post_digest(run, alert_ids, channel, now, why=why, priority=priority)
            for channel in dict.fromkeys(channels)
            if alert_ids
        ]

    def released(self, alert_ids: Sequence[int]) -> None:
        """Let these alerts start no cooldown: a digest releases them."""
        for chunk in chunks(list(alert_ids)):
            self._connection.execute(sa.update(alerts).where(alerts.c.id.in_(chunk)).values(digest=True))

    def first_alert(self, rule_id: str, story_id: int) -> int | None:
        """The alert with which the rule told of the story, else of a change in it; None where it told nothing."""
        told = sa.select(alerts.c.id).where(alerts.c.rule_id == rule_id, alerts.c.story_id == story_id)
        return self._connection.execute(told.order_by(alerts.c.change != "", alerts.c.id).limit(1)).scalar()

    def is_told(self, channel: str, story_id: int) -> bool:
        """Whether the channel has a message of the story's own, which may be on its way and can still be edited."""
        message_id = self._own(channel, story_id)
        return message_id is not None and posting.is_there(self._connection, message_id)

    def is_waiting(self, channel: str, story_id: int) -> bool:
        """Whether the channel is yet to be told of the story, by a message of its own or by a digest."""
        message_id = self._own(channel, story_id)
        if message_id is None:
            return digests.is_waiting(self._connection, channel, story_id)
        send = posting.latest_send(self._connection, message_id)
        return send is not None and send.state == "pending"

    def _own(self, channel: str, story_id: int) -> int | None:
        ours = (messages.c.story_id == story_id, messages.c.channel == channel, messages.c.kind == "story")
        return self._connection.execute(sa.select(messages.c.id).where(*ours)).scalar()

    def shows_article(self, channel: str, hit_id: int) -> bool:
        """As is_told, of a message about a hit's article."""
        of_hit = sa.select(hits.c.article_id).where(hits.c.id == hit_id).scalar_subquery()
        ours = (messages.c.article_id == of_hit, messages.c.channel == channel, messages.c.kind == "article")
        message_id = self._connection.execute(sa.select(messages.c.id).where(*ours)).scalar()
        return message_id is not None and posting.is_there(self._connection, message_id)

    def crowd(self, channel: str, since: datetime) -> tuple[int, int]:
        """What the channel was told since, digests of a burst included: (stories, those of high severity)."""
        return digests.crowd(self._connection, channel, since, self._now)

    def grew(self, story_id: int, now: datetime) -> int:
        """Queue an edit of every message of the story that left already; how many were queued."""
        return posting.grew(self._connection, story_id, now)

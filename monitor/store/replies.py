"""Which message another one goes on: the one of its story, or of the story that it denies. Works on a connection of the
caller's."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from monitor.store.claiming import place
from monitor.store.tables import alerts, articles, chats, deliveries, message_alerts, messages


def reply_to(connection: sa.Connection, message: Any) -> str | None:
    """The id, at the channel, of the message that this one should reply to, if it is in the same chat.

    A development replies to its story's message; what denies or corrects another story to the message that told of that
    one, be it a digest.
    """
    if message.story_id is None:
        return None
    if message.kind == "development":
        about = message.story_id
    else:
        denied = sa.select(articles.c.denies).where(
            articles.c.denies.is_not(None), articles.c.denies != message.story_id
        )
        of = articles.c.id == message.article_id if message.article_id else articles.c.story_id == message.story_id
        about = connection.execute(denied.where(of).order_by(articles.c.id).limit(1)).scalar()
    where = _place(connection, message.id)
    if about is None or where is None:
        return None
    carries = message_alerts.join(alerts, alerts.c.id == message_alerts.c.alert_id)
    told = sa.select(message_alerts.c.message_id).select_from(carries).where(alerts.c.story_id == about)
    found = (
        sa.select(messages.c.external_id)
        .where(messages.c.id.in_(told), messages.c.id != message.id, messages.c.channel == message.channel)
        .where(messages.c.chat == where, messages.c.external_id.is_not(None))
        .order_by(sa.case((messages.c.kind == "story", 0), else_=1), messages.c.id.desc())
        .limit(1)
    )
    return connection.execute(found).scalar()


def _place(connection: sa.Connection, message_id: int) -> str | None:
    """The chat that a message goes to, as messages remember it; None before anybody looked."""
    newest = (
        sa.select(deliveries.c.chat_key, chats.c.chat_id)
        .select_from(deliveries.join(chats, chats.c.chat_key == deliveries.c.chat_key))
        .where(deliveries.c.message_id == message_id, deliveries.c.operation == "send")
        .order_by(deliveries.c.id.desc())
        .limit(1)
    )
    row = connection.execute(newest).first()
    return None if row is None else place(row.chat_key, row.chat_id)

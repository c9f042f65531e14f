"""People who use the bot: what they did, what they found irrelevant, and the rules they follow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from monitor.store import dialect
from monitor.store.connection import Database
from monitor.store.records import Page
from monitor.store.tables import actions, alerts, deliveries, feedback, follows, message_alerts

REPLAYED = timedelta(days=2)  # Telegram keeps updates for one; after a week of none it begins to count anywhere
BEGUN = "begun"  # the result of an action whose end was never written


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody did. person: Telegram's number of the user; result: in words, "begun" where it was cut off."""

    id: int
    at: datetime
    person: str
    name: str
    role: str
    action: str
    given: str
    result: str


@dataclass(frozen=True, slots=True)
class Follow:
    """A rule that a person follows in private. language: of the messages."""

    person: str
    rule_id: str
    language: str
    since: datetime


class People(Database):
    """The store's part that knows of people."""

    # ── the audit log ──

    def begin_action(
        self, update_key: str | None, person: str, name: str, role: str, action: str, given: str, now: datetime
    ) -> int | None:
        """Write down that somebody asks for something, before it is done; the number of the entry.

        None where an update of that key was begun lately: it comes a second time, and is not to be done again.
        """
        row = {"at": now, "update_key": update_key, "person": person, "name": name, "role": role, "result": BEGUN}
        with self._writing() as connection:
            same = actions.c.update_key == update_key
            if update_key is not None and (known := connection.execute(sa.select(actions.c.at).where(same)).first()):
                if now - known.at < REPLAYED:
                    return None
                connection.execute(sa.update(actions).where(same).values(update_key=None))
            key = connection.execute(sa.insert(actions).values(action=action, given=given, **row)).inserted_primary_key
            assert key is not None
            return int(key[0])

    def end_action(self, action_id: int, result: str) -> None:
        """Write down what came of it."""
        with self._writing() as connection:
            connection.execute(sa.update(actions).where(actions.c.id == action_id).values(result=result))

    def actions(self, *, person: str | None = None, limit: int = 50, before_id: int | None = None) -> Page[Action]:
        """What people did, the newest first."""
        statement = sa.select(actions).order_by(actions.c.id.desc()).limit(limit + 1)
        if person is not None:
            statement = statement.where(actions.c.person == person)
        if before_id is not None:
            statement = statement.where(actions.c.id < before_id)
        with self._reading() as connection:
            rows = connection.execute(statement).all()
        found = [
            Action(row.id, row.at, row.person, row.name, row.role, row.action, row.given, row.result)
            for row in rows[:limit]
        ]
        return Page(tuple(found), found[-1].id if len(rows) > limit else None)

    # ── feedback ──

    def add_feedback(self, alert_id: int, person: str, kind: str, now: datetime) -> int:
        """Keep what a person thinks of an alert, and of those that its messages tell of the same story; of how many
        that is new. KeyError where there is no such alert."""
        with self._writing() as connection:
            run = connection.execute
            story = run(sa.select(alerts.c.story_id).where(alerts.c.id == alert_id)).scalar()
            if story is None:
                raise KeyError(f"no alert {alert_id}")
            shown = sa.select(message_alerts.c.message_id).where(message_alerts.c.alert_id == alert_id)
            beside = sa.select(message_alerts.c.alert_id).where(message_alerts.c.message_id.in_(shown))
            told = sa.or_(alerts.c.id == alert_id, alerts.c.id.in_(beside))
            hit_ids = run(sa.select(alerts.c.hit_id).where(alerts.c.story_id == story, told)).scalars().all()
            mine = (feedback.c.person == person, feedback.c.hit_id.in_(hit_ids))
            known = set(run(sa.select(feedback.c.hit_id).where(*mine)).scalars())
            rows = [{"hit_id": one, "person": person, "kind": kind, "at": now} for one in set(hit_ids) - known]
            dialect.insert_new(connection, feedback, rows, columns=["hit_id", "person"])
            return len(rows)

    # ── following ──

    def follow(self, person: str, rule_id: str, language: str, now: datetime) -> bool:
        """Let a person hear of a rule in private from now on; False where that was so already."""
        row = {"person": person, "rule_id": rule_id, "language": language, "since": now}
        with self._writing() as connection:
            ours = (follows.c.person == person, follows.c.rule_id == rule_id)
            known = connection.execute(sa.select(follows.c.rule_id).where(*ours)).first() is not None
            dialect.insert_new(connection, follows, [row], columns=["person", "rule_id"])
            connection.execute(sa.update(follows).where(follows.c.person == person).values(language=language))
            return not known

    def unfollow(self, person: str, rule_id: str | None = None) -> int:
        """End that, for a rule or for all; how many rules that were."""
        ours = [follows.c.person == person] + ([follows.c.rule_id == rule_id] if rule_id is not None else [])
        with self._writing() as connection:
            return connection.execute(sa.delete(follows).where(*ours)).rowcount

    def follows(self) -> list[Follow]:
        """Who follows what, in a steady order."""
        with self._reading() as connection:
            rows = connection.execute(sa.select(follows).order_by(follows.c.person, follows.c.rule_id))
            return [Follow(row.person, row.rule_id, row.language, row.since) for row in rows]

    def waiting_channels(self, prefix: str) -> list[str]:
        """The channels whose names begin so for which deliveries wait or are under way."""
        waits = deliveries.c.state.not_in(("sent", "dead"))
        named = deliveries.c.channel.startswith(prefix, autoescape=True)
        with self._reading() as connection:
            found = connection.scalars(sa.select(deliveries.c.channel).where(waits, named).distinct())
            return sorted(found)

    def end_channel(self, channel: str, reason: str, now: datetime) -> int:
        """Give up what waits for a channel, with the reason; how many deliveries that were."""
        waits = (deliveries.c.channel == channel, deliveries.c.state.in_(("pending", "unknown")))
        dead = {"state": "dead", "reason": reason, "settled": now}
        with self._writing() as connection:
            return connection.execute(sa.update(deliveries).where(*waits).values(**dead)).rowcount

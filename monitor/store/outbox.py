"""The outbox: which delivery goes next, who makes it, and what came of it.

The law: one delivery in flight a chat (an index enforces it); an edit waits until its message's send is at an end; a
claim is a lease, and a lease that runs out leaves its delivery unknown, for nobody can say whether it was made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.model import ChatPace, DeliveryClaim, Operation, Settlement
from monitor.store import dialect, notices, posting
from monitor.store.claiming import NEW_CHAT, Claiming, Turn, assign, place, started_after, waiting
from monitor.store.connection import Database
from monitor.store.feeds import CLOCK_SLACK
from monitor.store.records import ChatState
from monitor.store.tables import chats, deliveries, messages

LEASE = timedelta(seconds=80)
_EVENT, _TROUBLE = "channel/{}/event/", "channel/{}/trouble/"  # keys of notices: told, or lasting
_LOST = "the attempt was cut off; whether it arrived is not known"


class Outbox(Database):
    """The store's part that delivers."""

    def open_chats(self, paces: Mapping[str, ChatPace], now: datetime) -> None:
        """Make known which chat each channel writes to; what waits for a channel follows it to another chat."""
        by_chat: dict[str, list[str]] = {}
        for channel, pace in paces.items():
            by_chat.setdefault(pace.chat_key, []).append(channel)
        rows = [{"chat_key": key, **NEW_CHAT, "channels": sorted(names)} for key, names in by_chat.items()]
        with self._writing() as connection:
            dialect.exclude_others(connection, dialect.CLAIM_LOCK)
            dialect.upsert(connection, chats, rows, columns=["chat_key"], update=["channels"])
            assign(connection, paces, moved=True)

    def claim_deliveries(
        self,
        now: datetime,
        *,
        paces: Mapping[str, ChatPace],
        limit: int,
        lease: timedelta = LEASE,
    ) -> list[DeliveryClaim]:
        """Take up to `limit` deliveries that may go now, at most one a chat; settle each of them before `lease` ends.

        paces: of the channels this process serves, by name. Within a chat the more urgent goes first, then the older.
        """
        with self._reading() as connection:
            due = sa.select(deliveries.c.id).where(*waiting(now)).limit(1)
            if connection.execute(due).first() is None:
                return []
        with self._writing() as connection:
            dialect.exclude_others(connection, dialect.CLAIM_LOCK)
            assign(connection, paces)
            return Claiming(connection, self.owner, now, paces, lease).take(limit)

    def is_paced(self, now: datetime, paces: Mapping[str, ChatPace]) -> bool:
        """Whether a send is due that nothing but the pace of its chat holds back; it may go a moment later."""
        with self._reading() as connection:
            return Claiming(connection, self.owner, now, paces, LEASE).is_paced()

    def settle(
        self, claim: DeliveryClaim, settlement: Settlement, now: datetime, *, operator: str | None = None
    ) -> bool:
        """Write what came of an attempt. operator: the channel that hears of its notice, if there is one.

        False where the delivery is no longer ours: its lease ran out. That it was sent is written all the same, unless
        another attempt has begun.
        """
        return self.settle_all([(claim, settlement, now)], operator=operator)[0]

    def settle_all(
        self, ended: Sequence[tuple[DeliveryClaim, Settlement, datetime]], *, operator: str | None = None
    ) -> list[bool]:
        """As settle, of several attempts in one transaction: a disk takes few of them a second."""
        with self._writing() as connection:
            return [self._settle(connection, *one, operator) for one in ended]

    def _settle(
        self,
        connection: sa.Connection,
        claim: DeliveryClaim,
        settlement: Settlement,
        now: datetime,
        operator: str | None,
    ) -> bool:
        row = connection.execute(dialect.lock_rows(sa.select(deliveries).where(deliveries.c.id == claim.id))).first()
        if row is None or row.started != claim.started or row.state not in ("sending", "unknown"):
            return False
        ours = bool(row.state == "sending" and row.owner == self.owner)
        if not ours and settlement.state != "sent":
            return False
        _write(connection, row, settlement, now)
        _remember_chat(connection, row.chat_key, settlement, now)
        if settlement.state == "sent":
            _sent(connection, claim, row.chat_key, settlement, now)
        if settlement.state == "sent" and claim.operation is Operation.SEND:  # some channels only feign the others
            _works_again(connection, claim.channel, operator, now)
        if settlement.state == "dead" and claim.operation is Operation.SEND:
            _bury_edits(connection, claim.message_id, now)
        if settlement.notice:
            key = settlement.trouble and _TROUBLE.format(claim.channel) + settlement.trouble
            key = key or _EVENT.format(claim.channel) + settlement.notice[:100]
            notices.tell(connection, key, settlement.notice, operator, now)
        return ours

    def release_expired(self, now: datetime, quarantine: timedelta) -> int:
        """Give up the claims whose lease ran out; how many there were. quarantine: see take_over."""
        begun = deliveries.c.state.in_(("sending", "unknown"))
        wrong = sa.or_(deliveries.c.lease_until <= now, started_after(now + CLOCK_SLACK))
        with self._reading() as connection:  # nearly always there is nothing to do, and nothing to lock
            if connection.execute(sa.select(deliveries.c.id).where(begun, wrong).limit(1)).first() is None:
                return 0
        with self._writing() as connection:
            _rewind(connection, now, quarantine)
        return self._lose(deliveries.c.lease_until <= now, now, quarantine)

    def take_over(self, now: datetime, quarantine: timedelta) -> int:
        """Give up every claim, when a daemon that has the database to itself starts; how many there were.

        A send is unknown until `quarantine` after its start, and is then made again; edits are made again at once.
        """
        return self._lose(sa.true(), now, quarantine)

    def _lose(self, condition: sa.ColumnElement[bool], now: datetime, quarantine: timedelta) -> int:
        with self._writing() as connection:
            statement = sa.select(deliveries).where(deliveries.c.state == "sending", condition)
            rows = connection.execute(dialect.lock_rows(statement, skip_locked=True)).all()
            for row in rows:
                if row.operation == Operation.SEND.value:
                    due = max(row.started + quarantine, now)
                    lost = Settlement("unknown", due_at=due, reason=_LOST, unknown=True)
                else:
                    lost = Settlement("pending", due_at=now, reason=_LOST, unknown=True)
                _write(connection, row, lost, now)
            return len(rows)

    def take_turn(self, pace: ChatPace, now: datetime) -> float:
        """0.0 if one message more may go to a chat now, which then counts towards its pace; else seconds to wait."""
        with self._reading() as connection:
            if (wait := Turn.ask(connection, pace, now).wait()) > 0:
                return wait
        with self._writing() as connection:
            dialect.exclude_others(connection, dialect.CLAIM_LOCK)
            turn = Turn.ask(connection, pace, now)
            if (wait := turn.wait()) <= 0:
                turn.take()
            return wait

    def renew(self, claim: DeliveryClaim, now: datetime, lease: timedelta = LEASE) -> DeliveryClaim | None:
        """The claim as if it began now; None where it is no longer ours."""
        ours = (deliveries.c.state == "sending", deliveries.c.owner == self.owner, deliveries.c.id == claim.id)
        renewed = sa.update(deliveries).where(*ours, deliveries.c.started == claim.started)
        with self._writing() as connection:
            done = connection.execute(renewed.values(started=now, lease_until=now + lease))
            return replace(claim, started=now) if done.rowcount else None

    def last_confirmed(self, claim: DeliveryClaim) -> int:
        """The highest id known of the last messages in the chat that a claim is for; 0 where none has a number."""
        with self._reading() as connection:
            key = connection.execute(sa.select(deliveries.c.chat_key).where(deliveries.c.id == claim.id)).scalar_one()
            ours = (messages.c.chat == place(key, claim.chat_id), messages.c.sent_at.is_not(None))
            newest = sa.select(messages.c.external_id).where(*ours).order_by(messages.c.sent_at.desc()).limit(5)
            return max((int(one) for one in connection.scalars(newest) if str(one).isdecimal()), default=0)

    def hold_chat(self, chat_key: str, until: datetime, reason: str) -> None:
        """Let a chat take nothing before `until`."""
        with self._writing() as connection:
            _remember_chat(connection, chat_key, Settlement("pending", hold_until=until, hold_reason=reason), None)

    def resume_chat(self, channel: str, now: datetime) -> None:
        """Try a channel's chat again at once: its hold ends, and what waits for a retry is due."""
        with self._writing() as connection:
            for row in connection.execute(sa.select(chats)).all():
                if channel in row.channels:
                    _free(connection, row.chat_key, now)

    def resume_chats(self, now: datetime) -> None:
        """Try every chat again at once, as at a start, except those whose server said how long to wait."""
        with self._writing() as connection:
            held = sa.select(chats.c.chat_key).where(chats.c.hold_until > now, ~chats.c.firm)
            for key in connection.execute(held).scalars().all():
                _free(connection, key, now)

    def chats(self) -> list[ChatState]:
        """Every chat that a channel writes to or ever wrote to, by key. Nothing is written."""
        queued = (
            sa.select(deliveries.c.chat_key, deliveries.c.channel, deliveries.c.state, sa.func.count().label("number"))
            .where(deliveries.c.state.in_(("pending", "sending", "unknown")))
            .group_by(deliveries.c.chat_key, deliveries.c.channel, deliveries.c.state)
        )
        with self._reading() as connection:
            rows = connection.execute(sa.select(chats).order_by(chats.c.chat_key)).all()
            of_channel = {channel: row.chat_key for row in rows for channel in row.channels}
            counts = Counter[tuple[str, str]]()
            for row in connection.execute(queued):  # what nobody has looked at yet knows its channel only
                counts[row.chat_key or of_channel.get(row.channel, ""), row.state] += row.number
        return [
            ChatState(
                chat_key=row.chat_key,
                channels=tuple(row.channels),
                chat_id=row.chat_id,
                hold_until=row.hold_until,
                hold_reason=row.hold_reason,
                queued=counts[row.chat_key, "pending"],
                in_flight=next((s for s in ("sending", "unknown") if (row.chat_key, s) in counts), None),
            )
            for row in rows
        ]

    def count_deliveries(self, operation: str, state: str) -> int:
        """How many deliveries of an operation are in a state."""
        statement = sa.select(sa.func.count()).where(deliveries.c.operation == operation, deliveries.c.state == state)
        with self._reading() as connection:
            return int(connection.execute(statement).scalar_one())

    def orphans(self, channels: Sequence[str]) -> dict[str, int]:
        """How many deliveries wait for channels that are not among these, by channel."""
        statement = (
            sa.select(deliveries.c.channel, sa.func.count())
            .where(deliveries.c.state.in_(("pending", "unknown")), deliveries.c.channel.not_in(list(channels)))
            .group_by(deliveries.c.channel)
        )
        with self._reading() as connection:
            return dict(connection.execute(statement).tuples().all())


# ── settling ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _write(connection: sa.Connection, row: Any, settlement: Settlement, now: datetime) -> None:
    ended = settlement.state in ("sent", "dead")
    if settlement.state == "pending" and row.operation == Operation.EDIT.value:
        posting.absorb_edits(connection, row)
    connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.id == row.id)
        .values(
            state=settlement.state,
            due_at=settlement.due_at or row.due_at,
            reason=settlement.reason,
            plain=row.plain or settlement.plain,
            unknowns=row.unknowns + settlement.unknown,
            owner=None,
            lease_until=None,
            settled=now if ended else None,
        )
    )


def _rewind(connection: sa.Connection, now: datetime, quarantine: timedelta) -> None:
    """Where the clock was put back, an attempt of the future waits no longer than one that begins now."""
    later = started_after(now + CLOCK_SLACK)
    values = {"sending": {"lease_until": now + LEASE}, "unknown": {"started": now, "due_at": now + quarantine}}
    for state, change in values.items():
        leased = (deliveries.c.lease_until > now + LEASE,) if state == "sending" else ()
        connection.execute(sa.update(deliveries).where(deliveries.c.state == state, later, *leased).values(**change))


def _sent(
    connection: sa.Connection, claim: DeliveryClaim, chat_key: str, settlement: Settlement, now: datetime
) -> None:
    values: dict[str, Any] = {"last_edit": now} if claim.operation is Operation.EDIT else {}
    if claim.operation is Operation.SEND:
        chat = place(chat_key, claim.chat_id)
        values = {"external_id": settlement.external_id, "chat": chat, "sent_at": now, "plain": claim.plain}
    if values:
        connection.execute(sa.update(messages).where(messages.c.id == claim.message_id).values(values))


def _bury_edits(connection: sa.Connection, message_id: int, now: datetime) -> None:
    edits = (deliveries.c.message_id == message_id, deliveries.c.operation != Operation.SEND.value)
    connection.execute(
        sa.update(deliveries)
        .where(*edits, deliveries.c.state == "pending")
        .values(state="dead", reason="the message it changes could not be sent", settled=now)
    )


_FREE: Mapping[str, Any] = {"hold_until": None, "hold_reason": "", "firm": False}


def _free(connection: sa.Connection, chat_key: str, now: datetime) -> None:
    """End a chat's hold; what waits for another attempt is due."""
    connection.execute(sa.update(chats).where(chats.c.chat_key == chat_key).values(**_FREE))
    held = (deliveries.c.chat_key == chat_key, deliveries.c.state == "pending", deliveries.c.attempt > 0)
    since = deliveries.c.created  # and not now: see delivery.retry
    connection.execute(sa.update(deliveries).where(*held, deliveries.c.due_at > now).values(due_at=since))


def _remember_chat(
    connection: sa.Connection, chat_key: str | None, settlement: Settlement, ended: datetime | None
) -> None:
    """What an attempt that `ended` tells of its chat; None: there was none."""
    if chat_key is None:
        return
    chat = connection.execute(sa.select(chats).where(chats.c.chat_key == chat_key)).first()
    values: dict[str, Any] = {}
    if settlement.hold_until is not None:
        until = settlement.hold_until.astimezone(UTC)
        values = {"hold_until": until, "hold_reason": settlement.hold_reason, "firm": settlement.firm}
    elif settlement.state == "sent" and (chat is None or chat.hold_until is not None or chat.hold_reason):
        values = dict(_FREE)
    if settlement.chat_id:
        values["chat_id"] = settlement.chat_id
    if chat is not None and ended is not None and chat.recent and chat.recent[-1] < ended.timestamp():
        # The pace counts from the end of an attempt: the server may have got it that late. One is in flight at a
        # time, so the last is this one's.
        values["recent"] = [*chat.recent[:-1], ended.timestamp()]
    if values and chat is not None:
        connection.execute(sa.update(chats).where(chats.c.chat_key == chat_key).values(**values))
    elif values:
        row = {"chat_key": chat_key, **NEW_CHAT, **values}
        dialect.upsert(connection, chats, [row], columns=["chat_key"], update=sorted(values))


def _works_again(connection: sa.Connection, channel: str, operator: str | None, now: datetime) -> None:
    if not notices.stand(connection, f"channel/{channel}/"):  # nearly always
        return
    notices.clear(connection, _EVENT.format(channel), now)
    over = f"Channel {channel} works again; what waited is being sent."
    notices.clear(connection, _TROUBLE.format(channel), now, over=over, channel=operator)

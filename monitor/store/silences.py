"""Silences: kept, listed, ended early. What is over stays for the history, as long as everything else does."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from monitor.model import Silence
from monitor.store.connection import Database
from monitor.store.tables import silences


class Silences(Database):
    """The store's part that keeps silences."""

    def add_silence(self, silence: Silence) -> Silence:
        """The silence as stored, with its number; the one it was given plays no part."""
        values = {name: value for name, value in asdict(silence).items() if name != "id"}
        with self._writing() as connection:
            key = connection.execute(sa.insert(silences).values(**values)).inserted_primary_key
            assert key is not None
            return _of(connection.execute(sa.select(silences).where(silences.c.id == key[0])).one())

    def silences(self, now: datetime | None = None) -> list[Silence]:
        """Those in force at `now`, or with None all that there ever were; the newest first."""
        with self._reading() as connection:
            return in_force(connection, now)

    def end_silence(self, silence_id: int, now: datetime) -> Silence | None:
        """End a silence early; one that is over stays as it is. None where there is none of that number."""
        in_time = sa.and_(silences.c.id == silence_id, silences.c.ended.is_(None), silences.c.until > now)
        with self._writing() as connection:
            connection.execute(sa.update(silences).where(in_time).values(ended=now))
            row = connection.execute(sa.select(silences).where(silences.c.id == silence_id)).first()
        return _of(row) if row is not None else None


def in_force(connection: sa.Connection, now: datetime | None) -> list[Silence]:
    """As Silences.silences, on a connection of the caller's."""
    statement = sa.select(silences).order_by(silences.c.id.desc())
    if now is not None:
        statement = statement.where(silences.c.until > now, silences.c.ended.is_(None))
    return [_of(row) for row in connection.execute(statement)]


def follow_merge(connection: sa.Connection, kept: int, gone: int) -> None:
    """What silenced a story silences the one that it became part of."""
    connection.execute(sa.update(silences).where(silences.c.story_id == gone).values(story_id=kept))


def forget(connection: sa.Connection, before: datetime) -> None:
    """Remove those that were over before that moment."""
    connection.execute(sa.delete(silences).where(sa.or_(silences.c.until < before, silences.c.ended < before)))


def _of(row: Any) -> Silence:
    return Silence(**row._mapping)

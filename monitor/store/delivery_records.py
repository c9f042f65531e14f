"""What the store answers with when it is asked for deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries, the newest first. states: none means all."""

    states: tuple[str, ...] = ()
    channel: str | None = None
    limit: int = 50
    before_id: int | None = None


@dataclass(frozen=True, slots=True)
class DeliveryEnd:
    """How and when a delivery had failed before somebody let it be made again."""

    ended: datetime
    again: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One operation on a message. headline: of the article that raised it, or the words of a message without alerts.

    chat, external_id: as in Post. ends: how it failed before, oldest first.
    """

    id: int
    message_id: int
    channel: str
    kind: str
    operation: str
    state: str
    created: datetime
    due_at: datetime
    settled: datetime | None
    attempt: int
    reason: str
    headline: str
    chat: str | None
    external_id: str | None
    ends: tuple[DeliveryEnd, ...]


@dataclass(frozen=True, slots=True)
class Retried:
    """Whether a delivery is made again; why: how it had failed, or why it is left as it is."""

    id: int
    channel: str
    again: bool
    why: str

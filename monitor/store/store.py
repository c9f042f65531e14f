"""The store: every statement Rasid sends to SQLite or Postgres, composed of its parts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Self

from monitor.store import dialect
from monitor.store.connection import utc_now
from monitor.store.digests import Digests
from monitor.store.failed import Failed
from monitor.store.feeds import Feeds
from monitor.store.history import History
from monitor.store.intake import Intakes
from monitor.store.messages import Messages
from monitor.store.notices import Notices
from monitor.store.outbox import Outbox
from monitor.store.people import People
from monitor.store.reading import Reading
from monitor.store.retention import Retention
from monitor.store.search import Search
from monitor.store.silences import Silences
from monitor.store.stories import Stories


class Store(
    Feeds,
    Intakes,
    Digests,
    Outbox,
    Failed,
    Messages,
    Notices,
    History,
    Search,
    Reading,
    Stories,
    Silences,
    People,
    Retention,
):
    """One open database. Used from one thread by the daemon; a second Store may read at the same time."""

    @classmethod
    def open(
        cls,
        url: str,
        *,
        owner: str,
        now: Callable[[], datetime] = utc_now,
        migrate: bool = True,
        lock: bool = False,
        read_only: bool = False,
    ) -> Self:
        """Open (and with migrate, bring up to date) the database at a SQLAlchemy URL. lock: refuse a second daemon.

        Raises StoreError, InstanceRunning, SchemaTooNew.
        """
        store = cls(dialect.parse_url(url), owner=owner, now=now, read_only=read_only, lock=lock)
        try:
            if migrate and not read_only:
                store.upgrade()
        except BaseException:
            store.close()
            raise
        return store

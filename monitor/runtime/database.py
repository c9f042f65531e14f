"""The configured database. Apart from assembly.py because those who only read it need no fetcher and no workers."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import datetime

from monitor.runtime.configuration import Configuration
from monitor.store.connection import utc_now
from monitor.store.store import Store


def owner() -> str:
    """This process, as claims name it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def open_store(
    found: Configuration, *, lock: bool = False, read_only: bool = False, now: Callable[[], datetime] = utc_now
) -> Store:
    """The configured database, brought up to date unless it is only read. Raises StoreError."""
    url = found.settings.settings.database.url
    return Store.open(url, owner=owner(), lock=lock, read_only=read_only, now=now)

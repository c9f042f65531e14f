"""A stop that is asked for while the daemon starts: modules are read, then the configuration, then the database.

Nothing there may be cut short, so SIGTERM and SIGINT are only noted; the start looks between its steps, and ends. A
second signal acts at once, by its default. SIGHUP does nothing yet: what was edited since the configuration was read is
seen once the daemon runs. This module is read before all others, and so reads next to nothing itself.
"""

from __future__ import annotations

import signal
from types import FrameType

_noted: list[int] = []


def note() -> None:
    """From now on note a stop, until somebody else listens for it."""
    signal.signal(signal.SIGTERM, _told)
    signal.signal(signal.SIGINT, _told)
    signal.signal(signal.SIGHUP, lambda *_: None)  # SIG_IGN would be inherited by what we start


def asked() -> bool:
    """Whether a stop was noted."""
    return bool(_noted)


def let_go() -> None:
    """From now on signals act by their default."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _told(number: int, _: FrameType | None) -> None:
    _noted.append(number)
    let_go()

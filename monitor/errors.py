"""What can go wrong, as one tree. Each message is written for the person who reads it: where, what, and the mend.

RasidError
├── ConfigError            a configuration file is wrong; carries every Problem found, not only the first
│   └── QueryError         one query cannot be read; carries the offset in the query text
├── FetchError             a feed or page could not be had; `reason` is one of FETCH_REASONS
├── ParseError             a body was had but is no feed we can read
├── StoreError             the database cannot be used as it is
│   ├── Collision          two processes waited for each other; this one's work was undone, and may be done again
│   ├── InstanceRunning    another rasid runs on this SQLite file
│   └── SchemaTooNew       the database was written by a newer rasid
└── DeliveryError          a channel's configuration makes sending impossible (raised before anything is sent)
"""

from __future__ import annotations

from dataclasses import dataclass


class RasidError(Exception):
    """Base of all errors that Rasid raises on purpose; str() is a sentence fit for a terminal."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a configuration file. line and column count from 1; 0 means "the file as a whole"."""

    file: str
    line: int
    column: int
    where: str
    what: str
    severity: str = "error"  # error: the file is refused; warning: it is accepted and the reader should know

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        where = f"{self.where}: " if self.where else ""
        return f"{place}: {'warning: ' if self.severity == 'warning' else ''}{where}{self.what}"


class ConfigError(RasidError):
    """A configuration file is refused. `problems` holds every error found, in file order."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class QueryError(ConfigError):
    """A query cannot be read. `start` and `end` are code point offsets in the query text."""

    def __init__(self, what: str, start: int, end: int | None = None) -> None:
        self.what = what
        self.start = start
        self.end = start + 1 if end is None else end
        super().__init__([Problem("query", 1, start + 1, "", what)])


FETCH_REASONS = (
    *("url", "address", "dns", "refused", "network", "proxy", "tls"),
    *("timeout", "too_large", "redirect", "status", "encoding"),
)


_UNREACHED = ("dns", "refused", "network", "timeout", "proxy")


class FetchError(RasidError):
    """A feed or page could not be had. status is the HTTP status where there was one; retry_after is in seconds."""

    def __init__(self, reason: str, what: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        self.reason = reason
        self.status = status
        self.retry_after = retry_after
        super().__init__(what)

    @property
    def reached(self) -> bool:
        """Whether a server was found and said something, however wrong."""
        return self.reason not in _UNREACHED


class ParseError(RasidError):
    """A body was fetched but is no feed or page that can be read."""


class StoreError(RasidError):
    """The database cannot be used as it is; the message says what to do."""


class Collision(StoreError):
    """Two processes waited for each other, and the database undid this one's transaction: it may be run again."""


class InstanceRunning(StoreError):
    """Another rasid daemon runs on this SQLite file."""


class SchemaTooNew(StoreError):
    """The database's schema is newer than this program."""


class DeliveryError(RasidError):
    """A channel's configuration makes sending impossible."""

"""The stored articles, for commands that only read them, beside a running daemon too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from monitor import settings
from monitor.errors import ConfigError, RasidError
from monitor.faces.cli.common import err, told
from monitor.faces.cli.times import moment
from monitor.model import Article
from monitor.runtime.database import owner
from monitor.store.store import Store

_BATCH = 300


@dataclass(frozen=True, slots=True)
class Stored:
    """The articles first seen at `since` or later. progress: told how many were read."""

    store: Store
    since: datetime
    progress: Callable[[int], None]

    def articles(self) -> Iterator[Article]:
        last = read = 0
        while batch := self.store.articles_since(self.since, after_id=last, limit=_BATCH):
            yield from (placed.article for placed in batch)
            read += len(batch)
            last = batch[-1].article.id or last
            self.progress(read)


@contextmanager
def stored(config: Path, since: str, doing: str) -> Iterator[Stored | None]:
    """None where there are none to be read. since: "" for all of them; doing: what the progress says."""
    with told():
        try:
            loaded = settings.load(config)
        except ConfigError as error:
            raise RasidError(f"the settings cannot be read, so no articles either:\n{error}") from None
        begin = moment(since, loaded.settings.zone) if since else datetime(1970, 1, 1, tzinfo=UTC)
    try:
        store = Store.open(loaded.settings.database.url, owner=owner(), read_only=True)
    except RasidError:
        yield None
        return
    try:
        if store.schema_version() is None:
            yield None
            return
        columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
            task = progress.add_task("", total=store.count_since(begin))
            yield Stored(store, begin, lambda done: progress.update(task, completed=done))
    finally:
        store.close()

"""Live reload: when a configuration file was edited, and whether what it now says may be taken over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from functools import partial
from operator import attrgetter
from pathlib import Path

from watchfiles import Change, awatch

from monitor.arabic.dictionary import Dictionary
from monitor.errors import ConfigError
from monitor.matching import examples
from monitor.runtime import configuration
from monitor.runtime.configuration import Configuration
from monitor.runtime.logs import log
from monitor.runtime.troubles import Troubles

LOOK_EVERY = 5  # seconds
# Settings that are read at the start only.
_FIXED = ("database", "fetch", "parsing", "stories", "http", "log", "polling.tick", "delivery.tick")


async def edits(directory: Path, seen: configuration.Marks) -> AsyncGenerator[None, None]:
    """Yields after each edit of a file that the configuration is read from, when a burst of them is over.

    seen: the marks of the files as they were last read, so that an edit made since then is one as well.

    The system tells of edits at once. Some file systems never tell, and none of a folder that was only just made, so
    the files are also looked at every few seconds.
    """
    while True:
        watched, folders = _watched(directory)
        looks = awatch(
            *folders,
            watch_filter=partial(_is_ours, watched),
            debounce=800,
            step=100,
            recursive=False,
            rust_timeout=LOOK_EVERY * 1000,
            yield_on_timeout=True,
        )
        try:
            async for _ in looks:
                marks = configuration.marks(directory)
                if marks != seen:
                    seen = marks
                    yield
                if _watched(directory) != (watched, folders):
                    break  # a folder was made or went away, or a link leads elsewhere
        except (OSError, RuntimeError) as error:  # a folder went away at the wrong moment, or no watch is left to have
            log().warning("edits cannot be watched for; I look again in a while", error=str(error))
            await asyncio.sleep(LOOK_EVERY)


def _watched(directory: Path) -> tuple[set[Path], set[Path]]:
    """(what is read, by its name and by where its link leads; the folders to watch for that)."""
    named = [path.parent.resolve() / path.name for path in configuration.files(directory)]
    read_from = {*named, *(path.resolve() for path in named)}
    folders = {path.parent for path in read_from} | read_from
    return read_from, {path for path in folders if path.is_dir()}


def _is_ours(watched: set[Path], _: Change, path: str) -> bool:
    changed = Path(path)
    return changed in watched or (changed.suffix in (".yaml", ".yml") and changed.parent in watched)


async def read(
    before: Configuration, environ: Mapping[str, str] | None, troubles: Troubles, dictionary: Dictionary | None
) -> Configuration | None:
    """The configuration as the files now are; None where it has problems, which are then told."""
    try:
        found = await asyncio.to_thread(configuration.load, before.settings.directory, environ, before.rules)
    except ConfigError as error:
        await troubles.broken_edit([str(problem) for problem in error.problems])
        return None
    old = {one.rule.id: one for one in before.rules.rules}
    changed = [one for one in found.rules.rules if one != old.get(one.rule.id)]
    failed = [one for one in await asyncio.to_thread(examples.run, changed, dictionary=dictionary) if not one.passed]
    if failed:
        await troubles.broken_edit(
            [f"rule {one.rule_id}: should {'' if one.expected else 'not '}hit: {one.text}" for one in failed]
        )
        return None
    return found


def needs_restart(before: Configuration, found: Configuration) -> list[str]:
    """The settings that changed and are only read at the start."""
    old, new = before.settings.settings, found.settings.settings
    return [name for name in _FIXED if attrgetter(name)(old) != attrgetter(name)(new)]

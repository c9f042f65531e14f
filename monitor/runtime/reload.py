"""Live reload: when a configuration file was edited, and whether what it now says may be taken over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from watchfiles import Change, awatch

from monitor.errors import ConfigError
from monitor.matching import examples
from monitor.runtime import configuration
from monitor.runtime.configuration import Configuration
from monitor.runtime.troubles import Troubles

_FIXED = ("database", "fetch", "parsing", "stories", "http", "log")  # settings that are read at the start only


async def edits(directory: Path) -> AsyncIterator[None]:
    """Yields after each edit of a file that the configuration is read from, when a burst of them is over."""
    watched = {path.resolve() for path in configuration.files(directory)}

    def ours(_: Change, path: str) -> bool:
        changed = Path(path).resolve()
        return changed in watched or (changed.suffix in (".yaml", ".yml") and changed.parent in watched)

    folders = {path.parent for path in watched} | {path for path in watched if path.is_dir()}
    async for _ in awatch(*folders, watch_filter=ours, debounce=800, step=100, recursive=False):
        yield


async def read(before: Configuration, environ: Mapping[str, str] | None, troubles: Troubles) -> Configuration | None:
    """The configuration as the files now are; None where it has problems, which are then told."""
    try:
        found = await asyncio.to_thread(configuration.load, before.settings.directory, environ)
    except ConfigError as error:
        await troubles.broken_edit([str(problem) for problem in error.problems])
        return None
    changed = [one for one in found.rules.rules if one not in before.rules.rules]
    failed = [one for one in await asyncio.to_thread(examples.run, changed) if not one.passed]
    if failed:
        await troubles.broken_edit(
            [f"rule {one.rule_id}: should {'' if one.expected else 'not '}hit: {one.text}" for one in failed]
        )
        return None
    return found


def needs_restart(before: Configuration, found: Configuration) -> list[str]:
    """The settings that changed and are only read at the start."""
    old, new = before.settings.settings, found.settings.settings
    return [name for name in _FIXED if getattr(old, name) != getattr(new, name)]

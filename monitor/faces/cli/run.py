"""`rasid run`: the daemon in the foreground, or one round of everything."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from monitor.errors import RasidError
from monitor.faces.bot.bot import Bot
from monitor.faces.cli.common import ConfigDir, err, told, warn
from monitor.matching import examples
from monitor.model import Feed
from monitor.runtime import configuration, logs, stops
from monitor.runtime.assembly import open_flow
from monitor.runtime.configuration import Configuration
from monitor.runtime.daemon import Companion, Daemon
from monitor.yamlfile import show_duration


def run(
    config: ConfigDir = Path("config"),
    once: Annotated[bool, typer.Option("--once", help="Poll every feed once, deliver what is due, and end.")] = False,
) -> None:
    """Poll the feeds, match the rules and send alerts, until stopped (Ctrl-C, or SIGTERM).

    Edited configuration files are taken over at once; a broken edit is reported and the last good one stays in force.
    Ends with 0 when told to stop (a second Ctrl-C: at once, with 130); with 1 if --once could reach no feed; with 2 if
    it cannot start.
    Examples: rasid run · rasid run --once · rasid run --config news/config
    """
    if once:
        stops.let_go()
    _heed_a_stop()
    with told():
        found = configuration.load(config)
        warn(found.warnings)
        settings = found.settings.settings
        logs.configure(settings.log.level, settings.log.format, found.secrets())
        _heed_a_stop()
        try:
            answered = asyncio.run(_run(found, once=once))
        except (RasidError, typer.Exit):
            raise
        except Exception as error:  # by way of the log, which takes secrets out
            logs.log().exception("rasid ended unexpectedly", error=repr(error))
            raise typer.Exit(2) from None
    if once and not answered:
        raise typer.Exit(1)


async def _run(found: Configuration, *, once: bool) -> int:
    log = logs.log()
    console = Console(highlight=False, markup=False, emoji=False)
    async with open_flow(found, console=console) as (flow, hints):
        for hint in hints:
            log.info(hint)
        for failed in (one for one in examples.run(found.rules.rules, dictionary=flow.dictionary) if not one.passed):
            log.warning("an example of a rule fails: see rasid rules test", rule=failed.rule_id, text=failed.text)
        active = [feed for feed in found.catalog.feeds if feed.enabled]
        log.info(
            "watching",
            feeds=len(active),
            rules=len(flow.rules),
            channels=", ".join(flow.channels),
            interval=show_duration(_usual_interval(active)),
            database=flow.store.place,
        )
        _heed_a_stop()
        daemon = Daemon(flow, found, console=console)
        if not once:
            daemon.companions.append(_bot(daemon))
            try:
                await daemon.run()
            except OSError as error:
                raise RasidError(
                    f"{found.settings.settings.http.host}:{found.settings.settings.http.port} cannot be listened on "
                    f"({error.strerror}): choose another http.port"
                ) from error
            return daemon.troubles.answered
        columns = (TextColumn("polling"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
            task = progress.add_task("")
            answered = await daemon.run_once(lambda done, total: progress.update(task, completed=done, total=total))
        log.info("done", answered=answered, failed=daemon.troubles.failed)
        return answered


def _heed_a_stop() -> None:
    """End in order where a stop was asked for since the start began; once the daemon runs, it listens itself."""
    if stops.asked():
        raise typer.Exit(0)


def _bot(daemon: Daemon) -> Companion:
    return Bot(daemon.flow, daemon.found, daemon.troubles, daemon.clock, daemon.followed)


def _usual_interval(feeds: list[Feed]) -> timedelta:
    intervals = sorted(feed.interval for feed in feeds)
    return intervals[len(intervals) // 2] if intervals else timedelta(0)

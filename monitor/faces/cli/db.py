"""`rasid db`: bring the database up to date, remove what is old, see what it holds."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from monitor.errors import RasidError
from monitor.faces.cli.common import AsJson, ConfigDir, err, print_json, print_table, told
from monitor.faces.cli.ledger import reading
from monitor.faces.cli.times import moment, shown
from monitor.runtime import configuration
from monitor.runtime.database import open_store
from monitor.store.connection import utc_now
from monitor.yamlfile import show_duration

app = typer.Typer(no_args_is_help=True)


@app.command("upgrade")
def upgrade(config: ConfigDir = Path("config")) -> None:
    """Bring the tables up to date; the daemon does the same when it starts.

    Example: rasid db upgrade
    """
    with told():
        found = configuration.load(config)
        with closing(open_store(found)) as store:
            typer.echo(f"✓ {store.place}: tables at {store.schema_version()}")


@app.command("prune")
def prune(
    keep: Annotated[
        str | None, typer.Option("--keep", help="Remove what is older, like 90d; default: the setting.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Remove old stories with their articles, hits and messages. What may still be sent stays, and so do keys of
    entries, so that nothing removed comes back as new.

    Examples: rasid db prune · rasid db prune --keep 90d --yes
    """
    with told():
        found = configuration.load(config)
        now = utc_now()
        span = now - moment(keep, "UTC", now) if keep else found.settings.settings.retention.keep
        if span is None:
            raise RasidError("retention.keep is forever: say how much to keep, like --keep 90d")
        if span < max(timedelta(days=1), found.settings.settings.stories.window):
            least = show_duration(max(timedelta(days=1), found.settings.settings.stories.window))
            raise RasidError(f"--keep must be at least {least}, the window of stories")
        if not yes and err.is_terminal and not typer.confirm(f"Remove everything older than {show_duration(span)}?"):
            raise typer.Exit(1)
        with (
            closing(open_store(found)) as store,
            err.status("removing") as shown_status,
        ):
            report = store.prune(now, span, progress=lambda so_far: shown_status.update(f"{so_far.articles} articles"))
    if as_json:
        print_json(asdict(report))
    else:
        typer.echo(", ".join(f"{number} {name.replace('_', ' ')}" for name, number in asdict(report).items()))


@app.command("info")
def info(config: ConfigDir = Path("config"), as_json: AsJson = False) -> None:
    """Show where the database is, its size and what it holds.

    Examples: rasid db info · rasid db info --json
    """
    with reading(config) as (found, store):
        facts = store.info()
        zone = found.settings.settings.zone
    if as_json:
        ends = {name: getattr(facts, name) for name in ("oldest_article", "newest_article")}
        print_json({**asdict(facts), **{name: when and when.isoformat() for name, when in ends.items()}})
        return
    lines = [
        ["database", facts.place],
        ["size", f"{facts.size / 1e6:.1f} MB"],
        ["schema", facts.schema_version],
        ["articles", f"from {shown(facts.oldest_article, zone)} to {shown(facts.newest_article, zone)}"],
        ["not indexed", str(facts.not_indexed)],
    ]
    print_table(["", ""], [*lines, *([name, str(number)] for name, number in facts.rows.items())])

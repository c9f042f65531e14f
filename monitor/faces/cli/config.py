"""`rasid check` and `rasid config`: is the configuration right, what is in force, and where is it from."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import typer

from monitor import settings
from monitor.errors import ConfigError, DeliveryError, Problem
from monitor.faces.cli.common import AsJson, ConfigDir, print_json, print_table, told, warn
from monitor.runtime import configuration
from monitor.runtime.configuration import Configuration

app = typer.Typer(no_args_is_help=True)


def check(config: ConfigDir = Path("config"), as_json: AsJson = False) -> None:
    """Read every configuration file and print every problem with its place and the mend.

    Ends with 0 if the daemon can start on them (warnings may be printed), with 2 if it cannot.
    Examples: rasid check · rasid check --config news/config --json
    """
    try:
        found = configuration.load(config)
        asyncio.run(_check_channels(config, found))
    except ConfigError as error:
        if as_json:
            print_json({"ok": False, "problems": _json(error.problems), "warnings": [], "counts": {}})
        else:
            for problem in error.problems:
                typer.echo(str(problem))
            count = len(error.problems)
            typer.echo(f"✗ {count} problem{'' if count == 1 else 's'}: the daemon would not start on this", err=True)
        raise typer.Exit(2) from None
    counts = {
        "outlets": len(found.catalog.outlets),
        "feeds": len(found.catalog.feeds),
        "feeds_enabled": sum(feed.enabled for feed in found.catalog.feeds),
        "rules": len(found.rules.rules),
        "channels": len(found.channels),
    }
    if as_json:
        print_json({"ok": True, "problems": [], "warnings": _json(found.warnings), "counts": counts})
        return
    for problem in found.warnings:
        typer.echo(str(problem))
    typer.echo(
        f"✓ {counts['feeds']} feeds ({counts['feeds_enabled']} enabled) of {counts['outlets']} outlets, "
        f"{counts['rules']} rules, {counts['channels']} channels"
    )


@app.command("show")
def show(config: ConfigDir = Path("config"), as_json: AsJson = False) -> None:
    """Print every setting with its value and where that comes from; secrets are hidden.

    Examples: rasid config show · rasid config show --json
    """
    with told():
        found = settings.load(config)
    rows = found.rows()
    if as_json:
        print_json([{"name": one.name, "value": one.value, "origin": one.origin, "about": one.about} for one in rows])
    else:
        print_table(["setting", "value", "from"], [[one.name, one.value, one.origin] for one in rows])
    warn(found.warnings)


async def _check_channels(config: Path, found: Configuration) -> None:
    from monitor.runtime import assembly  # brings the network and the database, which `config show` does not need

    try:
        await assembly.check_channels(found)
    except DeliveryError as error:
        problems = [Problem(str(config / "channels.yaml"), 0, 0, "channels", one) for one in str(error).splitlines()]
        raise ConfigError(problems) from None


def _json(problems: Sequence[Problem]) -> list[dict[str, object]]:
    return [
        {
            "file": one.file,
            "line": one.line,
            "column": one.column,
            "where": one.where,
            "what": one.what,
            "severity": one.severity,
        }
        for one in problems
    ]

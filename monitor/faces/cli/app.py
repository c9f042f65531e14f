"""The `rasid` command."""

from __future__ import annotations

from importlib.metadata import version as package_version

import typer

app = typer.Typer(no_args_is_help=True, help="Rasid (راصد) watches Arabic news feeds and alerts once per story.")


@app.callback()
def root() -> None:
    """Rasid (راصد) watches Arabic news feeds and alerts once per story."""


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(package_version("rasid"))

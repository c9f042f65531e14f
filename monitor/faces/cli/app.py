"""The `rasid` command."""

from __future__ import annotations

import sys
from importlib.metadata import version as package_version

import typer

from monitor.faces.cli import channels, config, db, feeds, ledger, rules
from monitor.faces.cli.common import complain
from monitor.faces.cli.demo import demo
from monitor.faces.cli.init import init
from monitor.faces.cli.last_words import last_words, tolerant_output
from monitor.faces.cli.match import match
from monitor.faces.cli.run import run

app = typer.Typer(
    no_args_is_help=True,
    help="Rasid (راصد) watches Arabic news feeds and alerts once per story.",
    epilog="Start: rasid demo · rasid init news && cd news && rasid run. "
    "Exit codes: 0 done · 1 the answer is no (an example failed, no rule hits, a feed or channel does not work) · "
    "2 wrong usage, bad configuration, error · 130 ended by Ctrl-C.",
    pretty_exceptions_enable=False,
)
app.add_typer(feeds.app, name="feeds")
app.add_typer(rules.app, name="rules")
app.add_typer(channels.app, name="channels")
app.add_typer(db.app, name="db")
app.add_typer(config.app, name="config")
app.command()(init)
app.command()(run)
app.command()(demo)
app.command()(ledger.status)
app.command()(ledger.hits)
app.command()(ledger.alerts)
app.command()(config.check)
app.command()(match)


@app.command()
def version() -> None:
    """Print the version. Example: rasid version"""
    typer.echo(package_version("rasid"))


def run_command() -> None:
    """The whole command; whatever goes wrong is told in words."""
    tolerant_output()
    try:
        app(prog_name="rasid")
    except Exception as error:
        complain(last_words(error))
        sys.exit(2)

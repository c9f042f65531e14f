"""The `rasid` command. A command's module is read when it is run, so that help and completion come at once."""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from importlib.metadata import version as package_version
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from monitor.faces.cli.last_words import last_words, reader_is_gone, tolerant_output


class _Command(NamedTuple):
    module: str  # under monitor.faces.cli
    name: str  # in the module: a function, or a group of commands
    does: str


COMMANDS = {
    "init": _Command("init", "init", "Make a folder to run Rasid in: commented feeds, rules, channels and settings."),
    "run": _Command(
        "run", "run", "Poll the feeds, match the rules and send alerts, until stopped (Ctrl-C, or SIGTERM)."
    ),
    "demo": _Command(
        "demo",
        "demo",
        "Show Rasid at work without a network: three local Arabic feeds, the real daemon, an alert within a minute.",
    ),
    "check": _Command(
        "config", "check", "Read every configuration file and print every problem with its place and the mend."
    ),
    "match": _Command("match", "match", "Show which rules hit a text, by which terms and where."),
    "status": _Command(
        "ledger",
        "status",
        "Show how things are: feeds, hits, the queue, the real delay from publication to message, and what is wrong.",
    ),
    "hits": _Command(
        "ledger", "hits", "List hits, the newest first: every article that a rule matched, what became of it, and why."
    ),
    "alerts": _Command(
        "ledger",
        "alerts",
        "List alerts, the newest first, with the outlets that carry the story and where it was sent.",
    ),
    "ledger": _Command(
        "fates", "ledger", "Account for every hit: what became of it, why, since when and where; with the sums."
    ),
    "deliveries": _Command("deliveries", "app", "Deliveries: list what waits or failed, have it sent again."),
    "stories": _Command(
        "stories",
        "app",
        "Stories: list them, show one with its outlets and headlines, merge, split, explain two articles.",
    ),
    "feeds": _Command("feeds", "app", "Feeds: list them with their state, test an address, add one."),
    "rules": _Command("rules", "app", "Watch rules: list, test by their examples, lint, expand a term, backfill."),
    "audit": _Command(
        "audit",
        "audit",
        "List what people did through the bot, the newest first: who, as what, what they asked, and what came of it.",
    ),
    "channels": _Command(
        "channels", "app", "Channels: list them, send a sample, say which of them an alert goes to and why."
    ),
    "silence": _Command(
        "silence", "app", "Silences: keep a rule, outlet, story or subject quiet for a while; list, end."
    ),
    "db": _Command("db", "app", "The database: upgrade, prune, info."),
    "config": _Command("config", "app", "Settings: what is in force, and where each value comes from."),
    "version": _Command("app", "version", "Print the version."),
}


class _Lazy(TyperGroup):
    """Knows its commands by name and line of help, and reads the one that is asked for."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else load(name), rest


def load(name: str) -> Any:
    """The command itself, of typer's own kind."""
    found = COMMANDS[name]
    there = getattr(import_module(f"monitor.faces.cli.{found.module}"), found.name)
    if isinstance(there, typer.Typer):
        group = get_group(there)
        group.name, group.help = name, found.does
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name)(there)
    return get_command(alone)


def version() -> None:
    """Print the version. Example: rasid version"""
    typer.echo(package_version("rasid"))


app = typer.Typer(
    cls=_Lazy,
    no_args_is_help=True,
    help="Rasid (راصد) watches Arabic news feeds and alerts once per story.",
    epilog="Start: rasid demo · rasid init news && cd news && rasid run. "
    "Exit codes: 0 done (run: told to stop, by Ctrl-C too) · "
    "1 the answer is no (an example failed, no rule hits, a feed or channel does not work) · "
    "2 wrong usage, bad configuration, error · 130 ended by Ctrl-C · 141 what it wrote was read no "
    "further (rasid hits | head).",
    pretty_exceptions_enable=False,
)
for _name, _command in COMMANDS.items():
    app.command(_name, help=_command.does)(lambda: None)


def run_command() -> None:
    """The whole command; whatever goes wrong is told in words."""
    tolerant_output()
    try:
        try:
            app(prog_name="rasid")
        finally:
            sys.stdout.flush()
    except (SystemExit, BrokenPipeError) as end:
        if not reader_is_gone(end):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it ends
        sys.exit(128 + signal.SIGPIPE)
    except Exception as error:
        from monitor.faces.cli.common import complain  # reads the rule language, which help does not need

        complain(last_words(error))
        sys.exit(2)

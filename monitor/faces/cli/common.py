"""What every command shares: where the configuration lies, how errors are told, how lists are printed.

Exit codes: 0 done · 1 the answer is no (a rule's example failed, no rule hits) · 2 wrong usage, a configuration with
problems, or an error.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from monitor.errors import ConfigError, Problem, RasidError
from monitor.matching import rules

ConfigDir = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="RASID_CONFIG", help="Folder of rules.yaml, feeds.yaml, channels.yaml."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Tell an error of ours in its own words and end with 2."""
    try:
        yield
    except ConfigError as error:
        for problem in error.problems:
            err.print(f"[red]✗[/red] {_escape(str(problem))}")
        raise typer.Exit(2) from None
    except RasidError as error:
        err.print(f"[red]✗[/red] {_escape(str(error))}")
        raise typer.Exit(2) from None


def warn(problems: Sequence[Problem]) -> None:
    """Print warnings to standard error."""
    for problem in problems:
        err.print(f"[yellow]![/yellow] {_escape(str(problem))}")


def load_rules(directory: Path) -> rules.RuleSet:
    """The rules of a configuration folder: rules.yaml, or rules/*.yaml. Prints their warnings."""
    single, folder = directory / "rules.yaml", directory / "rules"
    paths = [path for path in (single, folder) if path.exists()]
    found = rules.load(paths or [single])
    warn(found.warnings)
    return found


def print_json(value: object) -> None:
    """Print as JSON with Arabic readable."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under headings; tab-separated without headings in a pipe."""
    if not out.is_terminal:
        for row in rows:
            typer.echo("\t".join(row))
        return
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(_escape, row))
    out.print(table)


def _escape(text: str) -> str:
    return text.replace("[", r"\[")

"""What every command shares: where the configuration lies, how errors are told, how lists are printed.

Exit codes: 0 done · 1 the answer is no (a rule's example failed, no rule hits) · 2 wrong usage, a configuration with
problems, or an error.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from monitor.arabic.dictionary import Dictionary
from monitor.errors import ConfigError, Problem, RasidError
from monitor.matching import rules
from monitor.runtime import words
from monitor.yamlfile import near

ConfigDir = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="RASID_CONFIG", help="Folder of rules.yaml, feeds.yaml, channels.yaml."),
]
LEAST_LAST_COLUMN = 30
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
            complain(str(problem))
        raise typer.Exit(2) from None
    except RasidError as error:
        complain(str(error))
        raise typer.Exit(2) from None


def complain(what: str) -> None:
    """Print an error to standard error."""
    err.print(f"[red]✗[/red] {_escape(what)}")


def unknown(kind: str, name: str, known: Iterable[str]) -> RasidError:
    """The error that there is no rule, channel … of that name, with what was probably meant."""
    known = list(known)
    guess = near(name, known)
    mend = f"did you mean {guess}?" if guess else f"there are {', '.join(known)}" if known else "there are none"
    return RasidError(f"no {kind} is called {name}: {mend}")


def warn(problems: Sequence[Problem]) -> None:
    """Print warnings to standard error."""
    for problem in problems:
        err.print(f"[yellow]![/yellow] {_escape(str(problem))}")


def load_rules(directory: Path) -> rules.RuleSet:
    """The rules of a configuration folder. Prints their warnings."""
    found = rules.load(rule_files(directory))
    warn(found.warnings)
    return found


def rule_files(directory: Path) -> list[Path]:
    """rules.yaml, and the folder rules; the first where neither is there, which `load` then says."""
    single, folder = directory / "rules.yaml", directory / "rules"
    return [path for path in (single, folder) if path.exists()] or [single]


def dictionary() -> Dictionary | None:
    """The dictionary of Arabic forms; what is to be said of it goes to standard error."""
    return words.dictionary(lambda what: err.print(f"[dim]{_escape(what)} …[/dim]"))


def print_json(value: object) -> None:
    """Print as JSON, with Arabic readable where the terminal can show it."""
    ascii_only = "utf" not in (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    typer.echo(json.dumps(value, ensure_ascii=ascii_only, indent=2))


def isolated(text: str) -> str:
    """Text of either direction, kept from turning the line around it and from being turned by it."""
    return f"\u2068{text}\u2069"


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under headings; tab-separated without headings in a pipe.

    Only the last column is wrapped, so that no isolate is cut open before another column. Where the others leave it no
    room, each row is printed as a paragraph instead.
    """
    if not out.is_terminal:
        for row in rows:
            typer.echo("\t".join(row))
        return
    widths = [max(map(cell_len, column)) + 2 for column in zip(columns, *rows, strict=True)]
    last = min(widths[-1], LEAST_LAST_COLUMN)
    if sum(widths[:-1]) + last > out.width:
        for row in rows:
            head, *rest = zip(columns, row, strict=True)
            out.print(f"[bold]{_escape(' '.join(head).strip())}[/bold]")
            for name, cell in rest:
                if cell:
                    out.print(f"  [dim]{name}[/dim] {_escape(cell)}" if name else f"  {_escape(cell)}")
        return
    table = Table(box=None, pad_edge=False, show_header=any(columns))
    for number, name in enumerate(columns):
        table.add_column(name, no_wrap=number < len(columns) - 1, overflow="fold")
    for row in rows:
        table.add_row(*map(_escape, row))
    out.print(table)


def _escape(text: str) -> str:
    return text.replace("[", r"\[")

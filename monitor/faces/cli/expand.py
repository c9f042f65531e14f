"""`rasid rules expand`: every form that a term would match, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from monitor.arabic.normalise import fold
from monitor.errors import ConfigError, QueryError, RasidError
from monitor.faces.cli import complete
from monitor.faces.cli.common import (
    AsJson,
    ConfigDir,
    dictionary,
    err,
    isolated,
    out,
    print_json,
    rule_files,
    told,
    unknown,
)
from monitor.faces.cli.explained import hanging
from monitor.matching import rules as rule_file
from monitor.matching.expand import ExpandedTerm, ExpandedWord, expand
from monitor.matching.query import parse
from monitor.matching.rules import RuleSet, with_kinds
from monitor.matching.tree import Node

_WIDTH = 32  # of the column of reasons
_MOST_OTHERS = 12
_ARTICLES = {"": "", "only": "behind ال only: ", "never": "without ال: "}


def expand_term(
    term: Annotated[str, typer.Argument(help="A term, a phrase, $list, or any query.")],
    rule: Annotated[
        str | None, typer.Option("--rule", "-r", autocompletion=complete.rules, help="By the kinds of this rule.")
    ] = None,
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Show every form that a term would match, and the rule that gives it.

    What may stand before and behind the forms is told once, as a rule. Examples: rasid rules expand مسيرة ·
    rasid rules expand '"طائرات شاهد"' · rasid rules expand ^قصف · rasid rules expand '$drones' --json
    """
    with told():
        terms = expand(_query(term, rule, config), dictionary())
    if as_json:
        print_json([asdict(one) for one in terms])
        return
    for one in terms:
        for line in _lines(one):
            out.print(line)


def _query(text: str, rule: str | None, config: Path) -> Node:
    """The query, with the lists and kinds of the rule files; without them where there are none that can be read."""
    try:
        found = rule_file.load(rule_files(config))
    except ConfigError:
        if rule is not None or "$" in text:
            raise
        found = RuleSet(())
    kinds = dict(found.kinds)
    if rule is not None:
        watch = found.get(rule)
        if watch is None:
            raise unknown("rule", rule, (one.rule.id for one in found.rules))
        kinds |= watch.kinds
    try:
        query = parse(text, lists={name: one.query for name, one in found.lists.items()}, phrases=True)
    except QueryError as error:
        err.print(
            Text.assemble("  ", text[: error.start], (text[error.start : error.end], "bold red"), text[error.end :])
        )
        raise RasidError(error.what) from None
    return with_kinds(query, kinds)


def _lines(term: ExpandedTerm) -> Iterator[Text]:
    single = len(term.words) == 1
    yield Text.assemble((isolated(term.text), "bold"), (f"  {term.words[0].sort if single else term.note}", "dim"))
    if term.also:
        yield from _row("also written", "، ".join(term.also))
    for word in term.words:
        if not single:
            yield Text.assemble("  ", (isolated(word.text), "bold"), (f"  {word.sort}", "dim"))
        yield from _word(word)


def _word(word: ExpandedWord) -> Iterator[Text]:
    for group in word.groups:
        yield from _row(group.why, _ARTICLES[group.article] + (group.note or "، ".join(group.forms)))
    sample = next((form for group in word.groups for form in group.forms if group.article != "never"), "")
    if word.before == ("ال",):
        yield from _row("before it", "ال may come and go; nothing else is joined to it here, inside a phrase")
    elif word.before:
        joined = "وبال" + sample.removeprefix("ال") if word.hosts else f"وب{sample}"
        yield from _row("before it", " ".join(word.before) + (f" — {joined}" if sample else ""))
    if word.pronouns and word.hosts:
        host = min(word.hosts, key=lambda one: (not one.startswith(fold(sample)[:-1]), len(one)))
        yield from _row("behind it", f"{' '.join(word.pronouns)} — {host}{word.pronouns[2]}")
        yield from _row("  on", "، ".join(word.hosts))
    if word.others:
        more = len(word.others) - _MOST_OTHERS
        others = "، ".join(word.others[:_MOST_OTHERS]) + (f" … (+{more})" if more > 0 else "")
        yield from _row("not, being other words", others)


def _row(why: str, text: str) -> Iterator[Text]:
    yield from hanging(Text.assemble((f"    {why:<{_WIDTH}}  ", "dim")), Text(text), out)

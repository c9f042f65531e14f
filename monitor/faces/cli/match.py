"""`rasid match`: which rules hit a text, on which words, and why the others did not."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from monitor.arabic.language import guess
from monitor.errors import RasidError
from monitor.faces.cli import complete
from monitor.faces.cli.common import AsJson, ConfigDir, dictionary, isolated, load_rules, print_json, told, unknown
from monitor.matching.examples import article
from monitor.matching.explain import Explained, Explanation
from monitor.matching.matcher import Matcher
from monitor.model import Article, RuleMatch
from monitor.pages.extract import clean_text
from monitor.runtime import configuration

MAX_BYTES = 5_000_000
_Text = Annotated[str | None, typer.Argument(help="The text; from standard input if neither it nor a file or page.")]
_File = Annotated[Path | None, typer.Option("--file", "-f", help="Read the text from a file: first line the title.")]


def match(
    text: _Text = None,
    file: _File = None,
    url: Annotated[str | None, typer.Option("--url", "-u", help="Read the text from a web page.")] = None,
    rule: Annotated[
        str | None, typer.Option("--rule", "-r", autocompletion=complete.rules, help="Only this rule.")
    ] = None,
    why: Annotated[bool, typer.Option("--why", help="Also say why the other rules did not hit.")] = False,
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Show which rules hit a text, by which terms and where.

    The first line is taken for the headline, the rest for the body. Ends with 1 if no rule hits. Examples:
    rasid match 'هجوم بطائرات "شاهد" المسيّرة' · rasid match --file article.txt --why · rasid match -u https://… --rule
    shahed-drones
    """
    with told():
        if sum(one is not None for one in (text, file, url)) > 1:
            raise RasidError("give one of them: a text, --file or --url")
        found = load_rules(config)
        if rule is not None and found.get(rule) is None:
            raise unknown("rule", rule, (one.rule.id for one in found.rules))
        subject = _page(config, url) if url is not None else _article(_read(text, file))
    matcher = Matcher([(one.rule, one.query) for one in found.rules], dictionary=dictionary())
    hits = {hit.rule_id: hit for hit in matcher.match(subject) if rule in (None, hit.rule_id)}
    missed = [one.rule.id for one in found.rules if one.rule.id not in hits and (one.rule.id == rule or why)]
    if as_json:
        print_json(
            {
                "hits": [_hit_json(subject, hit) for hit in hits.values()],
                "misses": [_miss_json(matcher.explain(subject, one)) for one in missed],
            }
        )
    else:
        for hit in hits.values():
            typer.echo(f"✓ {hit.rule_id}")
            for line in _spans(subject, hit):
                typer.echo(f"    {line}")
        for one in missed:
            _print_miss(matcher.explain(subject, one))
        if not hits and not missed:
            typer.echo("no rule hits; --why says why not")
    raise typer.Exit(0 if hits else 1)


def _read(text: str | None, file: Path | None) -> str:
    if text is not None:
        return text
    if file is None:
        if sys.stdin.isatty():
            raise RasidError("give a text, --file, or pipe one in; `rasid match --help` shows an example")
        return sys.stdin.buffer.read(MAX_BYTES).decode("utf-8", "replace")
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES).decode("utf-8-sig", "replace")
    except OSError as error:
        raise RasidError(f"{file}: {error.strerror}; give the path of a text file") from None


def _article(text: str) -> Article:
    title, _, body = text.strip().partition("\n")
    return replace(article(title.strip()), body=clean_text(body), language=guess(text))


def _page(config: Path, url: str) -> Article:
    """The article on a web page, fetched and read as the daemon does it."""
    from monitor.faces.cli.network import read_page  # brings aiohttp, which a text or a file does not need

    page = asyncio.run(read_page(configuration.load(config), url))
    if not page.text:
        raise RasidError(f"{url}: no article was found on the page")
    return replace(article(page.title), url=url, body=page.text, author=page.author, language=guess(page.text))


def _spans(subject: Article, hit: RuleMatch) -> list[str]:
    lines = []
    for span in hit.spans:
        field = str(getattr(subject, span.field, ""))
        before, after = field[max(0, span.start - 30) : span.start], field[span.end : span.end + 30]
        passage = f"{before}[{field[span.start : span.end]}]{after}".replace("\n", " ")
        lines.append(f"{span.field} {span.start}-{span.end}  {isolated(span.term)}  {isolated(f'…{passage}…')}")
    return lines


def _hit_json(subject: Article, hit: RuleMatch) -> dict[str, object]:
    return {
        "rule": hit.rule_id,
        "score": hit.score,
        "spans": [
            {
                "field": span.field,
                "start": span.start,
                "end": span.end,
                "term": span.term,
                "text": str(getattr(subject, span.field, ""))[span.start : span.end],
            }
            for span in hit.spans
        ],
    }


def _miss_json(explanation: Explanation) -> dict[str, object]:
    return {"rule": explanation.rule_id, "excluded": explanation.excluded, "query": _node_json(explanation.root)}


def _node_json(node: Explained) -> dict[str, object]:
    return {
        "text": node.text,
        "held": node.held,
        "note": node.note,
        "children": [_node_json(child) for child in node.children],
    }


def _print_miss(explanation: Explanation) -> None:
    typer.echo(f"✗ {explanation.rule_id}{': ' + explanation.excluded if explanation.excluded else ''}")
    _print_node(explanation.root, 1)


def _print_node(node: Explained, depth: int) -> None:
    note = f"  ({node.note})" if node.note else ""
    typer.echo(f"{'    ' * depth}{'✓' if node.held else '✗'} {isolated(node.text)}{note}")
    for child in node.children:
        _print_node(child, depth + 1)

"""`rasid match`: which rules hit a text, on which words, and why the others did not."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from monitor.arabic.language import guess
from monitor.errors import RasidError
from monitor.faces.cli import complete, explained
from monitor.faces.cli.common import AsJson, ConfigDir, dictionary, isolated, load_rules, out, print_json, told, unknown
from monitor.matching.examples import article
from monitor.matching.explain import Explanation
from monitor.matching.matcher import Matcher
from monitor.matching.rules import RuleSet
from monitor.model import Article, Rule, RuleMatch
from monitor.pages.extract import clean_text
from monitor.runtime import configuration

MAX_BYTES = 5_000_000
_MOST_LACKS = 4
_Text = Annotated[str | None, typer.Argument(help="The text; from standard input if neither it nor a file or page.")]
_File = Annotated[Path | None, typer.Option("--file", "-f", help="Read the text from a file: first line the title.")]


def match(
    text: _Text = None,
    file: _File = None,
    url: Annotated[str | None, typer.Option("--url", "-u", help="Read the text from a web page.")] = None,
    rule: Annotated[
        str | None, typer.Option("--rule", "-r", autocompletion=complete.rules, help="Only this rule.")
    ] = None,
    explain: Annotated[
        bool,
        typer.Option("--explain", "--why", "-e", help="Show each query as a tree of yes and no, also of other rules."),
    ] = False,
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Show which rules hit a text, by which terms and where.

    The first line is taken for the headline, the rest for the body. Rules that hit come first, then the others, those
    that missed by least before those that have nothing to do with the text. With --rule that rule's tree is shown, with
    --rule and --explain every word of it. Ends with 1 if no rule hits. Examples:
    rasid match 'هجوم بطائرات "شاهد" المسيّرة' · rasid match --file article.txt --explain · rasid match -u https://…
    --rule shahed-drones
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
    missed = [one.rule.id for one in found.rules if one.rule.id not in hits and (one.rule.id == rule or explain)]
    misses = sorted((matcher.explain(subject, one) for one in missed), key=_missed_by)
    trees = {one: matcher.explain(subject, one) for one in hits} if explain or rule else {}
    if as_json:
        print_json(
            {
                "hits": [_hit_json(subject, hit, trees.get(hit.rule_id)) for hit in hits.values()],
                "misses": [_miss_json(one) for one in misses],
            }
        )
    else:
        for hit in hits.values():
            _print_hit(subject, hit, found, trees.get(hit.rule_id), whole=rule is not None and explain)
        for one in misses:
            _print_miss(one, found, alone=rule is not None, whole=explain)
        if not hits and not misses:
            typer.echo("no rule hits; --explain says why not")
    raise typer.Exit(0 if hits else 1)


def _missed_by(explanation: Explanation) -> tuple[bool, int, float]:
    """Rules of which something occurs come first, by how much they lack."""
    closeness = explanation.closeness()
    return closeness == 0, len(explanation.lacks()), -closeness


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


def _print_hit(
    subject: Article, hit: RuleMatch, found: RuleSet, explanation: Explanation | None, *, whole: bool
) -> None:
    watch = found.get(hit.rule_id)
    assert watch is not None, "the matcher has the rules of the set"
    out.print(_head(("✓ ", "bold green"), watch.rule))
    for line in explained.passages(subject, hit.spans, out):
        out.print(line)
    if explanation:
        for line in explained.tree(explanation.root, watch.text, out, whole=whole):
            out.print(line)


def _head(sign: tuple[str, str], rule: Rule) -> Text:
    return Text.assemble(sign, (rule.id, "bold"), (f"  {isolated(rule.name_ar)}", "dim"))


def _print_miss(explanation: Explanation, found: RuleSet, *, alone: bool, whole: bool) -> None:
    watch = found.get(explanation.rule_id)
    assert watch is not None, "the matcher has the rules of the set"
    if explanation.closeness() == 0 and not explanation.excluded and not alone:
        out.print(Text.assemble(_head(("✗ ", "red"), watch.rule), ("  nothing of it occurs", "dim")))
        return
    out.print(_head(("✗ ", "red"), watch.rule))
    for lack in explanation.lacks()[:_MOST_LACKS]:
        for line in explained.hanging(Text("    "), Text(lack, "yellow"), out):
            out.print(line)
    if alone:
        for line in explained.tree(explanation.root, watch.text, out, whole=whole):
            out.print(line)


def _hit_json(subject: Article, hit: RuleMatch, explanation: Explanation | None) -> dict[str, object]:
    made: dict[str, object] = {
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
    return made | {"query": explained.as_json(explanation.root)} if explanation else made


def _miss_json(explanation: Explanation) -> dict[str, object]:
    return {
        "rule": explanation.rule_id,
        "excluded": explanation.excluded,
        "lacks": explanation.lacks(),
        "closeness": round(explanation.closeness(), 3),
        "query": explained.as_json(explanation.root),
    }

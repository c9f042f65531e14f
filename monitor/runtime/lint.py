"""Everything doubtful about a set of rules: what their queries say, and what they would hit in the stored articles."""

from __future__ import annotations

import dataclasses
import pathlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor import yamlfile
from monitor.arabic.dictionary import Dictionary
from monitor.errors import Problem
from monitor.matching.assemble import located
from monitor.matching.doubts import Doubt, findings
from monitor.matching.matcher import Matcher
from monitor.matching.printer import show
from monitor.matching.rules import RuleSet, TermList, WatchRule
from monitor.matching.tree import And, Node, Not
from monitor.model import Outlet, Rule, RuleState
from monitor.store.store import Store
from monitor.yamlfile import Document

BATCH = 300
TOO_BROAD = 0.05  # of the articles
ENOUGH = 200  # articles from which on a share says something
HINTS = frozenset(("duplicate", "covered", "needless", "slow", "untested", "unused"))  # harmless, but worth a look
_ALONE = ("ambiguous", "grammar", "number")
_LISTED = re.compile(r"\$([\w-]+)")


@dataclass(frozen=True, slots=True)
class Finding:
    """One doubt at its place. rule: its id, "" for a term list; articles: in how many its term stands, if counted."""

    problem: Problem
    code: str
    rule: str = ""
    articles: int | None = None

    @property
    def hint(self) -> bool:
        """Whether it is harmless."""
        return self.code in HINTS


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """By their places in the files."""
    return sorted(findings, key=lambda one: (one.problem, one.code))


@dataclass(frozen=True, slots=True)
class Counted:
    """How many of the stored articles each rule would hit, whatever its state."""

    articles: int
    hits: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Report:
    findings: tuple[Finding, ...]
    counted: Counted | None


def lint(
    rules: RuleSet,
    dictionary: Dictionary | None,
    archive: Archive | None = None,
) -> Report:
    """What is doubtful, in the order of the files, and the counts of the archive where there is one."""
    places = _Places()
    doubts = [(one, doubt) for one in rules.rules for doubt in findings(one.query, one.text, dictionary)]
    listed = [(one, doubt) for one in rules.lists.values() for doubt in findings(one.query, one.text, dictionary)]
    listed = [(one, doubt) for one, doubt in listed if doubt.code not in (*_ALONE, "slow")]
    found = [Finding(places.at(one, doubt.at[0], doubt.what), doubt.code) for one, doubt in listed]
    found += [Finding(problem, "unused") for problem in _unused(rules, places)]
    found += _rule_by_rule(rules, places)
    counts = _count(rules, [doubt for _, doubt in doubts], dictionary, archive) if archive else None
    for one, doubt in doubts:
        found.append(_counted(one, doubt, places, counts))
    if counts:
        found += _in_the_archive(rules, places, counts)
    told = {(one.problem.file, one.problem.line, one.problem.column, one.code): one for one in in_order(found)}
    return Report(tuple(in_order(told.values())), counts.told if counts else None)


class _Places:
    """Where in the files a place of a query is."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}

    def document(self, file: str) -> Document:
        if file not in self._documents:
            self._documents[file] = yamlfile.read(pathlib.Path(file))
        return self._documents[file]

    def at(self, one: WatchRule | TermList, offset: int, what: str) -> Problem:
        found = located(self.document(one.file), one.parts, offset, what)
        return dataclasses.replace(found, where=f"{one.rule.id}" if isinstance(one, WatchRule) else f"${one.name}")


def _unused(rules: RuleSet, places: _Places) -> Iterator[Problem]:
    texts = [one.text for one in rules.rules] + [one.text for one in rules.lists.values()]
    used = {name for text in texts for name in _LISTED.findall(text)}
    for name, one in rules.lists.items():
        if name not in used:
            what = "no rule and no list uses it: use it, or take it out"
            found = places.document(one.file).problem(("terms", name), what, severity="warning", key=True)
            yield dataclasses.replace(found, where=f"${name}")


def _rule_by_rule(rules: RuleSet, places: _Places) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for one in rules.rules:
        rule = one.rule
        if not one.matches or not one.skips:
            lack = "no examples" if not one.matches and not one.skips else "one kind of example only"
            what = f"has {lack}: add headlines that it must hit (match) and must not (skip)"
            yield Finding(_of_rule(one, what), "untested", rule.id)
        text = show(one.query)
        if text in first:
            yield Finding(_of_rule(one, f"asks for the same as {first[text]}: take one out"), "same", rule.id)
        first.setdefault(text, rule.id)
        both = sorted(set(rule.outlets_include) & set(rule.outlets_exclude))
        if both and not set(rule.outlets_include) - set(both):
            what = f"can never hit: it includes only outlets that it excludes ({', '.join(both)})"
            yield Finding(_of_rule(one, what), "never", rule.id)


def _of_rule(one: WatchRule, what: str) -> Problem:
    return Problem(one.file, one.line, 1, one.rule.id, what, "warning")


# ── what the stored articles say ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Archive:
    """The stored articles to look at. progress: told how many were."""

    store: Store
    since: datetime
    outlets: Mapping[str, Outlet]
    progress: Callable[[int], None] | None = None


@dataclass(frozen=True, slots=True)
class _Counts:
    told: Counted
    without: Mapping[str, int]  # rules without what they exclude
    terms: Mapping[Node, int]


def _count(rules: RuleSet, doubts: Sequence[Doubt], dictionary: Dictionary | None, archive: Archive) -> _Counts:
    """One reading of the archive for all rules, all rules without their NOTs, and all terms that stand alone."""
    queries: list[tuple[Rule, Node]] = []
    for one in rules.rules:
        rule = dataclasses.replace(one.rule, state=RuleState.ON)
        queries.append((dataclasses.replace(rule, id=f"whole {rule.id}"), one.query))
        if (wanted := _wanted(one.query)) is not None:
            queries.append((dataclasses.replace(rule, id=f"wanted {rule.id}"), wanted))
    terms = list(dict.fromkeys(doubt.node for doubt in doubts if doubt.node is not None))
    queries += [(Rule(f"term {number}", "", ""), term) for number, term in enumerate(terms)]
    matcher = Matcher(queries, archive.outlets, dictionary=dictionary)
    hits: Counter[str] = Counter()
    articles = last = 0
    while batch := archive.store.articles_since(archive.since, after_id=last, limit=BATCH):
        for placed in batch:
            hits.update(match.rule_id for match in matcher.match(placed.article))
        articles += len(batch)
        last = batch[-1].article.id or last
        if archive.progress:
            archive.progress(articles)
    told = Counted(articles, {one.rule.id: hits[f"whole {one.rule.id}"] for one in rules.rules})
    without = {one.rule.id: hits[f"wanted {one.rule.id}"] for one in rules.rules if _wanted(one.query) is not None}
    return _Counts(told, without, {term: hits[f"term {number}"] for number, term in enumerate(terms)})


def _wanted(query: Node) -> Node | None:
    """The query without the NOTs at its top; None where it has none."""
    if not isinstance(query, And) or not any(isinstance(part, Not) for part in query.children):
        return None
    left = tuple(part for part in query.children if not isinstance(part, Not))
    return And(left, query.at) if left else None


def _counted(one: WatchRule, doubt: Doubt, places: _Places, counts: _Counts | None) -> Finding:
    what, number = doubt.what, None
    if counts and doubt.node is not None and counts.told.articles:
        number = counts.terms[doubt.node]
        what += f"; it stands in {number:,} of {counts.told.articles:,} stored articles"
    return Finding(places.at(one, doubt.at[0], what), doubt.code, one.rule.id, number)


def _in_the_archive(rules: RuleSet, places: _Places, counts: _Counts) -> Iterator[Finding]:
    articles = counts.told.articles
    for one in rules.rules if articles >= ENOUGH else ():
        rule_id = one.rule.id
        hits = counts.told.hits[rule_id]
        if hits > TOO_BROAD * articles:
            what = f"is broad: it would hit {hits:,} of {articles:,} stored articles ({hits / articles:.0%})"
            yield Finding(
                _of_rule(one, f"{what}; ask for more with AND or NEAR, or look in lead: only"), "broad", rule_id
            )
        without = counts.without.get(rule_id, 0)
        if without and not hits:
            what = f"its NOT (none) excludes all of the {without:,} stored articles that it would hit else"
            yield Finding(_of_rule(one, what), "killed", rule_id)

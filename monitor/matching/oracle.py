"""The slow, obvious matcher that the fast one is held to. It shares nothing with it but the Arabic rules.

Every word of a query is compared with every word of the text, every pair of places with every other; read this to
learn what a query means. A place is (field, first word, last word) with the spans it shows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import re2

from monitor.arabic import compounds, forms, loose, run_on
from monitor.arabic.dictionary import Dictionary
from monitor.arabic.function_words import is_guarded
from monitor.arabic.normalise import INVISIBLE, MARKS, fold, fold_pattern, fold_text, soft
from monitor.arabic.pronouns import PRONOUNS
from monitor.arabic.tokens import Token, candidates, tokenise
from monitor.arabic.verbs import verb_forms
from monitor.matching import tree
from monitor.model import Article, Outlet, Rule, RuleMatch, RuleState, Span

_MOST_SPANS = 100
_MOST_REGEX = 500
_LONGEST = 200_000
_NAMES = {"tag": "tags", "lang": "language"}


class _Place(NamedTuple):
    field: str
    first: int
    last: int
    spans: frozenset[Span]


Found = set[_Place] | None  # None: does not hold
_Row = list[tuple[tree.Term, str, bool]]  # words with the terms they are of, and whether another stands before
Allowed = dict[str, range]  # field → the words looked at


@dataclass
class _Field:
    text: str
    tokens: list[Token]


def matches(
    rule: Rule, node: tree.Node, article: Article, outlet: Outlet | None, dictionary: Dictionary | None = None
) -> RuleMatch | None:
    """The match of one rule, or None."""
    if rule.state is RuleState.OFF or not _admitted(rule, article, outlet):
        return None
    reading = _Reading(article, outlet, dictionary)
    found = reading.find(node, None)
    if found is None:
        return None
    spans: list[Span] = []
    for field in sorted({place.field for place in found}):
        spans += sorted({span for place in found for span in place.spans if span.field == field})[:_MOST_SPANS]
    return RuleMatch(rule.id, tuple(spans), reading.score(node, None))


def _admitted(rule: Rule, article: Article, outlet: Outlet | None) -> bool:
    def primary(tag: str) -> str:
        return tag.lower().replace("_", "-").partition("-")[0]

    return (
        (not rule.languages or primary(article.language) in {primary(tag) for tag in rule.languages})
        and (not rule.outlets_include or article.outlet_id in rule.outlets_include)
        and article.outlet_id not in rule.outlets_exclude
        and (not rule.countries or (outlet is not None and outlet.country.upper() in map(str.upper, rule.countries)))
    )


class _Reading:
    def __init__(self, article: Article, outlet: Outlet | None, dictionary: Dictionary | None) -> None:
        self.dictionary = dictionary
        names = [article.outlet_id] + ([outlet.name_ar, outlet.name_en] if outlet else [])
        texts = {
            **{"title": article.title, "summary": article.summary, "body": article.body, "author": article.author},
            **{"tags": " | ".join(article.tags), "url": article.url, "language": article.language},
            "outlet": " | ".join(dict.fromkeys(names)),
        }
        self.fields = {name: _Field(text, tokenise(text)) for name, text in _cut_short(texts).items()}
        self.lead = "body" if article.body.strip() else "summary"

    def _all(self, *names: str) -> Allowed:
        return {name: range(len(self.fields[name].tokens)) for name in names}

    def _scope(self, scope: Allowed | None) -> Allowed:
        return self._all("title", "summary", "body") if scope is None else scope

    def find(self, node: tree.Node, scope: Allowed | None) -> Found:
        """Where a node holds; scope None: nothing narrower than title, summary and body was asked for."""
        allowed = self._scope(scope)
        match node:
            case tree.Term():
                return self._rows((node,), 0, node.text, allowed)
            case tree.Phrase():
                return self._rows(node.words, node.slop, " ".join(word.text for word in node.words), allowed)
            case tree.And():
                parts = [self.find(child, scope) for child in node.children]
                return None if None in parts else _union(parts)
            case tree.Or():
                parts = [self.find(child, scope) for child in node.children]
                return None if all(part is None for part in parts) else _union(parts)
            case tree.Not():
                return set() if self.find(node.child, scope) is None else None
            case tree.Near():
                return self._near(node, scope)
            case tree.Same():
                return self._same(node, allowed)
            case tree.AtLeast():
                found = self.find(node.child, scope) or set()
                return found if len({place[:3] for place in found}) >= node.count else None
            case tree.Scope():
                return self.find(node.child, self._narrow(scope, node.field))
            case tree.Regex():
                return self._regex(node, allowed, scope)
            case tree.Score():
                held = [(self.find(child, scope), weight) for child, weight in node.weights]
                total = sum(weight for found, weight in held if found is not None)
                return _union([found for found, _ in held]) if total >= node.threshold else None

    def score(self, node: tree.Node, scope: Allowed | None) -> float:
        """The weights of the Score nodes that hold, under AND, OR, ATLEAST and scopes."""
        if self.find(node, scope) is None:
            return 0.0
        match node:
            case tree.Score():
                return sum((weight for child, weight in node.weights if self.find(child, scope) is not None), 0.0)
            case tree.And() | tree.Or():
                return sum(self.score(child, scope) for child in node.children)
            case tree.AtLeast():
                return self.score(node.child, scope)
            case tree.Scope():
                return self.score(node.child, self._narrow(scope, node.field))
        return 0.0

    def _narrow(self, scope: Allowed | None, name: str) -> Allowed:
        if name == "lead":
            wanted = self._all("title", self.lead)
            wanted[self.lead] = wanted[self.lead][:50]
        else:
            wanted = self._all(_NAMES.get(name, name))
        if scope is None:
            return wanted
        return {
            field: range(max(words.start, scope[field].start), min(words.stop, scope[field].stop))
            for field, words in wanted.items()
            if field in scope
        }

    def _span(self, field: str, first: int, last: int, term: str) -> frozenset[Span]:
        tokens = self.fields[field].tokens
        return frozenset({Span(field, tokens[first].start, tokens[last].end, term)})

    def _rows(self, terms: tuple[tree.Term, ...], slop: int, name: str, allowed: Allowed) -> Found:
        words: _Row = []
        for i, term in enumerate(terms):
            words += [(term, text, j > 0 or (i > 0 and not slop)) for j, text in enumerate(_cut(term))]
        modes = {term.mode for term in terms}
        ways = [words]
        if words and modes in ({"word"}, {"loose"}):
            typed = [term.text[token.start : token.end] for term in terms for token in tokenise(term.text)]
            ways = [_in_a_way(words, way) for way in compounds.spellings(typed, loose=modes == {"loose"})]
        found = [self._row(way, slop, name, allowed) for way in ways]
        return None if all(part is None for part in found) else _union(found)

    def _row(self, words: _Row, slop: int, name: str, allowed: Allowed) -> Found:
        size = len(words)
        found: set[_Place] = set()
        for field, inside in allowed.items():
            tokens = self.fields[field].tokens
            at = [
                {i for i in inside if _is(term, text, later, tokens[i].soft, self.dictionary)}
                for term, text, later in words
            ]
            if not size or not all(at):
                continue
            if slop and size > 1:
                ranges = _windows(at, slop)
            else:
                ranges = {(i, i + size - 1) for i in at[0] if all(i + j in at[j] for j in range(size))}
            found |= {_Place(field, first, last, self._span(field, first, last, name)) for first, last in ranges}
        return found or None

    def _near(self, node: tree.Near, scope: Allowed | None) -> Found:
        def again(left: tree.Node, right: tree.Node) -> tree.Near:
            return tree.Near(left, right, node.words, node.ordered, node.at)

        if isinstance(node.left, tree.And):
            parts = tuple(again(child, node.right) for child in node.left.children)
            return self.find(tree.And(parts, node.at), scope)
        if isinstance(node.right, tree.And):
            parts = tuple(again(node.left, child) for child in node.right.children)
            return self.find(tree.And(parts, node.at), scope)
        if isinstance(node.right, tree.Not):
            return self._apart(node, node.left, node.right.child, scope, behind=True)
        if isinstance(node.left, tree.Not):
            return self._apart(node, node.right, node.left.child, scope, behind=False)
        lefts, rights = _unique(self.find(node.left, scope)), _unique(self.find(node.right, scope))
        found: set[_Place] = set()
        for ones, others, forward in ((lefts, rights, True), (rights, lefts, False)):
            for one in ones:
                if forward or not node.ordered:
                    after = [o for o in others if o.field == one.field and o.first > one.last]
                    found |= _pair(one, min(after, key=lambda o: (o.first, o.last), default=None), node.words)
                if not forward or not node.ordered:
                    before = [o for o in others if o.field == one.field and o.last < one.first]
                    found |= _pair(one, max(before, key=lambda o: (o.last, o.first), default=None), node.words)
        return found or None

    def _apart(
        self, node: tree.Near, kept: tree.Node, banned: tree.Node, scope: Allowed | None, *, behind: bool
    ) -> Found:
        def bad(one: _Place, other: _Place) -> bool:
            if one.field != other.field:
                return False
            if node.ordered and behind:
                return 0 <= other.first - one.last - 1 <= node.words
            if node.ordered:
                return 0 <= one.first - other.last - 1 <= node.words
            return other.first - one.last - 1 <= node.words and one.first - other.last - 1 <= node.words

        others = self.find(banned, scope) or set()
        return {one for one in self.find(kept, scope) or () if not any(bad(one, o) for o in others)} or None

    def _same(self, node: tree.Same, allowed: Allowed) -> Found:
        parts: list[Found] = []
        for field, inside in allowed.items():
            tokens = self.fields[field].tokens
            units: dict[int, list[int]] = {}
            for i in inside:
                units.setdefault(getattr(tokens[i], node.unit), []).append(i)
            for members in units.values():
                there = {field: range(members[0], members[-1] + 1)}
                left, right = self.find(node.left, there), self.find(node.right, there)
                if left is not None and right is not None:
                    parts.append(left | right)
        return _union(parts) if parts else None

    def _regex(self, node: tree.Regex, allowed: Allowed, scope: Allowed | None) -> Found:
        options = re2.Options()
        options.case_sensitive = False
        expression = re2.compile(fold_pattern(node.pattern), options)
        found: set[_Place] = set()
        for field, inside in allowed.items():
            folded, tokens = fold_text(self.fields[field].text), self.fields[field].tokens
            for match in list(expression.finditer(folded.text))[:_MOST_REGEX]:
                kept = match.group().rstrip()
                begin = match.start() + len(kept) - len(kept.lstrip())
                start, end = folded.original(begin, match.start() + len(kept))
                first = sum(token.end <= start for token in tokens)
                last = sum(token.start < end for token in tokens) - 1
                whole = inside == range(len(tokens))
                if kept and (whole or (inside.start <= first and max(first, last) < inside.stop)):
                    span = Span(field, start, end, f"/{node.pattern}/")
                    found.add(_Place(field, first, last, frozenset({span})))
        return found or None


def _cut_short(texts: dict[str, str]) -> dict[str, str]:
    return {name: text[:_LONGEST] for name, text in texts.items()}


def _union(parts: list[Found]) -> set[_Place]:
    return {place for part in parts if part for place in part}


def _unique(places: Found) -> list[_Place]:
    """Places of the same words are one, with the spans of all."""
    spans: dict[tuple[str, int, int], frozenset[Span]] = {}
    for place in places or ():
        spans[place[:3]] = spans.get(place[:3], frozenset()) | place.spans
    return [_Place(*key, found) for key, found in spans.items()]


def _pair(one: _Place, other: _Place | None, words: int) -> set[_Place]:
    if other is None or max(other.first - one.last, one.first - other.last) - 1 > words:
        return set()
    first, last = min(one.first, other.first), max(one.last, other.last)
    return {_Place(one.field, first, last, one.spans | other.spans)}


def _windows(at: list[set[int]], slop: int) -> set[tuple[int, int]]:
    """The ranges that hold one word of every set, each at its own place, and contain no smaller such range."""
    fitting = {
        (min(chosen), max(chosen))
        for chosen in product(*at)
        if len(set(chosen)) == len(at) and max(chosen) - min(chosen) + 1 - len(at) <= slop
    }
    return {(a, b) for a, b in fitting if not any(a <= c and d <= b and (c, d) != (a, b) for c, d in fitting)}


@lru_cache(4_096)
def _expanded(text: str, kind: forms.Kind, dictionary: Dictionary | None) -> forms.Forms:
    return forms.expand(text, kind, dictionary=dictionary)


def _cut(term: tree.Term) -> list[str]:
    if term.mode != "wildcard":
        return [token.soft for token in tokenise(term.text)]
    out: list[str] = []
    for run in re.findall(f"[\\w*{MARKS}{INVISIBLE}]+", term.text.replace("_", " ")):
        before = ""
        for letter in run:  # cut between letters and digits; a star goes with what stands before it
            known = before.strip("*")
            if known and letter != "*" and letter.isdecimal() != known.isdecimal():
                out.append(before)
                before = ""
            before += letter
        out.append(before)
    return [soft(piece) for piece in out]


def _in_a_way(words: _Row, way: Sequence[int | str]) -> _Row:
    """The row in another spelling of its names."""
    first = words[0][0]
    return [
        words[piece] if isinstance(piece, int) else (replace(first, text=piece, kind="name"), piece, at > 0)
        for at, piece in enumerate(way)
    ]


def _is(term: tree.Term, text: str, later: bool, token: str, dictionary: Dictionary | None) -> bool:
    """Whether a word of the text is this word of the query."""
    folded = fold(token)
    if term.mode == "exact" or (term.mode == "wildcard" and "*" not in text):
        return folded == fold(soft(text))
    found = False
    expanded = _expanded(text, "name" if term.mode == "loose" else term.kind, dictionary)
    for remainder, mode in candidates(token):
        rest = fold(remainder)
        if later and rest not in (folded, folded.removeprefix("ال")):
            continue
        if term.mode == "wildcard":
            found = found or _glob(fold(text), rest)
        elif term.mode == "verb" or remainder not in expanded.barred:
            found = found or _is_form(term, text, expanded, later, token, remainder, mode, dictionary)
    if term.mode == "wildcard":
        return found
    if term.mode == "verb":
        return found
    if found and not is_guarded(token, expanded.typed) and token not in expanded.refused:
        return True
    return expanded.rigid and _runs_on(expanded, later, token, dictionary)


def _runs_on(expanded: forms.Forms, later: bool, token: str, dictionary: Dictionary | None) -> bool:
    """Whether a name lost the space to a word of grammar here."""
    for part in run_on.hidden(token):
        for remainder, mode in candidates(part):
            rest = fold(remainder)
            allowed = expanded.modes.get(rest, 0) & mode or (later and expanded.later.get(rest, 0) & mode)
            if later and remainder not in (part, part.removeprefix("ال")):
                continue
            if allowed and len(rest) >= run_on.LEAST and not run_on.is_known(token, dictionary):
                return True
    return False


def _is_form(
    term: tree.Term,
    text: str,
    expanded: forms.Forms,
    later: bool,
    token: str,
    remainder: str,
    mode: int,
    dictionary: Dictionary | None,
) -> bool:
    rest = fold(remainder)
    if expanded.modes.get(rest, 0) & mode or (later and expanded.later.get(rest, 0) & mode):
        return True
    for host in expanded.hosts if mode == 1 else ():
        if any(rest == host + pronoun for pronoun in PRONOUNS):
            size = len(host) - len(rest)
            other = token[: size - 1] + "ة" if token[:size].endswith("ت") else ""  # ولاية of ولايته
            if term.mode == "verb" or not (remainder[:size] in expanded.barred or other in expanded.refused):
                return True
    if term.mode == "verb" and mode == 1 and rest in verb_forms(text):
        return True
    name = fold(expanded.stem)
    if term.mode != "loose" or not loose.is_loose(name):
        return False
    return loose.sounds_like(loose.skeleton(name), loose.skeleton(rest)) and not loose.is_common(rest, dictionary)


def _glob(pattern: str, text: str) -> bool:
    if "*" not in pattern:
        return pattern == text
    head, _, rest = pattern.partition("*")
    return text.startswith(head) and any(_glob(rest, text[i:]) for i in range(len(head), len(text) + 1))

"""Why a rule holds for an article or not: the query's tree with the outcome of every node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.arabic.dictionary import Dictionary
from monitor.matching import tree
from monitor.matching.compile import Compiler, anchor, label
from monitor.matching.filters import excluded
from monitor.matching.lexicon import Lexicon, words_of
from monitor.matching.nodes import Compiled
from monitor.matching.spans import spans
from monitor.matching.view import EVERYWHERE, ArticleView, Scope, field_text
from monitor.matching.walk import children
from monitor.model import Article, Outlet, Rule, RuleState, Span

_SIGNS = {"exact": "=", "verb": "^", "loose": "~"}
_MOST_WORDS = 6


@dataclass(frozen=True, slots=True)
class Explained:
    """One node of the query. spans are its own, also under NOT; note says what a reader may wonder about."""

    text: str
    held: bool
    spans: tuple[Span, ...]
    note: str
    at: tuple[int, int]
    children: tuple[Explained, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """held: the query holds and no filter excludes the article. excluded: why a filter does, "" where none does."""

    rule_id: str
    held: bool
    excluded: str
    root: Explained


@dataclass(frozen=True, slots=True)
class _Part:
    """A node of the tree, compiled by itself, and whether a NOT stands above it."""

    source: tree.Node
    compiled: Compiled
    denied: bool
    below: tuple[_Part, ...]


def explain(
    rule: Rule, node: tree.Node, article: Article, outlet: Outlet | None, dictionary: Dictionary | None = None
) -> Explanation:
    """Evaluate every node of a rule's query by itself on one article."""
    lexicon = Lexicon(dictionary)
    compiler = Compiler(lexicon)
    compiled = compiler.compile(node)
    root = _prepare(node, compiler, compiled, denied=False)
    view = ArticleView(article, outlet, lexicon, sorted(compiler.fields))
    why = excluded(rule, article, outlet)
    if rule.state is RuleState.OFF:
        why = "the rule is turned off"
    told = _told(root, view, EVERYWHERE, outlet)
    return Explanation(rule.id, told.held and not why, why, told)


def _prepare(node: tree.Node, compiler: Compiler, compiled: Compiled, *, denied: bool) -> _Part:
    anchor(compiled, lambda _: 1.0)
    under = denied != isinstance(node, tree.Not)
    below = tuple(_prepare(child, compiler, compiler.compile(child), denied=under) for child in children(node))
    return _Part(node, compiled, denied, below)


def _told(part: _Part, view: ArticleView, scope: Scope, outlet: Outlet | None) -> Explained:
    places = part.compiled.find(view, scope)
    found = spans(places or (), view)
    inner = view.narrow(scope, part.source.field) if isinstance(part.source, tree.Scope) else scope
    below = tuple(_told(child, view, inner, outlet) for child in part.below)
    note = _note(part, places is not None, found, view.article, outlet)
    return Explained(_text(part.source), places is not None, found, note, part.source.at, below)


def _note(part: _Part, held: bool, found: Sequence[Span], article: Article, outlet: Outlet | None) -> str:
    node = part.source
    notes: list[str] = []
    if found and isinstance(node, tree.Term | tree.Phrase | tree.Regex):
        words = dict.fromkeys(field_text(article, outlet, span.field)[span.start : span.end] for span in found)
        notes.append("found as " + "، ".join(list(words)[:_MOST_WORDS]) + (" …" if len(words) > _MOST_WORDS else ""))
    if isinstance(node, tree.Term | tree.Phrase) and not _letters(node):
        notes.append("has no letter or digit, so it never occurs")
    if part.denied and held and not part.below:
        notes.append("stands under NOT")
    if isinstance(node, tree.AtLeast):
        notes.append(f"asks for {node.count} places")
    if isinstance(node, tree.Near | tree.Same) and not held:
        notes.append("both sides must hold together, not only each by itself")
    if isinstance(node, tree.Scope) and node.field == "lead":
        notes.append("the title and the first 50 words")
    return "; ".join(notes)


def _letters(node: tree.Term | tree.Phrase) -> bool:
    terms = (node,) if isinstance(node, tree.Term) else node.words
    return any(words_of(term) for term in terms)


def _text(node: tree.Node) -> str:
    """The node in query syntax; operators by their word, their operands being below them."""
    match node:
        case tree.Term():
            return _SIGNS.get(node.mode, "") + node.text
        case tree.Phrase():
            signs = {_SIGNS.get(word.mode, "") for word in node.words}
            sign = signs.pop() if len(signs) == 1 else ""
            return f'{sign}"{label(node)}"' + (f"~{node.slop}" if node.slop else "")
        case tree.Regex():
            return label(node)
        case tree.Near():
            return f"{'ONEAR' if node.ordered else 'NEAR'}/{node.words}"
        case tree.Same():
            return node.unit.upper()
        case tree.AtLeast():
            return f"ATLEAST/{node.count}"
        case tree.Scope():
            return f"{node.field}:"
        case tree.Score():
            return f"score ≥ {node.threshold:g}"
    return type(node).__name__.upper()

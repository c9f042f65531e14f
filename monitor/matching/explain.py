"""Why a rule holds for an article or not: the query's tree with the outcome of every node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.arabic.dictionary import Dictionary
from monitor.matching import tree
from monitor.matching.anchors import anchor
from monitor.matching.compile import Compiler, label
from monitor.matching.filters import excluded
from monitor.matching.lexicon import Lexicon, Memory, words_of
from monitor.matching.nodes import Compiled
from monitor.matching.places import Place, merged
from monitor.matching.spans import spans
from monitor.matching.view import EVERYWHERE, ArticleView, Scope, field_text
from monitor.matching.walk import children
from monitor.model import Article, Outlet, Rule, RuleState, Span

_LONGEST = 60  # code points of an expression
_SIGNS = {"exact": "=", "verb": "^", "loose": "~"}
_MOST_WORDS = 6
_MOST_NAMED = 5
_MOST_NAMED_INSIDE = 2


@dataclass(frozen=True, slots=True)
class Explained:
    """One node of the query. kind: leaf, and, or, not, near, apart (NOT NEAR), same, atleast, scope, score.

    spans are its own, also under NOT; note says what a reader may wonder about.
    """

    kind: str
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

    def lacks(self) -> list[str]:
        """What kept the rule from hitting, a phrase each: its filter, what is missing, what must not occur and does."""
        return [*([self.excluded] if self.excluded else []), *(f"{how}: {what}" for how, what in _lacks(self.root))]

    def closeness(self) -> float:
        """How much of the query holds, from 0 to 1."""
        return 0.0 if self.excluded else _closeness(self.root)


def _lacks(node: Explained) -> list[tuple[str, str]]:
    """Pairs of "missing" or "must not occur" and what."""
    if node.held:
        return []
    below = [lack for child in node.children for lack in _lacks(child)]
    match node.kind:
        case "or":
            nearest = max(node.children, key=_closeness)
            if _closeness(nearest) > 0:
                return _lacks(nearest)
            return [("missing", f"one of {_named([brief(child) for child in _flat(node)], _MOST_NAMED)}")]
        case "not":
            there = [leaf.text for leaf in _leaves(node.children[0]) if leaf.held]
            return [("must not occur", _named(there, _MOST_NAMED))]
        case "scope" if below:
            return [(how, f"{node.text} {what}{_behind(node.note)}") for how, what in below]
        case "apart" if not node.children[0].held:
            return _lacks(node.children[0])
        case "and" | "near" | "same" if below:
            return below
    return [("missing", brief(node) + _behind(node.note))]


def _flat(node: Explained) -> list[Explained]:
    """The alternatives of an OR, those of an OR below it among them."""
    return [one for child in node.children for one in (_flat(child) if child.kind == "or" else [child])]


def _behind(note: str) -> str:
    return f" ({note})" if note else ""


def _named(texts: Sequence[str], most: int) -> str:
    """Some of the texts, and how many more there are."""
    texts = list(dict.fromkeys(texts))
    return "، ".join(texts[:most]) + (f" … (+{len(texts) - most})" if len(texts) > most else "")


def _leaves(node: Explained) -> list[Explained]:
    return [leaf for child in node.children for leaf in _leaves(child)] if node.children else [node]


def brief(node: Explained) -> str:
    """A node in one line, with some of the operands that stand below it."""
    below = [brief(child) for child in node.children]
    match node.kind:
        case "leaf":
            return node.text
        case "scope":
            return f"{node.text}{below[0]}"
        case "not" | "atleast":
            return f"{node.text} {below[0]}"
        case "or":
            return f"({_named([brief(one) for one in _flat(node)], _MOST_NAMED_INSIDE)})"
        case "score":
            return f"{node.text} ({_named(below, _MOST_NAMED_INSIDE)})"
    return f" {node.text} ".join(below)


def _closeness(node: Explained) -> float:
    if node.held or not node.children:
        return float(node.held)
    wanted = [child for child in node.children if child.kind != "not" or not child.held]
    below = [_closeness(child) for child in wanted]
    match node.kind:
        case "not":
            return 0.0
        case "or":
            return max(below)
        case "apart":
            return 0.9 * below[0]
        case "near" | "same":
            return 0.9 * sum(below) / 2
        case "scope" | "atleast" | "score":
            return 0.9 * sum(below) / len(below)
    return sum(below) / len(below)


@dataclass(frozen=True, slots=True)
class _Part:
    """A node of the tree, compiled by itself."""

    source: tree.Node
    compiled: Compiled
    below: tuple[_Part, ...]


def explain(
    rule: Rule, node: tree.Node, article: Article, outlet: Outlet | None, dictionary: Dictionary | None = None
) -> Explanation:
    """Evaluate every node of a rule's query by itself on one article."""
    lexicon = Lexicon(dictionary)
    compiler = Compiler(lexicon)
    compiled = compiler.compile(node)
    root = _prepare(node, compiler, compiled)
    view = ArticleView(article, outlet, Memory(lexicon), sorted(compiler.fields))
    why = excluded(rule, article, outlet)
    if rule.state is RuleState.OFF:
        why = "the rule is turned off"
    told = _told(root, view, EVERYWHERE, outlet)
    return Explanation(rule.id, told.held and not why, why, told)


def _prepare(node: tree.Node, compiler: Compiler, compiled: Compiled) -> _Part:
    anchor(compiled, lambda _: 1.0)
    parts = children(node)
    if _is_apart(node):
        parts = (parts[0], *children(parts[1]))
    below = tuple(_prepare(child, compiler, compiler.compile(child)) for child in parts)
    return _Part(node, compiled, below)


def _told(part: _Part, view: ArticleView, scope: Scope, outlet: Outlet | None) -> Explained:
    places = part.compiled.find(view, scope)
    found = spans(places or (), view)
    inner = view.narrow(scope, part.source.field) if isinstance(part.source, tree.Scope) else scope
    below = tuple(_told(child, view, inner, outlet) for child in part.below)
    held = places is not None
    notes = _found_as(part, found, view.article, outlet) if found else _why_not(part, held, view, inner)
    if isinstance(part.source, tree.Term | tree.Phrase) and not _letters(part.source):
        notes.append("has no letter or digit, so it never occurs")
    return Explained(_kind(part.source), _text(part.source), held, found, "; ".join(notes), part.source.at, below)


def _found_as(part: _Part, found: Sequence[Span], article: Article, outlet: Outlet | None) -> list[str]:
    if not isinstance(part.source, tree.Term | tree.Phrase | tree.Regex):
        return []
    words = Counter(field_text(article, outlet, span.field)[span.start : span.end] for span in found)
    named = [f"{word} ×{count}" if count > 1 else word for word, count in words.most_common(_MOST_WORDS)]
    fields = "، ".join(dict.fromkeys(span.field for span in found))
    return [f"{'، '.join(named)}{' …' if len(words) > _MOST_WORDS else ''} in {fields}"]


def _why_not(part: _Part, held: bool, view: ArticleView, scope: Scope) -> list[str]:
    """What a reader may wonder about where a node does not hold."""
    node = part.source
    if held:
        return []
    below = [child.compiled.find(view, scope) for child in part.below]
    match node:
        case tree.Near() if _is_apart(node):
            return ["occurs, but each time beside it"] if below[0] else []
        case tree.Near() if all(below):
            gap = _gap(below[0] or [], below[1] or [], node.ordered)
            return [f"both occur, {gap} words between them at the closest" if gap is not None else _NEVER_SO]
        case tree.Same() if all(below):
            return [f"both occur, never in one {node.unit}"]
        case tree.AtLeast():
            return [f"occurs {len(merged(below[0] or ()))} times"]
        case tree.Scope() if part.below[0].compiled.find(view, EVERYWHERE) is not None:
            return ["occurs elsewhere in the article"]
        case tree.Score():
            total = sum(weight for (_, weight), places in zip(node.weights, below, strict=True) if places is not None)
            return [f"reaches {total:g}"]
    return []


_NEVER_SO = "both occur, never in this order and one behind the other"


def _gap(left: Sequence[Place], right: Sequence[Place], ordered: bool) -> int | None:
    """The fewest words that lie between two places of one field; None where there are no two side by side."""
    gaps = [b.first - a.last - 1 for a in left for b in right if a.field == b.field]
    if not ordered:
        gaps += [a.first - b.last - 1 for a in left for b in right if a.field == b.field]
    return min((gap for gap in gaps if gap >= 0), default=None)


def _is_apart(node: tree.Node) -> bool:
    return isinstance(node, tree.Near) and isinstance(node.right, tree.Not)


def _kind(node: tree.Node) -> str:
    if _is_apart(node):
        return "apart"
    return "leaf" if isinstance(node, tree.Term | tree.Phrase | tree.Regex) else type(node).__name__.lower()


def _letters(node: tree.Term | tree.Phrase) -> bool:
    terms = (node,) if isinstance(node, tree.Term) else node.words
    return any(words_of(term) for term in terms)


def leaf_text(node: tree.Term | tree.Phrase | tree.Regex) -> str:
    """A term in query syntax; of a long expression its two ends."""
    match node:
        case tree.Term():
            return _SIGNS.get(node.mode, "") + node.text
        case tree.Phrase():
            signs = {_SIGNS.get(word.mode, "") for word in node.words}
            sign = signs.pop() if len(signs) == 1 else ""
            return f'{sign}"{label(node)}"' + (f"~{node.slop}" if node.slop else "")
    shown = label(node)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST // 2]}…{shown[-_LONGEST // 2 :]}"


def _text(node: tree.Node) -> str:
    """The node in query syntax; operators by their word, their operands being below them."""
    match node:
        case tree.Term() | tree.Phrase() | tree.Regex():
            return leaf_text(node)
        case tree.Near():
            negated = "NOT " if isinstance(node.right, tree.Not) else ""
            return f"{negated}{'ONEAR' if node.ordered else 'NEAR'}/{node.words}"
        case tree.Same():
            return node.unit.upper()
        case tree.AtLeast():
            return f"ATLEAST/{node.count}"
        case tree.Scope():
            return f"{node.field}:"
        case tree.Score():
            return f"score ≥ {node.threshold:g}"
    return type(node).__name__.upper()

"""Whether one query holds wherever another does, and whether one can hold at all. A yes is certain, a no is not.

Of words this is asked of the lexicon that matches articles: a word covers another if it finds every form of it.
"""

from __future__ import annotations

from monitor.arabic import forms
from monitor.arabic.dictionary import Dictionary
from monitor.arabic.normalise import fold, soft
from monitor.arabic.tokens import AL, BARE
from monitor.arabic.verbs import conjugations
from monitor.matching.lexicon import Lexicon, Word
from monitor.matching.rows import rows_of
from monitor.matching.tree import And, AtLeast, Near, Node, Not, Or, Phrase, Same, Scope, Score, Term
from monitor.matching.view import DEFAULT_FIELDS, FIELD_OF
from monitor.matching.walk import bare, walk

_TEXT = frozenset(("lead", *(name for name, field in FIELD_OF.items() if field in DEFAULT_FIELDS)))
_PLURALS = ("ات", "ون", "ين")
_IN_LEAD = frozenset(("lead", "title", "summary", "body"))


class Covers:
    """For the terms of one query."""

    def __init__(self, query: Node, dictionary: Dictionary | None = None) -> None:
        self._dictionary = dictionary
        self._lexicon = Lexicon(dictionary)
        self._covering: dict[Word, frozenset[int]] = {}
        self._query = query  # its nodes are known by their id
        self._rows: dict[int, list[list[Word]]] = {}
        self._bare: dict[int, Node] = {}
        for node in walk(query):
            if isinstance(node, Term | Phrase):
                self._rows[id(node)] = rows_of(node)
                for row in self._rows[id(node)]:
                    for word in row:
                        self._lexicon.atom(word)

    def _same(self, one: Node, other: Node) -> bool:
        """Whether two nodes say the same."""
        for node in (one, other):
            if id(node) not in self._bare:
                self._bare[id(node)] = bare(node)
        return self._bare[id(one)] == self._bare[id(other)]

    def implies(self, narrow: Node, wide: Node) -> bool:
        """Whether `wide` holds wherever `narrow` holds, both under the same scope."""
        if isinstance(narrow, Or):
            return all(self.implies(child, wide) for child in narrow.children)
        if isinstance(wide, And):
            return all(self.implies(narrow, child) for child in wide.children)
        if isinstance(wide, Or) and any(self.implies(narrow, child) for child in wide.children):
            return True
        if isinstance(narrow, Term | Phrase) and isinstance(wide, Term | Phrase):
            return self._finds(narrow, wide)
        return self._below(narrow, wide) or (type(narrow) is type(wide) and self._same(narrow, wide))

    def _below(self, narrow: Node, wide: Node) -> bool:
        match narrow:
            case And():
                return any(self.implies(child, wide) for child in narrow.children)
            case Near():
                sides = (narrow.left,) if isinstance(narrow.right, Not) else (narrow.left, narrow.right)
                return self._nearer(narrow, wide) or any(self.implies(side, wide) for side in sides)
            case Same():
                return any(self.implies(side, wide) for side in (narrow.left, narrow.right))
            case AtLeast():
                fewer = (
                    isinstance(wide, AtLeast) and wide.count <= narrow.count and bare(wide.child) == bare(narrow.child)
                )
                return fewer or self.implies(narrow.child, wide)
            case Scope():
                return self._scoped(narrow, wide)
            case Not():
                return isinstance(wide, Not) and self.implies(wide.child, narrow.child)
        return False

    def _nearer(self, narrow: Near, wide: Node) -> bool:
        return (
            isinstance(wide, Near)
            and not isinstance(narrow.right, Not)
            and narrow.words <= wide.words
            and (narrow.ordered or not wide.ordered)
            and self._same(narrow.left, wide.left)
            and self._same(narrow.right, wide.right)
        )

    def _scoped(self, narrow: Scope, wide: Node) -> bool:
        if any(isinstance(one, Not | Score) for one in walk(narrow.child)):
            return False  # what does not occur in the title may occur elsewhere
        if isinstance(wide, Scope):
            inside = narrow.field == wide.field or (narrow.field == "title" and wide.field == "lead")
            return inside and self.implies(narrow.child, wide.child)
        return narrow.field in _TEXT and self.implies(narrow.child, wide)

    def _finds(self, narrow: Term | Phrase, wide: Term | Phrase) -> bool:
        loose = isinstance(narrow, Phrase) and narrow.slop > 0
        if loose and isinstance(wide, Phrase):
            return self._same(narrow, wide)
        mine, theirs = self._rows[id(narrow)], self._rows[id(wide)]
        return bool(mine) and all(any(self._within(row, other) for other in theirs) for row in mine)

    def _within(self, row: list[Word], other: list[Word]) -> bool:
        """Whether every text of `row` contains one of `other`."""
        atoms = [self._lexicon.atom(word) for word in other]
        by = [self._by(word) for word in row]
        starts = range(len(by) - len(atoms) + 1)
        return any(all(atom in by[start + at] for at, atom in enumerate(atoms)) for start in starts)

    def _by(self, word: Word) -> frozenset[int]:
        """The atoms that find every form of a word."""
        if word not in self._covering:
            found: frozenset[int] | None = None
            for text in self._surfaces(word):
                atoms = frozenset(self._lexicon.look_up(text, fold(text)))
                found = atoms if found is None else found & atoms
            self._covering[word] = (found or frozenset()) | {self._lexicon.atom(word)}
        return self._covering[word]

    def _surfaces(self, word: Word) -> set[str]:
        """Words of a text that the word finds, enough of them to tell; none where they cannot be listed."""
        if word.mode in ("wildcard", "loose"):
            return set()
        if word.mode == "exact":
            return {soft(word.text)}
        expanded = forms.expand(word.text, word.kind, dictionary=self._dictionary)
        found = set()
        for form in forms.explain(word.text, word.kind, dictionary=self._dictionary):
            if self._occurs(form.text, expanded.typed, expanded.stem, form.why):
                found |= {form.text} if form.modes & BARE else set()
                found |= {"ال" + form.text} if form.modes & AL else set()
        if fold(expanded.stem) in expanded.hosts:
            found.add(expanded.stem + "هم")
        if word.mode == "verb":
            found |= conjugations(word.text)
        return {text for text in found if self._lexicon.atom(word) in self._lexicon.look_up(text, fold(text))}

    def _occurs(self, form: str, typed: str, stem: str, why: str) -> bool:
        """Whether a form is one that texts have: rules also give some that do not exist, طائراتون."""
        if form in (typed, stem) or why.startswith("listed"):
            return True
        if stem.endswith(_PLURALS) and form.startswith(stem):
            return False
        return self._dictionary is None or bool(self._dictionary.owners(form))


def never(node: Node) -> Node | None:
    """The part of a query for which it can never hold; None where there is none."""
    return _never(node, None)


def _never(node: Node, fields: frozenset[str] | None) -> Node | None:
    """fields: those that the scopes around leave; None: no scope stands around."""
    match node:
        case Or():
            parts = [_never(child, fields) for child in node.children]
            return node if all(parts) else None
        case And():
            return next((found for child in node.children if (found := _never(child, fields))), None)
        case Scope():
            wanted = _IN_LEAD if node.field == "lead" else frozenset((node.field,))
            left = wanted if fields is None else wanted & fields
            return _never(node.child, left) if left else node
        case AtLeast():
            return _never(node.child, fields)
        case Near() | Same():
            return _never_near(node, fields)
        case Score():
            reached = sum(weight for child, weight in node.weights if weight > 0)
            return node if reached < node.threshold else None
    return None


def _never_near(node: Near | Same, fields: frozenset[str] | None) -> Node | None:
    if isinstance(node, Near) and isinstance(node.right, Not):
        return _never(node.left, fields)
    if found := _never(node.left, fields) or _never(node.right, fields):
        return found
    left, right = _fields(node.left), _fields(node.right)
    return node if left is not None and right is not None and not left & right else None


def _fields(node: Node) -> frozenset[str] | None:
    """The fields in which the places of a node may lie; None: any."""
    match node:
        case Scope():
            return _IN_LEAD if node.field == "lead" else frozenset((node.field,))
        case Or():
            parts = [_fields(child) for child in node.children]
            return None if None in parts else frozenset().union(*(part for part in parts if part is not None))
        case AtLeast():
            return _fields(node.child)
        case Near() | Same() if not isinstance(node.right, Not):
            left, right = _fields(node.left), _fields(node.right)
            return left if right is None else right if left is None else left & right
    return None

"""Query tree → compiled nodes, their words entered into a lexicon."""

from __future__ import annotations

from collections.abc import Sequence

import re2

from monitor.arabic.normalise import fold_pattern
from monitor.errors import QueryError
from monitor.matching import nodes, tree
from monitor.matching.lexicon import Lexicon, Word
from monitor.matching.rows import rows_of
from monitor.matching.view import DEFAULT_FIELDS, FIELD_OF
from monitor.matching.walk import depth

MAX_DEPTH = 120  # far beyond what people write, and within the interpreter's stack
_REGEX_MEMORY = 8 << 20


def check_depth(root: tree.Node) -> None:
    """QueryError where the tree is deeper than MAX_DEPTH."""
    if depth(root) > MAX_DEPTH:
        raise QueryError(f"the query is nested more than {MAX_DEPTH} levels deep: split it up", *root.at)


def label(node: tree.Term | tree.Phrase | tree.Regex) -> str:
    """How a span names what matched."""
    match node:
        case tree.Term():
            return node.text
        case tree.Phrase():
            return " ".join(word.text for word in node.words)
    return f"/{node.pattern}/"


class Compiler:
    """Compiles queries into one lexicon. fields: every field some query looks at."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self.fields: set[int] = set(DEFAULT_FIELDS)

    def compile(self, root: tree.Node) -> nodes.Compiled:
        """QueryError for a regular expression that RE2 refuses, a tree too deep, or an unknown scope."""
        check_depth(root)
        return self._node(root)

    def _node(self, node: tree.Node) -> nodes.Compiled:
        match node:
            case tree.Term() | tree.Phrase():
                return self._rows(node)
            case tree.And():
                return nodes.All(tuple(self._node(child) for child in node.children))
            case tree.Or():
                return nodes.Any_(tuple(self._node(child) for child in node.children))
            case tree.Not():
                return nodes.Unless(self._node(node.child))
            case tree.Near():
                return self._near(node)
            case tree.Same():
                return nodes.Together(self._node(node.left), self._node(node.right), node.unit)
            case tree.AtLeast():
                return nodes.Count(node.count, self._node(node.child))
            case tree.Scope():
                return self._scope(node)
            case tree.Regex():
                return self._regex(node)
            case tree.Score():
                weights = tuple((self._node(child), weight) for child, weight in node.weights)
                return nodes.Weigh(weights, node.threshold)

    def _rows(self, node: tree.Term | tree.Phrase) -> nodes.Compiled:
        slop = 0 if isinstance(node, tree.Term) else node.slop
        rows = [self._row(words, slop, label(node)) for words in rows_of(node)]
        if len(rows) == 1:
            return rows[0]
        return nodes.Any_(tuple(rows)) if rows else nodes.Never()

    def _row(self, words: Sequence[Word], slop: int, name: str) -> nodes.Compiled:
        atoms = tuple(self._lexicon.atom(word) for word in words)
        return nodes.Word(atoms[0], name) if len(atoms) == 1 else nodes.Row(atoms, slop, name)

    def _near(self, node: tree.Near) -> nodes.Compiled:
        """AND beside NEAR: each part must be near. NOT beside NEAR: nothing of it may be near."""
        left, right = node.left, node.right
        if isinstance(left, tree.And):
            parts = (tree.Near(child, right, node.words, node.ordered, node.at) for child in left.children)
            return nodes.All(tuple(self._near(part) for part in parts))
        if isinstance(right, tree.And):
            parts = (tree.Near(left, child, node.words, node.ordered, node.at) for child in right.children)
            return nodes.All(tuple(self._near(part) for part in parts))
        if isinstance(right, tree.Not):
            return nodes.Apart(self._node(left), self._node(right.child), node.words, int(node.ordered))
        if isinstance(left, tree.Not):
            return nodes.Apart(self._node(right), self._node(left.child), node.words, -int(node.ordered))
        return nodes.Close(self._node(left), self._node(right), node.words, node.ordered)

    def _scope(self, node: tree.Scope) -> nodes.Compiled:
        if node.field != "lead":
            if node.field not in FIELD_OF:
                raise QueryError(f"there is no field `{node.field}`", *node.at)
            self.fields.add(FIELD_OF[node.field])
        return nodes.In(node.field, self._node(node.child))

    def _regex(self, node: tree.Regex) -> nodes.Compiled:
        options = re2.Options()
        options.case_sensitive = False
        options.log_errors = False
        options.max_mem = _REGEX_MEMORY
        try:
            return nodes.Pattern(re2.compile(fold_pattern(node.pattern), options).finditer, label(node))
        except (re2.error, UnicodeError) as error:
            raise QueryError(f"not a regular expression that RE2 reads: {error}", *node.at) from None

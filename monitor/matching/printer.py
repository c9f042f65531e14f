"""Tree → canonical query text. The law: parse(show(tree)) is the same tree, but for its places."""

from __future__ import annotations

import re

from monitor.errors import QueryError
from monitor.matching.lexer import lex, pieces
from monitor.matching.tree import And, AtLeast, Near, Node, Not, Or, Phrase, Regex, Same, Scope, Score, Term

MARKS = {"word": "", "wildcard": "", "exact": "=", "verb": "^", "loose": "~"}
OPERATORS = frozenset(("and", "or", "not", "near", "onear", "sentence", "paragraph", "same"))
# What binds less tightly gets parentheses inside what binds more tightly.
_PLAIN = re.compile("[ء-غف-ي]+").fullmatch
_OR, _AND, _NOT, _NEAR, _ITEM = range(5)


def show(node: Node) -> str:
    """The query as Rasid would write it: operators spelled out, parentheses only where needed."""
    return _show(node, _OR)


def _show(node: Node, outer: int) -> str:
    text, strength = _written(node)
    return f"({text})" if strength < outer else text


def _written(node: Node) -> tuple[str, int]:
    match node:
        case Or():
            return " OR ".join(_show(child, _AND) for child in node.children), _OR
        case And():
            return " AND ".join(_show(child, _NOT) for child in node.children), _AND
        case Not():
            return f"NOT {_show(node.child, _NEAR)}", _NOT
        case AtLeast():
            return f"ATLEAST/{node.count} {_show(node.child, _ITEM)}", _NOT
        case Near():
            right, negated = (node.right.child, "NOT ") if isinstance(node.right, Not) else (node.right, "")
            name = "ONEAR" if node.ordered else "NEAR"
            return f"{_show(node.left, _NEAR)} {negated}{name}/{node.words} {_show(right, _ITEM)}", _NEAR
        case Same():
            return f"{_show(node.left, _NEAR)} {node.unit.upper()} {_show(node.right, _ITEM)}", _NEAR
        case Scope():
            return f"{node.field}:{_show(node.child, _ITEM)}", _ITEM
        case Score():
            parts = ", ".join(f"{_number(weight)} {_show(child, _OR)}" for child, weight in node.weights)
            return f"SCORE/{_number(node.threshold)} [{parts}]", _ITEM
        case Term() | Phrase():
            return _leaf(node), _ITEM
        case Regex():
            return f"/{node.pattern}/", _ITEM


def _leaf(node: Term | Phrase) -> str:
    if isinstance(node, Phrase):
        modes = {word.mode for word in node.words}
        mark = MARKS[node.words[0].mode] if len(modes) == 1 else ""
        inner = " ".join(("" if mark else MARKS[word.mode]) + word.text for word in node.words)
        return f'{mark}"{inner}"' + (f"~{node.slop}" if node.slop else "")
    mark = MARKS[node.mode]
    return mark + (node.text if _bare(mark, node.text) else f'"{node.text}"')


def _bare(mark: str, text: str) -> bool:
    """Whether a word needs no quotes: it is read back as that one word and not as an operator."""
    if _PLAIN(text):
        return True
    if text.lower() in OPERATORS or len(pieces(text)) != 1:
        return False
    try:
        found = lex(mark + text)
    except QueryError:
        return False
    return [(one.kind, one.text, one.mark) for one in found[:-1]] == [("word", text, mark)]


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")

"""The query tree: what a parsed query is, without how it is read (query.py) or run (matcher.py).

Every node knows `at`, its place [start, end) in the query text, so that errors and `explain` can point. A node
evaluated on an article gives a truth value and spans; a node under Not gives no spans.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mode = Literal["word", "exact", "verb", "loose", "wildcard"]
Kind = Literal["auto", "name", "word"]


@dataclass(frozen=True, slots=True)
class Term:
    """One word. mode: word كلمة · exact =كلمة · verb ^كلمة · loose ~كلمة · wildcard مسير* *باغ."""

    text: str
    mode: Mode
    at: tuple[int, int]
    kind: Kind = "auto"


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in a row. slop: words that may stand between them; with slop 0 order is fixed, else any order."""

    words: tuple[Term, ...]
    slop: int
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class And:
    children: tuple[Node, ...]
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Or:
    children: tuple[Node, ...]
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Not:
    child: Node
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Near:
    """left and right with at most `words` words between them; ordered: left comes first."""

    left: Node
    right: Node
    words: int
    ordered: bool
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Same:
    """left and right in one sentence or paragraph of the same field."""

    left: Node
    right: Node
    unit: Literal["sentence", "paragraph"]
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """count spans of child or more."""

    count: int
    child: Node
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Scope:
    """child looked for only in `field`: title, summary, lead, body, author, outlet, tag, url or lang."""

    field: str
    child: Node
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Regex:
    """RE2 over the folded text; kept as written between the slashes."""

    pattern: str
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Score:
    """EMM-style weights: true when the weights of the children that hold add up to threshold."""

    weights: tuple[tuple[Node, float], ...]
    threshold: float
    at: tuple[int, int]


Node = Term | Phrase | And | Or | Not | Near | Same | AtLeast | Scope | Regex | Score

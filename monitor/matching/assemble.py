"""The queries of a rule file: term lists put in their places, and the parts of a rule made one tree.

Works on the raw YAML values, so that a query's problems are told even where other parts of the file are wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from monitor.errors import Problem, QueryError
from monitor.matching.doubts import warnings
from monitor.matching.lexer import lex
from monitor.matching.query import parse, references
from monitor.matching.tree import And, Node, Not, Or, Phrase, Score, Term
from monitor.matching.walk import relocate
from monitor.yamlfile import Document, Path, quoted

Kinds = dict[str, Literal["name", "word"]]  # folded word → kind
MAX_CHAIN = 20  # lists that refer to lists that refer to lists …
_UNKNOWN = Term("x", "word", (0, 1))  # stands for a list whose own problems are told already
_MANY = ("any", "all", "none")


@dataclass
class Reading:
    """What was found wrong on the way."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


Parts = tuple[tuple[int, Path], ...]


@dataclass(frozen=True, slots=True)
class Composed:
    """A rule's query as one tree, and its text, which the places of the tree are places of.

    parts: where in the text each query of the file begins, and its path in the file.
    """

    query: Node
    text: str
    parts: Parts


@dataclass(frozen=True, slots=True)
class _Written:
    """One query in a file. at: its place in the document; key: it is a key (of score)."""

    document: Document
    at: Path
    text: str
    key: bool = False


class TermLists:
    """The term lists of all files by name, and the reader of the queries that use them."""

    def __init__(self, documents: Sequence[Document], reading: Reading) -> None:
        self.reading = reading
        self.trees: dict[str, Node] = {}
        self._written: dict[str, list[_Written]] = {}
        # Looking for comments goes through the whole file, so only where a hashtag could be one.
        self._tagged = {document.path for document in documents if re.search(r"(^|\s)#\w", document.text)}
        for document in documents:
            self._collect(document)
        for name in self._written:
            self._resolve(name, ())

    def _collect(self, document: Document) -> None:
        terms = document.data.get("terms") if isinstance(document.data, dict) else None
        for name, value in terms.items() if isinstance(terms, dict) else ():
            at: Path = ("terms", str(name))
            if name in self._written:
                first = self._written[name][0] if self._written[name] else None
                where = f" (first in {first.document.path})" if first else ""
                what = f"the list {name} is defined twice{where}: give each list its own name"
                self.reading.errors.append(document.problem(at, what, key=True))
                continue
            self._written[name] = self._texts(document, at, value)
            if not self._written[name] and not isinstance(value, list):
                self.trees[name] = _UNKNOWN  # the model tells what is wrong with it
            elif not self._written[name]:
                self.trees[name] = _UNKNOWN
                self.reading.errors.append(document.problem(at, "is an empty list: give it a term, or remove it"))

    def _texts(self, document: Document, at: Path, value: object) -> list[_Written]:
        """The queries in a value that is one text or a list of texts."""
        if isinstance(value, str):
            return [_Written(document, at, value)] if value else []
        found: list[_Written] = []
        for index, one in enumerate(value if isinstance(value, list) else []):
            if isinstance(one, str):
                found.append(_Written(document, (*at, index), one))
            elif isinstance(one, dict) and len(one) == 1 and isinstance(inner := next(iter(one.values())), str):
                key = next(iter(one))
                what = f"YAML reads `{key}: {inner}` as a key and its value: write '{key}:{inner}' in quotation marks"
                self.reading.errors.append(document.problem((*at, index), what))
        return found

    def _resolve(self, name: str, trail: tuple[str, ...]) -> None:
        if name in self.trees or name not in self._written:
            return
        written = self._written[name]
        if name in trail or len(trail) >= MAX_CHAIN:
            chain = " → ".join((*trail[trail.index(name) if name in trail else 0 :], name))
            what = f"the lists refer to each other in a circle: {chain}"
            if name not in trail:
                what = f"the lists refer to each other more than {MAX_CHAIN} times over: {chain}"
            first = written[0]
            self.reading.errors.append(first.document.problem(first.at[:2], what, key=True))
            self.trees[name] = _UNKNOWN
            return
        for one in written:
            for other in references(one.text):
                self._resolve(other, (*trail, name))
        if name not in self.trees:  # a circle has settled it
            nodes = [self.read(one, phrases=True) or _UNKNOWN for one in written]
            self.trees[name] = nodes[0] if len(nodes) == 1 else Or(tuple(nodes), (0, len(written[0].text)))

    def read(self, written: _Written, *, phrases: bool) -> Node | None:
        """The tree of one query; its problem is noted, and None given, where it cannot be read."""
        try:
            if not written.key and (comment := self._comment(written.document, written.at)):
                what = f"YAML takes {quoted(comment)} for a comment and cuts it off: wrap the query in '…'"
                self.reading.errors.append(problem(written, what, 0))
                return None
            node = parse(written.text, lists=self.trees, phrases=phrases)
        except QueryError as error:
            self.reading.errors.append(problem(written, error.what, error.start))
            return None
        for doubt in warnings(node, written.text):
            self.reading.warnings.append(problem(written, doubt.what, doubt.at[0], severity="warning"))
        return node

    def _comment(self, document: Document, at: Path) -> str:
        """A hashtag (# and a letter) that YAML took for a comment."""
        comment = document.comment_after(at) if document.path in self._tagged else ""
        return comment if comment[1:2].isalnum() else ""

    def _match(self, written: _Written) -> Node | None:
        """A rule's `match`. Where YAML ate the quotes of `match: "a b"`, the phrase that was meant is read."""
        eaten = written.document.style(written.at) == '"' and _only_words(written.text)
        node = self.read(written, phrases=eaten)
        if eaten and isinstance(node, Phrase):
            text = written.text.strip()
            what = (
                f"""YAML eats these quotation marks; read as the phrase they mean. Write '"{text}"' for the phrase, """
                f"'{' AND '.join(text.split())}' for the words anywhere"
            )
            self.reading.warnings.append(problem(written, what, 0, severity="warning"))
        return node

    def compose(self, document: Document, at: Path, raw: dict[str, object]) -> Composed | None:
        """The query of one rule, of match, any, all, none and score; None where something is wrong with it."""
        before = len(self.reading.errors)
        text = _Text(alone=not any(key in raw for key in (*_MANY, "score")))
        parts: list[Node] = []
        match = raw.get("match")
        if isinstance(match, str) and (
            match or document.style((*at, "match")) or self._comment(document, (*at, "match"))
        ):
            written = _Written(document, (*at, "match"), match)
            if node := self._match(written):
                parts.append(text.add("match", match, node, (*at, "match")))
        for key in _MANY:
            written_all = self._texts(document, (*at, key), raw.get(key))
            nodes = [(one, self.read(one, phrases=True)) for one in written_all]
            placed = [text.add(key, one.text, node, one.at) for one, node in nodes if node is not None]
            if placed:
                parts.append(_joined(key, placed))
        if score := self._score(document, at, raw, text):
            parts.append(score)
        if len(self.reading.errors) > before:
            return None
        wanted = any(raw.get(key) for key in ("match", "any", "all", "score"))
        if not (parts and wanted) and not _bad_shape(raw):
            what = "has nothing to look for: give it match, any, all or score"
            if parts:
                what = "says only what must not occur: add match, any, all or score"
            self.reading.errors.append(document.problem(at, what))
            return None
        if not parts:
            return None
        query = parts[0] if len(parts) == 1 else And(tuple(parts), (0, len(text.text)))
        return Composed(query, text.text, tuple(text.parts))

    def composed(self, name: str) -> tuple[str, Composed]:
        """A term list as if it were a rule's `any`, and the file it stands in."""
        text = _Text(alone=False)
        written = self._written[name]
        nodes = [(one, parse(one.text, lists=self.trees, phrases=True)) for one in written]
        placed = [text.add(name, one.text, node, one.at) for one, node in nodes]
        file = written[0].document.path
        return file, Composed(_joined("any", placed), text.text, tuple(text.parts))

    @property
    def names(self) -> list[str]:
        """Of all lists, in the order written."""
        return list(self._written)

    def _score(self, document: Document, at: Path, raw: dict[str, object], text: _Text) -> Node | None:
        written, threshold = raw.get("score"), raw.get("threshold")
        if not isinstance(written, dict) or not written:
            if threshold is not None and not written:
                what = "a threshold needs the weights it is reached by: add score: {طائرة: 3, شاهد: 5}"
                self.reading.errors.append(document.problem((*at, "threshold"), what, key=True))
            return None
        if threshold is None:
            what = "weights need a threshold: 8 in the rule, from which on it hits"
            self.reading.errors.append(document.problem((*at, "score"), what, key=True))
        weights: list[tuple[Node, float]] = []
        for key, value in written.items():
            node = self.read(_Written(document, (*at, "score", key), key, key=True), phrases=True)
            weight = _float(value)
            if node is not None and weight is not None:
                weights.append((text.add("score", key, node, (*at, "score", key), f" = {value}"), weight))
        limit = _float(threshold)
        if limit is None or not weights:
            return None
        reachable = sum(weight for _, weight in weights if weight > 0)
        if reachable < limit:
            what = f"cannot be reached: all weights together give {reachable:g}"
            self.reading.errors.append(document.problem((*at, "threshold"), what))
        return Score(tuple(weights), limit, text.since("score"))


class _Text:
    """A rule's query as text, line by line, while its parts are read."""

    def __init__(self, *, alone: bool) -> None:
        self.alone = alone  # only `match`: the text is that of the query itself
        self.text = ""
        self.parts: list[tuple[int, Path]] = []

    def add(self, key: str, text: str, node: Node, at: Path, behind: str = "") -> Node:
        """The node with its places moved to where its text now stands."""
        if self.alone:
            self.text = text
            self.parts.append((0, at))
            return node
        self.text += ("\n" if self.text else "") + f"{key}: "
        offset = len(self.text)
        self.parts.append((offset, at))
        self.text += text.rstrip("\n") + behind
        return relocate(node, lambda at: (at[0] + offset, min(at[1] + offset, len(self.text))))

    def since(self, key: str) -> tuple[int, int]:
        """From the first line of a key to the end."""
        return max(f"\n{self.text}".find(f"\n{key}: "), 0), len(self.text)


def located(document: Document, parts: Parts, at: int, what: str) -> Problem:
    """A warning about a place of a composed text, at its place in the file."""
    start, path = max((part for part in parts if part[0] <= at), default=parts[0])
    value = "" if path[-2:-1] == ("score",) else document.value(path)
    written = _Written(document, path, value if isinstance(value, str) else "", key=path[-2:-1] == ("score",))
    return problem(written, what, max(at - start, 0), severity="warning")


def problem(written: _Written, what: str, offset: int, *, severity: str = "error") -> Problem:
    """A Problem that points into the query where YAML's way of writing allows, else at the query."""
    document, at = written.document, written.at
    if written.key:
        return document.problem(at, what, severity=severity, key=True)
    found = document.problem(at, what, severity=severity, offset=offset)
    if offset == 0 and document.style(at) and written.text:
        line, column = document.place(at, offset=1)  # the first letter stands before the second
        if (line, column) != document.place(at) and written.text[0] != "\n":
            return Problem(found.file, line, column - 1, found.where, what, severity)
    return found


def _joined(key: str, nodes: list[Node]) -> Node:
    at = (nodes[0].at[0], nodes[-1].at[1])
    one = nodes[0] if len(nodes) == 1 else (And if key == "all" else Or)(tuple(nodes), at)
    return Not(one, at) if key == "none" else one


def _only_words(text: str) -> bool:
    try:
        return all(one.kind in ("word", "end") for one in lex(text))
    except QueryError:
        return False


def _bad_shape(raw: dict[str, object]) -> bool:
    """Whether a part of the query is there but not of its type, which the model tells."""
    shapes: dict[str, tuple[type, ...]] = {
        **{"match": (str,), "score": (dict,)},
        **dict.fromkeys(_MANY, (str, list)),
    }
    return any(raw.get(key) and not isinstance(raw[key], shape) for key, shape in shapes.items())


def _float(value: object) -> float | None:
    try:
        found = float(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return round(found, 6) if found is not None and abs(found) <= 1_000_000 else None

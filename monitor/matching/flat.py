"""Compiled queries as the numbers that kernel.c reads: what words and phrases settle, and «perhaps» for all else."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import NamedTuple

from monitor.matching import nodes
from monitor.matching.view import FIELD_OF
from monitor.model import FIELDS

WORD, ROW, ALL, ANY, PERHAPS, NOT, IN, NEVER, UNKNOWN = range(9)
_LEAD = len(FIELDS)


class Flat(NamedTuple):
    """starts: where the code of each rule begins. pure: 1 where it says all of it. labels: of spans, by number."""

    code: array[int]
    starts: array[int]
    pure: bytes
    labels: list[str]


def flat(queries: Sequence[nodes.Compiled]) -> Flat:
    """The code of all queries, one behind the other."""
    code, starts, pure = array("i"), array("i"), bytearray()
    numbers: dict[str, int] = {}
    for query in queries:
        writing = _Writing(numbers)
        written = writing.node(query)
        starts.append(len(code))
        code.extend(written)
        pure.append(writing.pure)
    return Flat(code, starts, bytes(pure), list(numbers))


class _Writing:
    """Of one query. pure: whether nothing had to be left to «perhaps»."""

    def __init__(self, numbers: dict[str, int]) -> None:
        self._numbers = numbers
        self.pure = True

    def node(self, node: nodes.Compiled, *, part: bool = False) -> list[int]:
        """part: asked of parts of an article, where NOT may hold though it does not hold for the whole."""
        match node:
            case nodes.Word():
                return [WORD, node.atom, self._label(node.label)]
            case nodes.Row() if not node.slop:
                return [ROW, len(node.atoms), self._label(node.label), *node.atoms]
            case nodes.All():
                return self._several(ALL, node.children, part)
            case nodes.Any_():
                return self._several(ANY, node.children, part)
            case nodes.Unless() if not part:
                child = self.node(node.child)
                return [NOT, len(child), *child]
            case nodes.In():
                child = self.node(node.child, part=part)
                return [IN, _LEAD if node.field == "lead" else FIELD_OF[node.field], len(child), *child]
            case nodes.Never():
                return [NEVER]
        self.pure = False
        match node:
            case nodes.Row():
                return self._several(PERHAPS, [nodes.Word(atom, node.label) for atom in node.atoms], part)
            case nodes.Close():
                return self._several(PERHAPS, (node.left, node.right), part)
            case nodes.Together():
                return self._several(PERHAPS, (node.left, node.right), True)
            case nodes.Apart():
                return self._several(PERHAPS, (node.kept,), part)
            case nodes.Count() if node.count > 0:
                return self._several(PERHAPS, (node.child,), part)
        return [UNKNOWN]

    def _several(self, kind: int, children: Sequence[nodes.Compiled], part: bool) -> list[int]:
        code: list[int] = []
        for child in children:
            code += self.node(child, part=part)
        return [kind, len(children), len(code), *code]

    def _label(self, label: str) -> int:
        return self._numbers.setdefault(label, len(self._numbers))

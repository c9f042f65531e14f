"""Going through query trees, and remaking them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from monitor.matching.tree import And, AtLeast, Near, Node, Not, Or, Phrase, Same, Scope, Score, Term


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below; the words of a phrase are part of it."""
    match node:
        case And() | Or():
            return node.children
        case Not() | AtLeast() | Scope():
            return (node.child,)
        case Near() | Same():
            return (node.left, node.right)
        case Score():
            return tuple(child for child, _ in node.weights)
    return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, without recursion, in the order written."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(reversed(children(one)))


def rebuild(node: Node, change: Callable[[Node], Node]) -> Node:
    """The tree with every node replaced by change(node), from the leaves up."""
    match node:
        case And() | Or():
            node = dataclasses.replace(node, children=tuple(rebuild(child, change) for child in node.children))
        case Not() | AtLeast() | Scope():
            node = dataclasses.replace(node, child=rebuild(node.child, change))
        case Near() | Same():
            left, right = rebuild(node.left, change), rebuild(node.right, change)
            node = dataclasses.replace(node, left=left, right=right)
        case Score():
            weights = tuple((rebuild(child, change), weight) for child, weight in node.weights)
            node = dataclasses.replace(node, weights=weights)
        case Phrase():
            words = tuple(word for word in map(change, node.words) if isinstance(word, Term))
            node = dataclasses.replace(node, words=words)
    return change(node)


def relocate(node: Node, at: Callable[[tuple[int, int]], tuple[int, int]]) -> Node:
    """The tree with every place changed by `at`."""
    return rebuild(node, lambda one: dataclasses.replace(one, at=at(one.at)))


def bare(node: Node) -> Node:
    """The tree without its places, for comparison."""
    return relocate(node, lambda _: (0, 0))


def depth(root: Node) -> int:
    """How many levels a tree has, 1 for a single term."""
    level, found = [root], 0
    while level:
        found += 1
        level = [child for node in level for child in children(node)]
    return found


def negations(root: Node) -> list[Not]:
    """Every Not of a tree but those that `a NOT NEAR/n b` makes, which have their place to be near to."""
    nodes = list(walk(root))
    apart = {id(one.right) for one in nodes if isinstance(one, Near) and isinstance(one.right, Not)}
    return [one for one in nodes if isinstance(one, Not) and id(one) not in apart]


def positive(node: Node) -> bool:
    """Whether something must occur for the node to hold."""
    match node:
        case Not():
            return False
        case And():
            return any(positive(child) for child in node.children)
        case Or():
            return all(positive(child) for child in node.children)
        case Scope():
            return positive(node.child)
    return True

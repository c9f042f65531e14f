"""Which rules an article may hit at all: anchors, and what must stand beside them.

A rule's anchors are the rarest atoms without one of which it cannot hold. An anchor that is part of a phrase needs
another word of that phrase, any other one of the words that the rest of the rule asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from monitor.matching import nodes

Cost = Callable[[int], float]  # of an atom: the rarer in texts, the less


def leads(root: nodes.Compiled, cost: Cost) -> dict[int, tuple[int, ...]] | None:
    """For each anchor of a rule the atoms of which one must occur beside it (itself where nothing need); None: the rule
    has no anchors and must always be asked."""
    chosen = anchor(root, cost)
    if chosen is None:
        return None
    beside = tuple(_cheapest((need for need in _needs(root) if need != chosen), cost) or ())
    partners: dict[int, set[int]] = {}
    alone = set()
    for leaf in leaves(root):
        if isinstance(leaf, nodes.Row):
            for atom in chosen.intersection(leaf.atoms):
                others = set(leaf.atoms) - {atom}
                partners.setdefault(atom, set()).add(min(others, key=cost, default=atom))
        else:
            alone.add(leaf.atom)
    return {
        atom: tuple(partners[atom]) if atom in partners and atom not in alone else beside or (atom,) for atom in chosen
    }


def leaves(node: nodes.Compiled) -> Iterator[nodes.Word | nodes.Row]:
    """The words and phrases of a query."""
    match node:
        case nodes.Word() | nodes.Row():
            yield node
        case nodes.All() | nodes.Any_():
            for child in node.children:
                yield from leaves(child)
        case nodes.Unless() | nodes.Count() | nodes.In():
            yield from leaves(node.child)
        case nodes.Close() | nodes.Together():
            yield from leaves(node.left)
            yield from leaves(node.right)
        case nodes.Apart():
            yield from leaves(node.kept)
            yield from leaves(node.banned)
        case nodes.Weigh():
            for child, _ in node.weights:
                yield from leaves(child)


def atoms(root: nodes.Compiled) -> tuple[int, ...]:
    """All atoms of a query."""
    found: set[int] = set()
    for leaf in leaves(root):
        found.update(leaf.atoms if isinstance(leaf, nodes.Row) else (leaf.atom,))
    return tuple(found)


def anchor(node: nodes.Compiled, cost: Cost) -> nodes.Anchors:
    """Set and return the node's anchors: the cheapest set of atoms one of which a match must contain."""
    node.anchors = _anchors(node, cost)
    return node.anchors


def _anchors(node: nodes.Compiled, cost: Cost) -> nodes.Anchors:
    match node:
        case nodes.Never():
            return frozenset()
        case nodes.Word():
            return frozenset((node.atom,))
        case nodes.Row():
            node.rarest = min(range(len(node.atoms)), key=lambda i: cost(node.atoms[i]))
            return frozenset((node.atoms[node.rarest],))
        case nodes.All():
            node.order = tuple(sorted(node.children, key=_effort))
            return _cheapest([anchor(child, cost) for child in node.children], cost)
        case nodes.Any_():
            return _union([anchor(child, cost) for child in node.children])
        case nodes.Close() | nodes.Together():
            return _cheapest([anchor(node.left, cost), anchor(node.right, cost)], cost)
        case nodes.Apart():
            anchor(node.banned, cost)
            return anchor(node.kept, cost)
        case nodes.Count() | nodes.In():
            below = anchor(node.child, cost)
            return None if isinstance(node, nodes.Count) and node.count <= 0 else below
        case nodes.Unless():
            anchor(node.child, cost)
        case nodes.Weigh():
            return _weighed(node, cost)
    return None


def _effort(node: nodes.Compiled) -> int:
    """Words are asked of a set; for the rest places must be found."""
    match node:
        case nodes.Word() | nodes.Never():
            return 0
        case nodes.Any_():
            return max(map(_effort, node.children), default=0)
        case nodes.Unless():
            return _effort(node.child)
    return 1


def _cheapest(sets: Iterable[nodes.Anchors], cost: Cost) -> nodes.Anchors:
    """Of sets of atoms the one that is probably the rarest in texts; None where there is none."""
    known = [found for found in sets if found is not None]
    return min(known, key=lambda found: sum(map(cost, found)), default=None)


def _union(sets: Sequence[nodes.Anchors]) -> nodes.Anchors:
    found: set[int] = set()
    for anchors in sets:
        if anchors is None:
            return None
        found |= anchors
    return frozenset(found)


def _weighed(node: nodes.Weigh, cost: Cost) -> nodes.Anchors:
    """The commonest children may be left out as long as their weights alone do not reach the threshold."""
    weighed = [(anchor(child, cost), weight) for child, weight in node.weights]
    if node.threshold <= 0:
        return None
    helping = [(found, weight) for found, weight in weighed if weight > 0]
    helping.sort(key=lambda pair: sum(map(cost, pair[0])) if pair[0] is not None else 1e18, reverse=True)
    left_out = 0.0
    while helping and (left_out + helping[0][1]) * (1 + 1e-9) < node.threshold:
        left_out += helping.pop(0)[1]
    return _union([found for found, _ in helping])


def _needs(node: nodes.Compiled) -> list[frozenset[int]]:
    """Sets of atoms of each of which a match must contain one, as far as the anchors below tell; set these first."""
    match node:
        case nodes.Row():
            return [frozenset((atom,)) for atom in node.atoms]
        case nodes.All():
            return [need for child in node.children for need in _needs(child)]
        case nodes.Close() | nodes.Together():
            return _needs(node.left) + _needs(node.right)
        case nodes.Apart():
            return _needs(node.kept)
        case nodes.In():
            return _needs(node.child)
    return [] if node.anchors is None else [node.anchors]

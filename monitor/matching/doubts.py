"""What a query may say and hardly means. The one place for it: `warnings` is told whenever rules are read, for it is
certain and quick; `findings` is what `rasid rules lint` adds, which asks the dictionary about every word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor.arabic.compounds import spellings
from monitor.arabic.dictionary import Dictionary
from monitor.arabic.function_words import is_function_word
from monitor.arabic.homographs import senses
from monitor.arabic.loose import is_loose
from monitor.arabic.normalise import fold, soft
from monitor.matching.anchors import anchor
from monitor.matching.compile import Compiler
from monitor.matching.covers import Covers, never
from monitor.matching.explain import leaf_text
from monitor.matching.lexer import lex
from monitor.matching.lexicon import Lexicon
from monitor.matching.printer import show
from monitor.matching.tree import And, Near, Node, Not, Or, Phrase, Regex, Scope, Score, Term
from monitor.matching.walk import positive, walk

_MOST_COMPARED = 400  # alternatives of one OR
_LONGEST_SHOWN = 60
_EITHER_ORDER = re.compile(r"w/\d+", re.IGNORECASE)
_NARROW = ("author", "outlet", "tag", "url", "lang")


@dataclass(frozen=True, slots=True)
class Doubt:
    """code: always, never, killed, short, order, duplicate, covered, needless, grammar, ambiguous, number, slow.

    at: its place in the query's text; what: what is wrong and the mend; node: the term, where it is about one alone.
    """

    code: str
    at: tuple[int, int]
    what: str
    node: Term | None = None


def warnings(query: Node, text: str) -> list[Doubt]:
    """What is certain and told without a dictionary. text: the query as written."""
    found: list[Doubt] = []
    if not positive(query):
        what = "holds for nearly every article: it says only what must not occur"
        found.append(Doubt("always", query.at, what))
    nodes = list(walk(query))
    if any(isinstance(one, Scope | Score) for one in nodes):
        found += [Doubt("never", dead.at, _dead(dead)) for dead in _dead_parts(query, nodes)]
    for one in nodes:
        listed = text[one.at[0] : one.at[0] + 1] == "$"  # told where the list is read
        if isinstance(one, Term) and one.mode == "loose" and not listed and _too_short(one.text):
            what = f"~{one.text} is too short to be loose (four consonants): list the spellings with OR"
            found.append(Doubt("short", one.at, what))
    found += [Doubt("order", at, _EITHER) for at in _either_order(text)]
    return found


def _too_short(name: str) -> bool:
    """For ~: neither long enough nor in the table of other names."""
    return not is_loose(fold(soft(name))) and len(spellings([name], loose=True)) == 1


_EITHER = "w/n takes either order, as in Lexis: for Factiva's, which keeps it, write ONEAR, for either order NEAR"


def _either_order(text: str) -> Iterator[tuple[int, int]]:
    if _EITHER_ORDER.search(text):
        for one in lex(text):
            if one.kind == "NEAR" and _EITHER_ORDER.fullmatch(text[one.at[0] : one.at[1]]):
                yield one.at


def _dead_parts(query: Node, nodes: Sequence[Node]) -> Iterator[Node]:
    """What can never hold: of the whole query, and among alternatives that may."""
    if dead := never(query):
        yield dead
    for one in nodes:
        if isinstance(one, Or):
            yield from (dead for child in one.children if (dead := never(child)))


def _dead(node: Node) -> str:
    match node:
        case Score():
            return f"can never hold: its weights together do not reach {node.threshold:g}"
        case Scope():
            return f"can never hold: it looks in {node.field}: within another scope"
        case Near():
            return "can never hold: its sides look in different fields, and what is near stands in one"
    return "can never hold"


def findings(query: Node, text: str, dictionary: Dictionary | None) -> list[Doubt]:
    """Everything of a rule's whole query, or of a term list, `warnings` left out."""
    found = _Found(text, Covers(query, dictionary), Covers(query) if dictionary else None)
    doubts = [*found.killed(query), *_lone(query), *_slow(query)]
    for node in walk(query):
        if isinstance(node, Or):
            doubts += found.covered(_flat(node))
        elif isinstance(node, And):
            doubts += found.needless(node)
    return list({(one.code, one.at): one for one in sorted(doubts, key=lambda one: one.at)}.values())


def _flat(node: Or) -> list[Node]:
    """Its alternatives, those of an OR right below it among them."""
    return [one for child in node.children for one in (_flat(child) if isinstance(child, Or) else [child])]


class _Found:
    """What compares the parts of one query."""

    def __init__(self, text: str, covers: Covers, plain: Covers | None) -> None:
        self._text = text
        self._covers = covers
        self._plain = plain  # by rule alone: صواريخ beside صاروخ is of use where there is no dictionary

    def _implies(self, narrow: Node, wide: Node) -> bool:
        return self._covers.implies(narrow, wide) and (self._plain is None or self._plain.implies(narrow, wide))

    def _listed(self, node: Node) -> bool:
        """Whether it stands in a term list, whose own doubts are told there."""
        return self._text[node.at[0] : node.at[0] + 1] == "$"

    def covered(self, parts: list[Node]) -> Iterator[Doubt]:
        """Alternatives that find nothing which another does not find."""
        left_out: set[int] = set()
        for number, part in enumerate(parts[:_MOST_COMPARED]):
            for index, other in enumerate(parts[:_MOST_COMPARED]):
                if index in (number, *left_out) or self._listed(part) or not self._implies(part, other):
                    continue
                same = self._implies(other, part)
                if same and number < index and not self._listed(other):
                    continue  # told at the later one
                left_out.add(number)
                if same and show(part) == show(other):
                    yield Doubt("duplicate", part.at, f"{_shown(part)} stands there twice: leave one out")
                else:
                    what = f"{_shown(part)} finds nothing that {_shown(other)} does not find: leave it out"
                    yield Doubt("covered", part.at, what)
                break

    def needless(self, node: And) -> Iterator[Doubt]:
        """Parts of an AND that hold wherever another part holds."""
        parts = [part for part in node.children if not isinstance(part, Not)]
        for number, part in enumerate(parts):
            for index, other in enumerate(parts):
                if index == number or self._listed(part) or not self._implies(other, part):
                    continue
                if self._implies(part, other) and number < index:
                    continue
                yield Doubt("needless", part.at, f"{_shown(part)} holds wherever {_shown(other)} holds: leave it out")
                break

    def killed(self, query: Node) -> Iterator[Doubt]:
        """What a NOT beside it excludes altogether."""
        for node in walk(query):
            if isinstance(node, Near) and isinstance(node.right, Not):
                single = isinstance(node.left, Term | Phrase) and not node.ordered and not self._listed(node)
                if single and self._covers.implies(node.left, node.right.child):
                    what = f"can never hold: every {_shown(node.left)} is one of {_shown(node.right.child)} itself"
                    yield Doubt("killed", node.at, what)
            if isinstance(node, And):
                nots = [part.child for part in node.children if isinstance(part, Not)]
                for part in node.children:
                    for banned in nots if not isinstance(part, Not) else ():
                        yield from self._dies(part, banned)

    def _dies(self, part: Node, banned: Node) -> Iterator[Doubt]:
        if self._covers.implies(part, banned):
            what = f"can never hit: NOT {_shown(banned)} excludes everything that {_shown(part)} finds"
            yield Doubt("killed", part.at, what)
        elif isinstance(part, Or):
            for one in part.children:
                yield from self._dies(one, banned)


def _lone(query: Node) -> Iterator[Doubt]:
    """Words for which alone the query holds, and which mean several things or hardly anything."""
    for term in alone(query):
        if term.mode == "wildcard":
            continue
        spelled = soft(term.text)
        if is_function_word(spelled):
            what = (
                f"{leaf_text(term)} alone is a word of grammar, which stands in nearly every article: give it company"
            )
            yield Doubt("grammar", term.at, what, term)
        elif meant := senses(spelled):
            mend = "give it company with NEAR, or a phrase"
            yield Doubt("ambiguous", term.at, f"{leaf_text(term)} alone is ambiguous ({meant}): {mend}", term)
        elif spelled.isdigit():
            yield Doubt("number", term.at, f"the number {term.text} alone may count anything: put it in a phrase", term)


def alone(node: Node) -> Iterator[Term]:
    """The single words each of which is enough for a query to hold, whatever its NOTs say."""
    match node:
        case Term():
            yield node
        case Or():
            for child in node.children:
                yield from alone(child)
        case And():
            wanted = [child for child in node.children if not isinstance(child, Not)]
            if len(wanted) == 1:
                yield from alone(wanted[0])
        case Scope() if node.field not in _NARROW:
            yield from alone(node.child)


def _slow(query: Node) -> Iterator[Doubt]:
    """Expressions that are tried on every article, for no word needs to occur."""
    compiled = Compiler(Lexicon()).compile(query)
    if anchor(compiled, lambda _: 1.0) is None and positive(query):
        regex = next((one for one in walk(query) if isinstance(one, Regex)), None)
        if regex:
            what = f"{_shown(regex)} is tried on every article: say which word must stand there too, word AND /…/"
            yield Doubt("slow", regex.at, what)


def _shown(node: Node) -> str:
    text = leaf_text(node) if isinstance(node, Term | Phrase | Regex) else show(node)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"

"""Query text → tree. The grammar, from loosest to tightest (docs/query-language.md tells it with examples):

    any      = all { OR all }
    all      = unary { [AND] unary }
    unary    = NOT unary | ATLEAST/n unary | close
    close    = item { [NOT] NEAR/n item | [NOT] ONEAR/n item | SENTENCE item | PARAGRAPH item }
    item     = "-" item | scope ":" item | "(" any ")" | word | "phrase" ["~" n] | /regex/ | $list
             | SCORE/n "[" weight any { "," weight any } "]"

Whatever the text, the answer is a tree or a QueryError that points into the text and says the mend.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Mapping
from typing import Literal

import re2

from monitor.arabic.function_words import is_function_word
from monitor.arabic.normalise import MARKS, TATWEEL, fold_pattern, soft
from monitor.errors import QueryError
from monitor.matching.lexer import QUOTES, Lexeme, decimal, lex, pieces
from monitor.matching.printer import OPERATORS, show
from monitor.matching.tree import And, AtLeast, Mode, Near, Node, Not, Or, Phrase, Regex, Same, Scope, Score, Term
from monitor.matching.walk import depth, negations, relocate, walk

__all__ = ["SCOPES", "parse", "references", "show"]

SCOPES = ("title", "summary", "lead", "body", "author", "outlet", "tag", "url", "lang")
_ALIASES = {
    **{"intitle": "title", "headline": "title", "hl": "title", "intext": "body", "inurl": "url", "tags": "tag"},
    **{"source": "outlet", "language": "lang", "by": "author", "ingress": "lead", "site": "url"},
}
MAX_DEPTH = 50
MAX_NODES = 20_000
_MODES: dict[str, Mode] = {"": "word", "=": "exact", "^": "verb", "~": "loose"}
_STARTS = ("word", "quote", "regex", "list", "scope", "minus", "(", "SCORE")
_SHOWN = {"end": "the end", "minus": "-", "SAME": "SENTENCE or PARAGRAPH", "comma": "a comma"}
_BETWEEN = ("AND", "OR", "NEAR", "SAME")


def parse(text: str, *, lists: Mapping[str, Node] | None = None, phrases: bool = False) -> Node:
    """The tree of a query; QueryError with start and end where it cannot be read.

    lists: term lists by name, put in place of `$name`. phrases: bare words in a row are a phrase, as in a list of
    terms; otherwise they are words that must all occur.
    """
    return _Parser(text, lists or {}, phrases).parse()


def references(text: str) -> tuple[str, ...]:
    """The names of the term lists that a query mentions; none where it cannot be read."""
    try:
        return tuple(dict.fromkeys(one.text for one in lex(text) if one.kind == "list"))
    except QueryError:
        return ()


class _Parser:
    def __init__(self, text: str, lists: Mapping[str, Node], phrases: bool) -> None:
        self.text = text
        self.lists = lists
        self.phrases = phrases
        self.lexemes = lex(text)
        self.at = 0
        self.depth = 0
        self.nodes = 0
        self.field = ""

    @property
    def next(self) -> Lexeme:
        return self.lexemes[self.at]

    def take(self) -> Lexeme:
        found = self.lexemes[self.at]
        self.at += 1
        return found

    def refuse(self, what: str, at: tuple[int, int]) -> QueryError:
        """A QueryError whose place lies inside the text, also at its end."""
        start = min(at[0], max(len(self.text) - 1, 0))
        return QueryError(what, start, max(min(at[1], len(self.text)), min(start + 1, len(self.text))))

    def parse(self) -> Node:
        if self.next.kind == "end":
            raise self.refuse("the query is empty: write at least one word", (0, len(self.text)))
        tree = self.any()
        if self.next.kind != "end":
            raise self.stray(self.next)
        if depth(tree) > MAX_DEPTH:
            raise self.refuse(f"is nested more than {MAX_DEPTH} levels deep: use term lists", tree.at)
        return tree

    def stray(self, found: Lexeme) -> QueryError:
        if found.kind == ")":
            return self.refuse("this ) closes nothing: remove it, or open a ( before", found.at)
        if found.kind in ("[", "]", "comma"):
            return self.refuse("[ ] belong to SCORE only: group with ( )", found.at)
        return self.refuse(f"{_name(found)} does not fit here", found.at)

    # ── operators ────────────────────────────────────────────────────────────────────────────────────────────────

    def any(self) -> Node:
        parts = [self.all()]
        while self.next.kind == "OR":
            self.take()
            parts.append(self.all())
        return parts[0] if len(parts) == 1 else self.node(Or(tuple(parts), _around(parts)))

    def all(self) -> Node:
        parts = [self.unary()]
        while True:
            if self.next.kind == "AND":
                self.take()
            elif self.next.kind not in (*_STARTS, "NOT", "ATLEAST"):
                break
            parts.append(self.unary())
        return parts[0] if len(parts) == 1 else self.node(And(tuple(parts), _around(parts)))

    def unary(self) -> Node:
        if self.next.kind not in ("NOT", "ATLEAST"):
            return self.close()
        found = self.take()
        if found.kind == "NOT" and self.next.kind == "NEAR":
            raise self.refuse("NOT NEAR needs a term on its left: a NOT NEAR/3 b", self.next.at)
        self.deeper(found)
        child = self.unary()
        self.depth -= 1
        at = (found.at[0], child.at[1])
        if found.kind == "NOT":
            return self.node(Not(child, at))
        self.without_not(child, "ATLEAST", found.at)
        return self.node(AtLeast(int(found.number), child, at))

    def close(self) -> Node:
        left = self.item()
        links = 0
        while self.next.kind in ("NEAR", "SAME") or self.negated_near():
            negated = self.next.kind == "NOT"
            if negated:
                self.take()
            found = self.take()
            links += 1
            if links > MAX_DEPTH:
                raise self.refuse(f"more than {MAX_DEPTH} NEAR in a row: use a phrase or term lists", found.at)
            if self.next.kind in ("NOT", "minus"):
                raise self.refuse(_NOT_NEAR, self.next.at)
            if self.next.kind == "ATLEAST":
                raise self.refuse("put ( ) around what ATLEAST counts: a NEAR/5 (ATLEAST/2 b)", self.next.at)
            right = self.item()
            for side in (left, right):
                self.without_not(side, "NEAR", side.at)
            left = self.join(found, left, right, negated)
        return left

    def negated_near(self) -> bool:
        return self.next.kind == "NOT" and self.lexemes[self.at + 1].kind == "NEAR"

    def join(self, found: Lexeme, left: Node, right: Node, negated: bool) -> Node:
        at = (left.at[0], right.at[1])
        if found.kind == "NEAR":
            other = self.node(Not(right, right.at)) if negated else right
            return self.node(Near(left, other, int(found.number), found.text == "ordered", at))
        unit: Literal["sentence", "paragraph"] = "sentence" if found.text == "sentence" else "paragraph"
        return self.node(Same(left, right, unit, at))

    def without_not(self, node: Node, operator: str, at: tuple[int, int]) -> None:
        """NEAR and its like need places, and what must not occur has none."""
        for found in negations(node):
            inside = found.at if at[0] <= found.at[0] and found.at[1] <= len(self.text) else at
            raise self.refuse(_NOT_COUNTED if operator == "ATLEAST" else _NOT_NEAR, inside)

    # ── items ────────────────────────────────────────────────────────────────────────────────────────────────────

    def item(self) -> Node:
        found = self.next
        match found.kind:
            case "word" | "quote":
                return self.words()
            case "regex":
                return self.regex(self.take())
            case "list":
                return self.list(self.take())
            case "scope":
                return self.scope(self.take())
            case "SCORE":
                return self.score(self.take())
            case "minus":
                self.deeper(self.take())
                child = self.item()
                self.depth -= 1
                return self.node(Not(child, (found.at[0], child.at[1])))
            case "(":
                return self.group(self.take())
        raise self.missing(found)

    def missing(self, found: Lexeme) -> QueryError:
        before = self.lexemes[self.at - 1] if self.at else None
        if found.kind in _BETWEEN and (before is None or before.kind in ("(", *_BETWEEN, "NOT", "ATLEAST", "scope")):
            what = (
                f'{_name(found)} needs a term on its left (to look for the word itself, quote it: "{self.raw(found)}")'
            )
            return self.refuse(what, found.at)
        if found.kind == ")" and before and before.kind == "(":
            return self.refuse("these ( ) are empty: remove them", (before.at[0], found.at[1]))
        if before is not None and before.kind != "word" and found.kind in ("end", ")", "OR", "AND", "NEAR", "SAME"):
            what = f"after {_name(before)} a term is missing"
            quoted = f' (to look for the word itself, quote it: "{self.raw(before)}")' if before.kind.isupper() else ""
            return self.refuse(what + quoted, before.at)
        return self.stray(found)

    def raw(self, lexeme: Lexeme) -> str:
        return self.text[lexeme.at[0] : lexeme.at[1]]

    def group(self, opened: Lexeme) -> Node:
        self.deeper(opened)
        inner = self.any()
        if self.next.kind == "end":
            raise self.refuse("this ( is opened and not closed: add a )", opened.at)
        if self.next.kind != ")":
            raise self.stray(self.next)
        self.take()
        self.depth -= 1
        return inner

    def deeper(self, found: Lexeme) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.refuse(f"is nested more than {MAX_DEPTH} levels deep: use term lists", found.at)

    def node(self, made: Node) -> Node:
        self.grow(1, made.at)
        return made

    def grow(self, count: int, at: tuple[int, int]) -> None:
        self.nodes += count
        if self.nodes > MAX_NODES:
            raise self.refuse(f"has more than {MAX_NODES} terms, those of its lists included: split the rule", at)

    def words(self) -> Node:
        """A word or a quoted phrase; with phrases=True also bare words in a row."""
        first = self.take()
        terms = self.terms(first)
        if first.kind == "word" and self.phrases:
            while self.next.kind == "word":
                terms += self.terms(self.take())
        slop = self.take() if self.next.kind == "slop" else None
        end = self.lexemes[self.at - 1].at[1]
        at = (first.at[0], end)
        if len(terms) > 1:
            return self.node(Phrase(tuple(terms), int(slop.number) if slop else 0, at))
        if slop:
            raise self.refuse('the ~n counts words between words: "a b"~3 needs two words or more', at)
        term = dataclasses.replace(terms[0], at=at)
        self.check_alone(term)
        return self.node(term)

    def terms(self, found: Lexeme) -> list[Term]:
        """The words of a lexeme, each as its own term; the mark before quotes is that of every word inside."""
        made = []
        for mark, text in pieces(found.text):
            made.append(self.term(text, mark or found.mark, found))
        if not made:
            raise self.refuse("there is no word between the quotation marks", found.at)
        self.grow(len(made), found.at)
        return made

    def term(self, text: str, mark: str, found: Lexeme) -> Term:
        if "*" not in text:
            return Term(text, _MODES[mark], found.at)
        if mark:
            raise self.refuse(f"a word with * takes no {mark}: leave one of them out", found.at)
        if len(soft(text.replace("*", ""))) < 3:
            what = "a wildcard needs three letters or more: with fewer it would match half of all words"
            raise self.refuse(what, found.at)
        return Term(re.sub(r"\*+", "*", text), "wildcard", found.at)

    def check_alone(self, term: Term) -> None:
        """A word of grammar alone hits nearly every article; it is fine inside a phrase, or where = says so."""
        if self.field in ("lang", "outlet", "author", "tag", "url") or term.mode in ("exact", "wildcard"):
            return
        spelled = soft(term.text)
        quoted = self.text[term.at[0] : term.at[0] + 1] in QUOTES
        if spelled in OPERATORS and not quoted:
            mend = "PARAGRAPH" if spelled == "same" else spelled.upper()
            what = f'operators are written in capitals: {mend} (to look for the word itself, quote it: "{term.text}")'
            raise self.refuse(what, term.at)
        if spelled in ("و", "او", "أو"):
            raise self.refuse(f"{term.text} is no operator: write AND, or OR between alternatives", term.at)
        if is_function_word(spelled) or spelled in ("the", "of"):
            what = (
                f"{term.text} is a word of grammar that stands in nearly every article: use it inside a phrase "
                f'"… {term.text} …", or write ={term.text} if you do want it'
            )
            raise self.refuse(what, term.at)

    def regex(self, found: Lexeme) -> Node:
        if found.text == "":
            raise self.refuse("the expression between / / is empty", found.at)
        if re.search(f"[{MARKS}{TATWEEL}]", found.text):
            mend = "expressions see the text without vowel signs and tatweel: leave them out"
            raise self.refuse(mend, found.at)
        options = re2.Options()
        options.log_errors = False
        options.case_sensitive = False
        options.max_mem = 8 << 20
        try:
            expression = re2.compile(fold_pattern(found.text), options)
        except (re2.error, UnicodeError) as error:
            said = error.args[0] if error.args else error
            what = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
            raise self.refuse(f"is not an expression that RE2 reads ({what})", found.at) from None
        if expression.search(""):
            raise self.refuse("this expression matches even where nothing stands: use + instead of *", found.at)
        return self.node(Regex(found.text, found.at))

    def list(self, found: Lexeme) -> Node:
        tree = self.lists.get(found.text)
        if tree is None:
            raise self.refuse(f"there is no term list ${found.text}{_guess(found.text, self.lists, '$')}", found.at)
        self.grow(sum(1 for _ in walk(tree)), found.at)
        return relocate(tree, lambda _: found.at)

    def scope(self, found: Lexeme) -> Node:
        name = found.text.lower()
        field = _ALIASES.get(name, name)
        if field not in SCOPES:
            known = f"; known are {', '.join(SCOPES)}"
            what = f"there is no scope {found.text}:{_guess(name, (*SCOPES, *_ALIASES), '') or known}"
            raise self.refuse(
                f'{what} (a colon inside text is written in quotation marks: "{found.text}: …")', found.at
            )
        self.deeper(found)
        outer, self.field = self.field, field
        if self.next.kind not in _STARTS:
            raise self.refuse(f"after {found.text}: a word, a phrase or ( ) belongs", found.at)
        child = self.item()
        self.field = outer
        self.depth -= 1
        return self.node(Scope(field, child, (found.at[0], child.at[1])))

    def score(self, found: Lexeme) -> Node:
        if self.next.kind != "[":
            raise self.refuse("SCORE is written with its weights: SCORE/8 [3 طائرة, 5 شاهد]", found.at)
        self.deeper(self.take())
        weights = [(self.weight(), self.any())]
        while self.next.kind == "comma":
            self.take()
            weights.append((self.weight(), self.any()))
        if self.next.kind != "]":
            raise self.refuse("the [ of this SCORE is not closed with a ]", found.at)
        end = self.take().at[1]
        self.depth -= 1
        pairs = tuple((node, weight) for weight, node in weights)
        return self.node(Score(pairs, found.number, (found.at[0], end)))

    def weight(self) -> float:
        sign = -1.0 if self.next.kind == "minus" else 1.0
        if sign < 0:
            self.take()
        found = self.take() if self.next.kind != "end" else self.next
        number = decimal(found.text) if found.kind == "word" else None
        if number is None:
            raise self.refuse("a weight (a number) stands before each term: SCORE/8 [3 طائرة, 5 شاهد]", found.at)
        return sign * number


_NOT_NEAR = (
    "what must not occur has no place to be near to: write `a NEAR/5 b NOT c`, or `a NOT NEAR/5 c` for an a without "
    "a c close to it"
)
_NOT_COUNTED = "what must not occur cannot be counted: put the NOT outside of ATLEAST"


def _around(parts: list[Node]) -> tuple[int, int]:
    return parts[0].at[0], parts[-1].at[1]


def _name(found: Lexeme) -> str:
    if found.kind == "NEAR":
        return f"{'O' if found.text else ''}NEAR/{int(found.number)}"
    if found.kind == "SAME":
        return found.text.upper()
    if found.kind == "scope":
        return f"{found.text}:"
    return _SHOWN.get(found.kind, found.kind if found.kind.isupper() or len(found.kind) == 1 else f"this {found.kind}")


def _guess(name: str, known: Mapping[str, Node] | tuple[str, ...], sign: str) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    if close:
        return f": did you mean {sign}{close[0]}?"
    if not sign:
        return ""
    return f"; there are {', '.join(sign + one for one in list(known)[:10])}" if known else "; none is defined"

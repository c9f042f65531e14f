"""All rules against one article. A rule is evaluated only where one of its anchors occurs: the rarest atoms without
which it cannot hold. Rules that have none (a mere NOT, a regular expression) are evaluated for every article.

Settled: a rule that is only a NOT holds with no spans; NOT inside OR holds with no spans of its own; what stands under
NOT never gives spans; at most MAX_SPANS spans of a field are kept, the first ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from monitor.arabic.dictionary import Dictionary
from monitor.matching import explain as explaining
from monitor.matching import kernel as kernels
from monitor.matching.anchors import atoms, leads
from monitor.matching.compile import Compiler
from monitor.matching.filters import excluded
from monitor.matching.lexicon import Lexicon, Memory
from monitor.matching.nodes import Compiled
from monitor.matching.spans import spans
from monitor.matching.tree import Node, Score
from monitor.matching.uncollected import uncollected
from monitor.matching.view import BODY, EVERYWHERE, LONGEST, SUMMARY, ArticleView, field_text
from monitor.matching.walk import walk
from monitor.model import FIELDS, Article, Outlet, Rule, RuleMatch, RuleState

_RE_ANCHOR_AFTER = (100, 1_000)  # articles; by then it is known which words are rare here
_NEW_WORDS = 1_000  # that may come by edits before all is compiled anew


class _Ready(NamedTuple):
    """A rule with its query as written and as compiled, and what anchors.leads says of it; {}: not asked yet.

    weighed: the query has a SCORE, so that its score is worth asking for.
    """

    rule: Rule
    node: Node
    query: Compiled
    atoms: tuple[int, ...]
    weighed: bool
    leads: Mapping[int, tuple[int, ...]] | None = {}


class Matcher:
    """Compiled once for a set of rules; then `match` article after article. Not for use by two threads at once.

    before: the matcher in force until now, which may still be matching in another thread. Its compiled queries are
    taken over where a rule's query is the same. compiled: how many of the queries were not.
    kernel: whether the compiled kernel answers, where it was built; it answers the same.
    Raises QueryError for a query that cannot be compiled (its regular expression, its depth).
    """

    @uncollected()
    def __init__(
        self,
        rules: Sequence[tuple[Rule, Node]],
        outlets: Mapping[str, Outlet] | None = None,
        *,
        dictionary: Dictionary | None = None,
        before: Matcher | None = None,
        kernel: bool = True,
    ) -> None:
        self._dictionary = dictionary
        self._outlets = dict(outlets or {})
        self._queries = {rule.id: (rule, node) for rule, node in rules}
        kept = before if before and before._rules and before._fits(dictionary) else None
        self._lexicon: Lexicon = kept._lexicon if kept else Lexicon(dictionary)
        compiler = Compiler(self._lexicon)
        self._rules: list[_Ready] = []
        self.compiled = 0
        known = {one.rule.id: one for one in kept._rules} if kept else {}
        for rule, node in rules:
            if rule.state is not RuleState.OFF:
                old = known.get(rule.id)
                if old and old.node == node:
                    self._rules.append(old._replace(rule=rule))
                else:
                    query = compiler.compile(node)
                    weighed = any(isinstance(one, Score) for one in walk(node))
                    self._rules.append(_Ready(rule, node, query, atoms(query), weighed))
                    self.compiled += 1
        self._fields: tuple[int, ...] = tuple(sorted(compiler.fields.union(kept._fields if kept else ())))
        self._lexicon.settle()
        self._memory = Memory(self._lexicon)
        self._first_words: int = kept._first_words if kept else len(self._lexicon.words)
        self._seen: Counter[int] = kept._seen.copy() if kept else Counter()
        self._articles: int = kept._articles if kept else 0
        self._anchors: dict[int, tuple[tuple[int, tuple[int, ...]], ...]] = {}
        self._always: tuple[int, ...] = ()
        use = kernel and kernels.library() is not None
        self._kernel = kernels.Kernel(self._lexicon, [one.query for one in self._rules]) if use else None
        self._anchor(anew=False)

    def _fits(self, dictionary: Dictionary | None) -> bool:
        """Whether another matcher may go on with this one's words: few of them may be of queries long gone."""
        few = len(self._lexicon.words) <= 2 * self._first_words + _NEW_WORDS
        return dictionary is self._dictionary and few

    def match(self, article: Article) -> list[RuleMatch]:
        """Every rule that holds for the article, in the order of the rules."""
        outlet = self._outlets.get(article.outlet_id)
        if self._kernel:
            found, candidates = self._settle(self._kernel, article, outlet)
            if candidates:
                self._ask(candidates, ArticleView(article, outlet, self._memory, self._fields), found)
            return [found[index] for index in sorted(found)]
        view = ArticleView(article, outlet, self._memory, self._fields)
        self._learn(view.atoms)
        anchors, present = self._anchors, view.atoms
        at_hand = anchors.keys() & present
        possible = {rule for atom in at_hand for rule, need in anchors[atom] if not present.isdisjoint(need)}
        return list(self._ask(sorted(possible.union(self._always)), view, {}).values())

    def _settle(
        self, kernel: kernels.Kernel, article: Article, outlet: Outlet | None
    ) -> tuple[dict[int, RuleMatch], list[int]]:
        """What the kernel found, and the rules of which it says «perhaps»."""
        texts = [(field, field_text(article, outlet, FIELDS[field])[:LONGEST]) for field in self._fields]
        answers = kernel.match(texts, BODY if article.body.strip() else SUMMARY)
        if self._articles < _RE_ANCHOR_AFTER[-1]:
            self._learn(kernel.seen())
        found: dict[int, RuleMatch] = {}
        perhaps: list[int] = []
        for index, places in answers:
            rule = self._rules[index].rule
            if places is None:
                perhaps.append(index)
            elif not excluded(rule, article, outlet):
                found[index] = RuleMatch(rule.id, places)
        return found, perhaps

    def _ask(self, candidates: Collection[int], view: ArticleView, found: dict[int, RuleMatch]) -> dict[int, RuleMatch]:
        """The candidates that hold, added to what was found."""
        outlet = self._outlets.get(view.article.outlet_id)
        view.look_for({atom for index in candidates for atom in self._rules[index].atoms})
        for index in candidates:
            rule, _, query, _, weighed, _ = self._rules[index]
            if query.holds(view, EVERYWHERE) and not excluded(rule, view.article, outlet):
                places = query.find(view, EVERYWHERE) or ()
                score = query.score(view, EVERYWHERE) if weighed else 0.0
                found[index] = RuleMatch(rule.id, spans(places, view), score)
        return found

    def explain(self, article: Article, rule_id: str) -> explaining.Explanation:
        """Why a rule holds for an article or does not, node by node. KeyError for an unknown rule."""
        rule, node = self._queries[rule_id]
        outlet = self._outlets.get(article.outlet_id)
        return explaining.explain(rule, node, article, outlet, self._dictionary)

    def _learn(self, atoms: Iterable[int]) -> None:
        if self._articles < _RE_ANCHOR_AFTER[-1]:
            self._articles += 1
            self._seen.update(atoms)
            if self._articles in _RE_ANCHOR_AFTER:
                self._anchor(anew=True)

    def _anchor(self, *, anew: bool) -> None:
        """Choose the rules' anchors by what is known of how often their words occur; not anew: where none are yet."""
        rarity, seen = self._lexicon.rarity, self._seen
        costs = [rarity(atom) / 1e3 + 1e3 * seen[atom] for atom in range(len(self._lexicon.words))]
        anchors: dict[int, list[tuple[int, tuple[int, ...]]]] = {}
        always: list[int] = []
        for index, one in enumerate(self._rules):
            found = leads(one.query, costs.__getitem__) if anew or one.leads == {} else one.leads
            self._rules[index] = one._replace(leads=found)
            if found is None:
                always.append(index)
                continue
            for atom, beside in found.items():
                anchors.setdefault(atom, []).append((index, beside))
        self._anchors = {atom: tuple(candidates) for atom, candidates in anchors.items()}
        self._always = tuple(always)
        if self._kernel:
            self._kernel.anchor(self._anchors, self._always)

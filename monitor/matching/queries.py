"""Single queries asked of single articles, outside the rules: what a silence says of a text."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.arabic.dictionary import Dictionary
from monitor.errors import QueryError
from monitor.matching.matcher import Matcher
from monitor.matching.query import parse
from monitor.matching.rules import RuleSet, with_kinds
from monitor.model import Article, Outlet, Rule

_KEPT = 200  # compiled queries


class Queries:
    """Compiles each query once. rules: whose term lists and kinds the queries may use. Not for two threads at once."""

    def __init__(
        self,
        rules: RuleSet | None = None,
        outlets: Mapping[str, Outlet] | None = None,
        dictionary: Dictionary | None = None,
    ) -> None:
        self._lists = {name: one.query for name, one in rules.lists.items()} if rules else {}
        self._kinds = rules.kinds if rules else {}
        self._outlets = outlets
        self._dictionary = dictionary
        self._compiled: dict[str, Matcher | None] = {}

    def check(self, text: str) -> None:
        """QueryError where the query cannot be read."""
        self._compile(text)

    def holds(self, text: str, article: Article) -> bool:
        """Whether a query holds for an article. One that cannot be read (any more) holds for none."""
        if text not in self._compiled:
            if len(self._compiled) >= _KEPT:
                self._compiled.clear()
            try:
                self._compiled[text] = self._compile(text)
            except QueryError:
                self._compiled[text] = None
        matcher = self._compiled[text]
        return matcher is not None and bool(matcher.match(article))

    def _compile(self, text: str) -> Matcher:
        query = with_kinds(parse(text, lists=self._lists), self._kinds)
        rule = Rule("silence", "", "")
        return Matcher([(rule, query)], self._outlets, dictionary=self._dictionary, kernel=False)

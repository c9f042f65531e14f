"""The examples of rules: headlines that a rule must hit or must leave alone, tried on the query itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from monitor.arabic.dictionary import Dictionary
from monitor.arabic.language import guess
from monitor.matching.explain import Explanation, explain
from monitor.matching.matcher import Matcher
from monitor.matching.rules import WatchRule
from monitor.model import Article, Rule, RuleMatch, RuleState, Span

_WHEN = datetime(2024, 1, 1, tzinfo=UTC)  # a query does not look at the time


class Matching(Protocol):
    """What matches articles: matcher.Matcher, or anything that answers like it."""

    def match(self, article: Article) -> list[RuleMatch]:
        """Every rule that holds for the article."""


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """One example tried. expected: the rule should hit it; hit: it did; spans: where."""

    rule_id: str
    text: str
    expected: bool
    hit: bool
    spans: tuple[Span, ...]

    @property
    def passed(self) -> bool:
        return self.hit == self.expected


def run(
    rules: Sequence[WatchRule], matcher: Matching | None = None, *, dictionary: Dictionary | None = None
) -> list[ExampleResult]:
    """Try every example of every rule, in order.

    Without a matcher one is built in which the rules' states and their filters by language, outlet and country are
    left out, since an example is only a headline. A matcher given is asked as it is.
    """
    asked = matcher or Matcher([(_open(one.rule), one.query) for one in rules], dictionary=dictionary)
    found: dict[str, dict[str, RuleMatch]] = {}
    results = []
    for one in rules:
        for expected, texts in ((True, one.matches), (False, one.skips)):
            for text in texts:
                if text not in found:
                    found[text] = {match.rule_id: match for match in asked.match(article(text))}
                match = found[text].get(one.rule.id)
                results.append(
                    ExampleResult(one.rule.id, text, expected, match is not None, match.spans if match else ())
                )
    return results


def explained(watch: WatchRule, text: str, *, dictionary: Dictionary | None = None) -> Explanation:
    """Why a rule hits an example or does not, its filters left out as in `run`."""
    return explain(_open(watch.rule), watch.query, article(text), None, dictionary)


def article(title: str) -> Article:
    """An article of which only the title is known; its language is guessed."""
    return Article(
        feed_id="example",
        outlet_id="example",
        key=title,
        url="",
        canonical_url="",
        title=title,
        summary="",
        body="",
        author="",
        tags=(),
        language=guess(title),
        published=None,
        first_seen=_WHEN,
        content_hash="",
    )


def _open(rule: Rule) -> Rule:
    return dataclasses.replace(
        rule, state=RuleState.ON, languages=(), outlets_include=(), outlets_exclude=(), countries=()
    )

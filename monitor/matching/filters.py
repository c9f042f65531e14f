"""What a rule asks of an article before its query: language, outlet, country."""

from __future__ import annotations

from monitor.model import Article, Outlet, Rule


def excluded(rule: Rule, article: Article, outlet: Outlet | None) -> str:
    """Why the rule does not look at this article; "" where it does."""
    if rule.languages:
        language = _primary(article.language)
        if language not in map(_primary, rule.languages):
            return f"the article's language is {language}, the rule asks for {', '.join(rule.languages)}"
    if rule.outlets_include and article.outlet_id not in rule.outlets_include:
        return f"outlet {article.outlet_id} is not among the rule's outlets"
    if article.outlet_id in rule.outlets_exclude:
        return f"the rule excludes outlet {article.outlet_id}"
    if rule.countries:
        country = outlet.country.upper() if outlet else "unknown"
        if country not in (wanted.upper() for wanted in rule.countries):
            return f"the outlet's country is {country}, the rule asks for {', '.join(rule.countries)}"
    return ""


def _primary(tag: str) -> str:
    return tag.replace("_", "-").split("-")[0].lower()

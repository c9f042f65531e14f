"""The routes of channels.yaml: which alerts go to which channels, for rules that name none.

routes:
  - severity: high               # criteria; all that are given must hold
    channels: [urgent]
    continue: true               # the next routes are asked too
  - {tags: [iran], countries: [IR, IQ], channels: iran-desk}
  - channels: [main]             # whatever is left
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from monitor import yamlfile
from monitor.errors import ConfigError, Problem
from monitor.model import Severity
from monitor.model_delivery import Route
from monitor.yamlfile import Countries, Document, Languages, Strict, Strings, near


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) and value else value


class RouteEntry(Strict):
    """One route as written."""

    channels: Strings = Field(min_length=1)
    severity: Annotated[tuple[Severity, ...], BeforeValidator(_listed)] = ()
    rules: Strings = ()
    tags: Strings = ()
    countries: Countries = ()
    languages: Languages = ()
    outlets: Strings = ()
    go_on: bool = Field(False, alias="continue")


class RouteFile(Strict):
    """The part of channels.yaml that is read here."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    routes: tuple[RouteEntry, ...] = ()


def read(document: Document, channels: Iterable[str]) -> tuple[tuple[Route, ...], list[Problem]]:
    """(the routes in their order, warnings). channels: those that there are. ConfigError with all problems."""
    if not isinstance(document.data, dict) or document.data.get("routes", "") == "":
        return (), []
    entries = yamlfile.validate(document, RouteFile).routes
    known = list(channels)
    problems = []
    for number, entry in enumerate(entries):
        for name in entry.channels:
            if name not in known:
                problems.append(unknown(document, number, "channels", name, known, "channel"))
    if problems:
        raise ConfigError(problems)
    routes = tuple(
        Route(
            channels=tuple(dict.fromkeys(entry.channels)),
            severities=entry.severity,
            rules=entry.rules,
            tags=entry.tags,
            countries=entry.countries,
            languages=entry.languages,
            outlets=entry.outlets,
            go_on=entry.go_on,
        )
        for entry in entries
    )
    return routes, _never_asked(document, routes)


def unknown(
    document: Document, number: int, key: str, name: str, known: Iterable[str], thing: str, severity: str = "error"
) -> Problem:
    """That the route of that number names something which is not there, with what was probably meant."""
    known = list(known)
    guess = near(name, known)
    mend = f"did you mean {guess}?" if guess else f"there are {', '.join(known[:12])}" if known else "there are none"
    value = document.value(("routes", number, key))
    at: yamlfile.Path = ("routes", number, key)
    at = (*at, value.index(name)) if isinstance(value, list) and name in value else at
    return document.problem(at, f"there is no {thing} {name}: {mend}", severity=severity)


def _never_asked(document: Document, routes: tuple[Route, ...]) -> list[Problem]:
    for number, route in enumerate(routes):
        asks = (route.severities, route.rules, route.tags, route.countries, route.languages, route.outlets)
        if not any(asks) and not route.go_on and number + 1 < len(routes):
            what = "is never asked: the route above takes everything; move it up, or give that one `continue: true`"
            return [document.problem(("routes", number + 1), what, severity="warning")]
    return []

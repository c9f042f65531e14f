"""A person silences what is too loud. Beside a running daemon too: it looks at the silences whenever it decides."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from monitor.errors import ConfigError, Problem, QueryError, RasidError
from monitor.matching.queries import Queries
from monitor.model import Silence
from monitor.runtime.configuration import Configuration
from monitor.runtime.overruling import no_story
from monitor.store.store import Store
from monitor.yamlfile import near


def silence(
    store: Store,
    found: Configuration,
    until: datetime,
    now: datetime,
    *,
    rule: str | None = None,
    outlet: str | None = None,
    story: int | None = None,
    text: str = "",
    reason: str = "",
    author: str = "",
) -> Silence:
    """Store a silence that holds where all that is given does; as stored, with its number.

    text: a query of the rule language. author: who asks. Raises RasidError for what is not there or cannot be read.
    """
    if rule is None and outlet is None and story is None and not text.strip():
        raise RasidError("say what to silence: --rule, --outlet, --story or --text; several together must all hold")
    if until <= now:
        raise RasidError("the silence would end before it begins: give an end that is still to come")
    if rule is not None:
        _known("rule", rule, [one.rule.id for one in found.rules.rules])
    if outlet is not None:
        _known("outlet", outlet, list(found.catalog.outlets))
    if story is not None and store.story_record(story) is None:
        raise no_story(story, store.became(story))
    check_text(found, text)
    asked = Silence(0, now, until, rule, outlet, story, text.strip(), " ".join(reason.split()), author)
    return store.add_silence(asked)


def check_text(found: Configuration, text: str) -> None:
    """ConfigError with place and mend where a silence's query cannot be read; "" is none."""
    if not text.strip():
        return
    try:
        Queries(found.rules, found.catalog.outlets).check(text.strip())
    except QueryError as error:
        raise ConfigError([Problem("--text", 1, error.start + 1, "", error.what)]) from None


def unread(found: Configuration, silences: Iterable[Silence]) -> dict[int, str]:
    """Those whose query can no longer be read, since the rules changed, by number with what is wrong: they silence
    nothing."""
    queries = Queries(found.rules, found.catalog.outlets)
    wrong: dict[int, str] = {}
    for one in silences:
        try:
            if one.text:
                queries.check(one.text)
        except QueryError as error:
            wrong[one.id] = error.what
    return wrong


def _known(kind: str, name: str, known: list[str]) -> None:
    if name not in known:
        guess = near(name, known)
        raise RasidError(f"no {kind} is called {name}{f': did you mean {guess}?' if guess else ''}")

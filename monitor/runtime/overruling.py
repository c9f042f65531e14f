"""An analyst overrules the grouping: two stories become one, or articles of a story get one of their own.

Beside a running daemon too: it takes over what was decided before it places the next article.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.alerts import decide
from monitor.arrivals import Posts, hear_held, ranked, with_channel
from monitor.errors import RasidError
from monitor.flow import Flow
from monitor.model import Article, Decision, Hit
from monitor.store.intake import Intake


@dataclass(frozen=True, slots=True)
class Overruled:
    """What came of it. story: the one that was kept, or that is new; articles: how many moved there."""

    story: int
    articles: int
    alerts: int


def merge(flow: Flow, kept: int, gone: int, now: datetime) -> Overruled:
    """Let story `gone` become part of story `kept`; what waited for outlets may alert by that. Raises RasidError."""
    if kept == gone:
        raise RasidError(f"story {kept} is already one story: name two")
    flow = flow.snapshot()
    with flow.store.intake(now) as tx:
        for story_id in (kept, gone):
            check_story(tx, story_id)
        moved = tx.merge(kept, gone)
        posts = Posts(flow, tx, now)
        hear_held(flow, tx, posts, tx.story(kept))
        tx.grew(kept, now)
        return Overruled(kept, len(moved), posts.finish())


def split(flow: Flow, story_id: int, article_ids: Sequence[int], now: datetime) -> Overruled:
    """Give articles of a story one of their own. Rules that hit them alert it, where they are not too old for that
    and as many outlets carry it as the rule asks for. Raises RasidError."""
    wanted = sorted(set(article_ids))
    flow = flow.snapshot()
    with flow.store.intake(now) as tx:
        check_story(tx, story_id)
        there = tx.articles_of(story_id)
        strange = [one for one in wanted if one not in there]
        if strange:
            named, listed = ", ".join(map(str, strange)), ", ".join(map(str, there))
            raise RasidError(f"not in story {story_id}: article {named}; it has {listed}")
        if len(wanted) == len(there):
            raise RasidError(f"story {story_id} has no other articles: name those that are to leave it")
        other = tx.split(story_id, wanted)
        posts = Posts(flow, tx, now)
        for story in (story_id, other):
            _tell_again(flow, tx, posts, story, there, new=story == other)
        for story in (story_id, other):
            tx.grew(story, now)
        return Overruled(other, len(wanted), posts.finish())


def check_story(tx: Intake, story_id: int) -> None:
    """RasidError where there is no such story, with what became of it."""
    if not tx.has_story(story_id):
        raise no_story(story_id, tx.became(story_id))


def no_story(story_id: int, became: int | None) -> RasidError:
    """The error that there is no such story. became: the one it was merged into."""
    was = f"it was merged into story {became}" if became else "rasid stories list shows those that there are"
    return RasidError(f"there is no story {story_id}: {was}")


def _tell_again(
    flow: Flow, tx: Intake, posts: Posts, story_id: int, articles: dict[int, Article], *, new: bool
) -> None:
    """Decide anew on the hits of one of the two stories that a rule of `muted_by` kept back, which may have told the
    other one, and in the new story on those that were told with the other."""
    story = tx.story(story_id)
    for hit in ranked(flow, [one for one in tx.hits_of(story_id) if _rests_on_the_other(tx, one, new)]):
        rule = flow.rules.get(hit.rule_id)
        article = articles[hit.article_id]
        max_age = flow.max_ages.get(article.feed_id, timedelta(0))
        known = posts.facts.of_new(rule, story_id, article) if rule is not None else posts.facts.of_held(None, hit)
        rule = decide.raised(rule, len(story.outlets)) if rule is not None else None
        verdict = decide.after_split(rule, article, len(story.outlets), known, max_age=max_age, now=posts.now)
        if verdict is None:
            continue
        if rule is not None:
            verdict = with_channel(flow, rule, verdict)
        tx.redecide(hit.id, verdict)
        if rule is not None:
            posts.add(rule, story_id, hit.id, verdict)


def _rests_on_the_other(tx: Intake, hit: Hit, new: bool) -> bool:
    muter = decide.muter(hit)
    return not tx.alerted(muter, hit.story_id) if muter else new and hit.decision in (Decision.ALERT, Decision.JOINED)

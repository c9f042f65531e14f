"""Alert or not, and why: pure functions from what is known to a Verdict. Nothing here reads a clock or a database.

The first reason that applies wins, and the order is a promise (it is what `rasid` prints when asked "why not?"):

    rule off · trial · backfill that must stay silent · too old · first poll · already alerted (where the rule asks
    for developments and a number changed: silenced · cooldown · full hour · number changed) · silenced · told by
    another rule · too few outlets · cooldown · full hour · new story

Every hit ends here with a code of reasons.REASONS; DECISION_OF says which decision each code stands for. A held hit is
looked at again by `redecide`: when an outlet joins its story, and when its time is over. A silence mutes it then, and
only where it would alert: what it waits for may come after the silence. Who asks hands over the rule as `raised`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from monitor.model import ESCALATED, Article, Decision, Hit, Rule, RuleState, Severity, StoryView, Verdict

Backfill = Literal["no", "silent", "alert"]

# A code belongs to one decision; verdicts are only made through _verdict, so the two never disagree.
DECISION_OF: Mapping[str, Decision] = {
    "new_story": Decision.ALERT,
    "outlets_reached": Decision.ALERT,
    "cooldown_over": Decision.ALERT,
    "hour_over": Decision.ALERT,
    "escalated": Decision.ALERT,
    "backfill": Decision.ALERT,
    "number_changed": Decision.ALERT,
    "joined_story": Decision.JOINED,
    "cooldown": Decision.HELD,
    "number_waits": Decision.HELD,
    "hour_full": Decision.HELD,
    "too_few_outlets": Decision.HELD,
    "too_old": Decision.MUTED,
    "first_poll": Decision.MUTED,
    "trial": Decision.MUTED,
    "rule_off": Decision.MUTED,
    "backfill_silent": Decision.MUTED,
    "outlets_missed": Decision.MUTED,
    "silenced": Decision.MUTED,
    "told_by_other": Decision.MUTED,
    "no_channel": Decision.MUTED,
    "split_off": Decision.MUTED,
}

# Held until a moment: what such a hit becomes when that has come.
TIMED: Mapping[str, str] = {"cooldown": "cooldown_over", "number_waits": "cooldown_over", "hour_full": "hour_over"}
HOUR = timedelta(hours=1)
_BY_RULE = "rule "


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a rule and a story besides the hit.

    alerted: the rule has an alert for this story. last_alert: when the rule last alerted outside a digest. hour_full:
    when it will have alerted fewer than max_per_hour times within an hour again; None: it has. change: the number that
    the article changed and that no alert of the rule told yet, "4 → 7". silence: the silence that the hit is under, in
    words; told_by: a rule of its muted_by that alerted the story; "": none.
    """

    alerted: bool = False
    last_alert: datetime | None = None
    hour_full: datetime | None = None
    change: str = ""
    silence: str = ""
    told_by: str = ""


def raised(rule: Rule, outlets: int) -> Rule:
    """The rule as it is for a story that so many outlets carry: of severity high, once these are as many as it says."""
    reached = bool(rule.escalate) and outlets >= rule.escalate
    return replace(rule, severity=Severity.HIGH) if reached else rule


def ranks(rules: Mapping[str, Rule], rule_ids: Iterable[str]) -> dict[str, int]:
    """In which order to decide for these rules: what mutes a rule comes before it, and those that mute each other as
    they stand. 0: nothing mutes it."""
    found: dict[str, int] = {}

    def rank(rule_id: str) -> int:
        if rule_id not in found:
            found[rule_id] = 0  # a circle ends here
            rule = rules.get(rule_id)
            if rule is not None and rule.muted_by:
                found[rule_id] = 1 + max(map(rank, rule.muted_by))
        return found[rule_id]

    return {rule_id: rank(rule_id) for rule_id in rule_ids}


def escalation(outlets: int) -> Verdict:
    """The verdict on the hit by which a story that was alerted is told again, at severity high."""
    return _verdict("escalated", f"{outlets} outlets", change=ESCALATED)


def decide(
    rule: Rule,
    article: Article,
    story: StoryView,
    known: Known,
    *,
    first_poll: bool,
    first_poll_age: timedelta,
    max_age: timedelta,
    now: datetime,
    backfill: Backfill = "no",
) -> Verdict:
    """The verdict on a new hit of `rule` in `article`, which was placed in `story`.

    story: with or without the article already counted; its outlet is added here. first_poll: the article came with its
    feed's first poll. max_age: the feed's; the rule's own, where it has one, goes before it. Never raises.
    """
    stopped = _stopped(rule)
    if stopped:
        return stopped
    if backfill == "silent":
        return _verdict("backfill_silent")
    if backfill == "no":  # who backfills with alerts on asks for old articles
        unfit = _unfit(rule, article, first_poll=first_poll, first_poll_age=first_poll_age, max_age=max_age, now=now)
        if unfit:
            return unfit
    if known.alerted:
        return _development(rule, known, known.change, _limited(rule, known, now))
    unwanted = _muted(known) or _waiting(rule, len({*story.outlets, article.outlet_id}), known, now)
    if unwanted:
        return unwanted
    if backfill == "alert":
        return _verdict("backfill")
    late = f"the story had {story.article_count} articles by then" if story.article_count > 1 else ""
    return _verdict("new_story" if rule.min_outlets <= 1 else "outlets_reached", late)


def redecide(
    rule: Rule | None,
    hit: Hit,
    story: StoryView,
    known: Known,
    *,
    now: datetime,
    over: bool = False,
) -> Verdict | None:
    """What becomes of a held hit, now that its story grew or its cooldown ended. None: it waits on as it is.

    rule None: no longer in the rule files. story: as it now is. over: it has waited long enough, be it that nothing can
    join the story any more.
    known.change counts where the hit waits to tell of it.
    A hit held by a cooldown waits until the moment it was first held to, however often the rule alerts meanwhile:
    else a busy rule would hold it for ever.
    """
    if hit.decision is not Decision.HELD:
        return None
    if rule is None:
        return _removed()
    stopped = _stopped(rule)
    if stopped:
        return stopped
    was_development = hit.code == "number_waits"
    if known.alerted:
        limit = None if over or now >= _held_until(rule, hit, known) else _limited(rule, known, now)
        known = replace(known, silence="") if limit else known  # its time has not come, and may after the silence
        verdict = _development(rule, known, known.change if was_development else "", limit)
        return None if verdict.code == hit.code else verdict
    if known.told_by:
        return _muted(replace(known, silence=""))
    released = _released(rule, hit, story, known, now=now, over=over)
    return _muted(known) or released if released is not None and released.decision is Decision.ALERT else released


def _released(rule: Rule, hit: Hit, story: StoryView, known: Known, *, now: datetime, over: bool) -> Verdict | None:
    """As redecide, for a story that the rule has not alerted, whatever is silenced."""
    waiting = _waiting(rule, len(set(story.outlets)), known, now)
    if hit.code not in TIMED:
        if waiting is None:
            return _verdict("outlets_reached")
        if waiting.code == "too_few_outlets" and over:
            return _verdict("outlets_missed", waiting.detail)
        return None if waiting.code == hit.code else waiting
    if waiting is not None and waiting.code == "too_few_outlets":
        return waiting
    early = not over and now < _held_until(rule, hit, known)
    if waiting is None:
        outlets = len(set(story.outlets))
        if early and rule.escalate and outlets >= rule.escalate:
            return _verdict("escalated", f"{outlets} outlets")
        return _verdict(TIMED[hit.code])
    return None if early else _verdict(TIMED[hit.code])


def after_split(
    rule: Rule | None, article: Article, outlets: int, known: Known, *, max_age: timedelta, now: datetime
) -> Verdict | None:
    """What becomes of a hit that was told with another story, or that another rule told, now that an analyst split it.

    rule None: no longer in the rule files. outlets, known: of the story that it is in now; where the rule alerted that,
    nothing changes (None). max_age: the rule's own goes before. A cooldown holds nothing back: an analyst asked for it.
    """
    if known.alerted:
        return None
    if rule is None:
        return _removed()
    stopped = _stopped(rule)
    if stopped:
        return stopped
    if now - article.when > (max_age if rule.max_age is None else rule.max_age):
        return _verdict("split_off")
    unwanted = _muted(known) or _too_few(rule, outlets)
    return unwanted or _verdict("new_story", "an analyst split it from another story")


def muter(hit: Hit) -> str:
    """The rule that told the story of a hit which was muted for that; "": it was not."""
    return hit.detail.removeprefix(_BY_RULE) if hit.code == "told_by_other" else ""


def no_channel(rule: Rule) -> Verdict:
    """The verdict where none of the rule's channels is configured."""
    return _verdict("no_channel", "channels: " + (", ".join(rule.channels) or "none, and there is no default channel"))


def _verdict(code: str, detail: str = "", until: datetime | None = None, change: str = "") -> Verdict:
    return Verdict(DECISION_OF[code], code, detail, until, change)


def _development(rule: Rule, known: Known, change: str, limit: Verdict | None) -> Verdict:
    """On an article of a story that the rule alerted; its outlets are not counted again. change: that it may tell."""
    if not change or not rule.developments:
        return _verdict("joined_story")
    if known.silence:
        return _verdict("silenced", known.silence)
    if limit is not None:
        return _verdict("number_waits", change, limit.until)
    return _verdict("number_changed", change, change=change)


def _removed() -> Verdict:
    return _verdict("rule_off", "the rule was removed")


def _stopped(rule: Rule) -> Verdict | None:
    if rule.state is RuleState.OFF:
        return _verdict("rule_off")
    if rule.state is RuleState.TRIAL:
        return _verdict("trial")
    return None


def _unfit(
    rule: Rule, article: Article, *, first_poll: bool, first_poll_age: timedelta, max_age: timedelta, now: datetime
) -> Verdict | None:
    """Old news: by the rule's or feed's max_age, or found on a first poll and not fresh."""
    age = now - article.when
    limit = max_age if rule.max_age is None else rule.max_age
    if age > limit:
        return _verdict("too_old", f"{_span(age)} old; max_age is {_span(limit)}")
    if first_poll and age > first_poll_age:
        return _verdict("first_poll", f"{_span(age)} old; a first poll alerts up to {_span(first_poll_age)}")
    return None


def _muted(known: Known) -> Verdict | None:
    if known.silence:
        return _verdict("silenced", known.silence)
    return _verdict("told_by_other", f"{_BY_RULE}{known.told_by}") if known.told_by else None


def _waiting(rule: Rule, outlets: int, known: Known, now: datetime) -> Verdict | None:
    return _too_few(rule, outlets) or _limited(rule, known, now)


def _too_few(rule: Rule, outlets: int) -> Verdict | None:
    missing = outlets < rule.min_outlets
    return _verdict("too_few_outlets", f"{outlets} of {rule.min_outlets} outlets") if missing else None


def _limited(rule: Rule, known: Known, now: datetime) -> Verdict | None:
    """Whether the rule alerted too recently, or too often, to alert now."""
    high = rule.severity is Severity.HIGH
    if known.last_alert is not None and rule.cooldown and (rule.cooldown_high or not high):
        until = _plus(known.last_alert, rule.cooldown)
        if now < until:
            return _verdict("cooldown", until=until)
    if known.hour_full is not None and now < known.hour_full and not high:
        return _verdict("hour_full", f"{rule.max_per_hour} an hour", known.hour_full)
    return None


def _held_until(rule: Rule, hit: Hit, known: Known) -> datetime:
    if hit.until is not None:
        return hit.until
    return _plus(min(hit.created, known.last_alert or hit.created), rule.cooldown)


def _plus(moment: datetime, wait: timedelta) -> datetime:
    """moment + wait, stopping at the end of the calendar (a cooldown of 10,000 years is a rule that alerts once)."""
    try:
        return moment + wait
    except OverflowError:
        return datetime.max.replace(tzinfo=moment.tzinfo)


def _span(length: timedelta) -> str:
    """A duration for people: 3d 4h, 2h 5m, 40s."""
    seconds = int(length.total_seconds())
    units = [("d", seconds // 86400), ("h", seconds // 3600 % 24), ("m", seconds // 60 % 60), ("s", seconds % 60)]
    shown = [f"{count}{unit}" for unit, count in units if count][:2]
    return " ".join(shown) or "0s"

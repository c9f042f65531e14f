"""Taking in: what new articles, and the end of a cooldown, bring about. Everything of one arrival in one transaction.

Law of this file: nothing is decided outside the transaction, all of it by one configuration, and the story index
forgets what was rolled back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitor.alerts import decide
from monitor.alerts.routing import routing
from monitor.facts import Facts
from monitor.flow import Flow
from monitor.model import (
    Article,
    Decision,
    Feed,
    FeedState,
    Hit,
    Rule,
    RuleMatch,
    RuleState,
    StoryView,
    Verdict,
)
from monitor.model_delivery import Mode
from monitor.store.intake import Intake
from monitor.stories import headline, packed
from monitor.stories.assign import assign
from monitor.stories.signature import Signature, sign
from monitor.stories.update import update_of
from monitor.telling import Made, Teller


@dataclass(slots=True)
class PollReport:
    """What a poll came to. new: articles stored; error: why nothing could be read; reached: a server answered all the
    same; gone: the feed is polled no more."""

    feed_id: str
    new: int = 0
    revised: int = 0
    hits: int = 0
    alerts: int = 0
    error: str | None = None
    reached: bool = False
    gone: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where matched articles come from. state: the feed's after this poll; hashes: of the entries that were read."""

    feed: Feed
    state: FeedState
    first_poll: bool
    hashes: Sequence[str]


def take_in(
    flow: Flow, arrival: Arrival, matched: Sequence[tuple[Article, list[RuleMatch]]], now: datetime, report: PollReport
) -> None:
    """Store articles and all that follows from them in one transaction; fills `report`. Runs on the writer thread."""
    added: list[int] = []
    before: int | None = None  # the last article of the index before ours
    report.hits = report.revised = 0  # it may be run again: see Flow.write
    flow = flow.snapshot()
    flow.index.expire(now)
    try:
        with flow.store.intake(now) as tx:
            catch_up(flow, tx)
            before = flow.index.last_id
            posts = Posts(flow, tx, now, cap=flow.per_feed_cap)
            for article, matches in matched:
                novelty = tx.novelty(article)
                signature = sign(article) if novelty.kind == "new" else None
                if signature is not None and (known := update_of(signature, flow.index, now)) is not None:
                    novelty = tx.version_of(known, article)
                if novelty.kind == "revision" and novelty.article_id is not None:
                    _take_in_revision(flow, tx, posts, arrival, (novelty.article_id, article), matches, report)
                elif novelty.kind == "new" and signature is not None:
                    added.append(_take_in_one(flow, tx, posts, arrival, (article, signature), matches, report))
            report.alerts = posts.finish()
            tx.add_entry_hashes(arrival.feed.id, arrival.hashes)
            tx.save_feed(arrival.state)
    except BaseException:
        if before is not None:  # also what was being added when it failed
            flow.index.remove(range(before + 1, flow.index.last_id + 1))
        raise
    report.new = len(added)


def catch_up(flow: Flow, tx: Intake) -> None:
    """Add to the story index what other processes have stored, and analysts decided, since it last looked."""
    for placed in tx.placed_after(flow.index.last_id):
        if placed.article.id is not None:
            flow.index.add(placed.article.id, placed.part, sign(placed.article), placed.article.when)
            flow.overrules.belongs(placed.part, placed.story_id)
    for overrule in tx.overrules_after(flow.overrules.last_id):
        flow.overrules.follow(overrule, flow.index)


def _take_in_one(
    flow: Flow,
    tx: Intake,
    posts: Posts,
    arrival: Arrival,
    signed: tuple[Article, Signature],
    matches: Sequence[RuleMatch],
    report: PollReport,
) -> int:
    article, signature = signed
    placement = assign(article, signature, flow.index, posts.now)
    if placement.denies is not None:
        placement = replace(placement, denies=flow.overrules.story_of(placement.denies))
    joined = placement.story_id
    story_id = tx.open_story(posts.now) if joined is None else flow.overrules.story_of(joined)
    article_id = tx.add_article(article, story_id, placement, arrival.first_poll, packed.pack(signature))
    flow.index.add(article_id, story_id if joined is None else joined, signature, article.when)
    if placement.denies is not None:
        tx.grew(placement.denies, posts.now)  # who heard of that story hears that it was denied
    if joined is None and not matches:  # most articles: nobody waits for them
        return article_id
    story = tx.story(story_id)
    for rule, match in _rules_of(flow, matches, story):
        verdict = _decide(flow, posts, arrival, rule, article, story, placement.change)
        posts.add(rule, story_id, tx.add_hit(rule, article_id, story_id, match, verdict, posts.now), verdict)
        report.hits += 1
    if joined is not None:
        hear_held(flow, tx, posts, story)
        posts.tell_joined()
        tx.grew(story_id, posts.now)
    return article_id


def _take_in_revision(
    flow: Flow,
    tx: Intake,
    posts: Posts,
    arrival: Arrival,
    revised: tuple[int, Article],
    matches: Sequence[RuleMatch],
    report: PollReport,
) -> None:
    """A changed text never alerts a second time; but where it matches a rule that the first text did not, it is a
    first alert like any other. A toll that rose is shown in the message."""
    article_id, article = revised
    report.revised += 1
    before = replace(article, title=tx.last_title(article_id))
    change = headline.change(sign(before).title, sign(article).title)
    revision_id = tx.add_revision(article_id, article, change)
    story = tx.story(tx.story_of(article_id))
    for rule, match in _rules_of(flow, matches, story):
        if tx.has_hit(rule.id, article_id):
            continue
        verdict = _decide(flow, posts, arrival, rule, article, story, change)
        hit_id = tx.add_hit(rule, article_id, story.id, match, verdict, posts.now, revision_id=revision_id)
        posts.add(rule, story.id, hit_id, verdict)
        report.hits += 1
    if change:
        tx.grew(story.id, posts.now)


def _rules_of(flow: Flow, matches: Sequence[RuleMatch], story: StoryView) -> list[tuple[Rule, RuleMatch]]:
    """Rules as the story raises them, those that mute others first; without those that an edit of the rule files
    removed since the match. story: with the article counted."""
    there = [(flow.rules[match.rule_id], match) for match in matches if match.rule_id in flow.rules]
    ranks = decide.ranks(flow.rules, [rule.id for rule, _ in there])
    outlets = len(story.outlets)
    found = [(decide.raised(rule, outlets), match) for rule, match in there]
    return sorted(found, key=lambda one: ranks[one[0].id])


def _decide(
    flow: Flow,
    posts: Posts,
    arrival: Arrival,
    rule: Rule,
    article: Article,
    story: StoryView,
    change: str = "",
) -> Verdict:
    verdict = decide.decide(
        rule,
        article,
        story,
        posts.facts.of_new(rule, story.id, article, change),
        first_poll=arrival.first_poll,
        first_poll_age=flow.first_poll_age,
        max_age=arrival.feed.max_age,
        now=posts.now,
    )
    return with_channel(flow, rule, verdict)


def hear_held(flow: Flow, tx: Intake, posts: Posts, story: StoryView) -> None:
    """Look again at the story's held hits, now that an article joined it, and tell it again where so many outlets carry
    it that a rule raises it."""
    for hit in ranked(flow, tx.held(story.id)):
        _redecide(flow, tx, posts, hit, story)
    for rule_id, told_as_high in tx.alerting_rules(story.id).items():
        rule = flow.rules.get(rule_id)
        if rule is not None and rule.state is RuleState.ON and not told_as_high:
            _escalate(flow, tx, posts, rule, story)


def _escalate(flow: Flow, tx: Intake, posts: Posts, rule: Rule, story: StoryView) -> None:
    high = decide.raised(rule, len(story.outlets))
    if high.severity is rule.severity:
        return
    hit_id, grouped = tx.bearer(rule.id, story.id)
    verdict = with_channel(flow, high, decide.escalation(len(story.outlets)))
    if verdict.decision is not Decision.ALERT or posts.facts.silence(rule.id, story.id, tx.text_of(hit_id)):
        return
    if grouped:
        tx.redecide(hit_id, verdict)
    posts.add(high, story.id, hit_id, verdict)


def ranked(flow: Flow, held: Sequence[Hit]) -> list[Hit]:
    """Hits of rules that mute others first."""
    ranks = decide.ranks(flow.rules, [hit.rule_id for hit in held])
    return sorted(held, key=lambda hit: ranks[hit.rule_id])


def release_held(flow: Flow, now: datetime, *, everything: bool = False) -> int:
    """Decide again on held hits, told as one digest a channel; how many alerts that made. Runs on the writer thread.

    Those whose cooldown is over, and those that wait for outlets of a story that nothing can join any more.
    everything: all of them, since the rules have changed.
    """
    flow = flow.snapshot()
    outlived = now - flow.index.window
    if not everything and not flow.store.due_held(now, outlived=outlived):
        return 0
    with flow.store.intake(now) as tx:
        posts = Posts(flow, tx, now, together=True)
        due = tx.due_held(now, outlived=outlived)
        for hit in ranked(flow, tx.all_held() if everything else due):
            _redecide(flow, tx, posts, hit, tx.story(hit.story_id), over=hit in due)
        return posts.finish()


def _redecide(flow: Flow, tx: Intake, posts: Posts, hit: Hit, story: StoryView, *, over: bool = False) -> None:
    rule = flow.rules.get(hit.rule_id)
    known = posts.facts.of_held(rule, hit)
    rule = decide.raised(rule, len(story.outlets)) if rule is not None else None
    verdict = decide.redecide(rule, hit, story, known, over=over, now=posts.now)
    if verdict is None:
        return
    if rule is not None:
        verdict = with_channel(flow, rule, verdict)
    tx.redecide(hit.id, verdict)
    if rule is not None:
        posts.add(rule, story.id, hit.id, verdict)


@dataclass(slots=True)
class Posts:
    """The alerts of one transaction on their way to messages: one by one up to `cap`, the others as a digest a channel.

    together: all of them were held till now, and go as digests.
    """

    flow: Flow
    tx: Intake
    now: datetime
    cap: int = 0
    together: bool = False
    facts: Facts = field(init=False)
    _teller: Teller = field(init=False)
    _count: int = 0
    _later: dict[str, list[Made]] = field(default_factory=dict)  # by channel
    _joined: dict[int, tuple[Rule, int]] = field(default_factory=dict)  # hits that joined: rule and story

    def __post_init__(self) -> None:
        self.facts = Facts(self.flow, self.tx)
        self._teller = Teller(self.flow, self.tx, self.now)

    def add(self, rule: Rule, story_id: int, hit_id: int, verdict: Verdict) -> None:
        """Make the alert of a hit, if its verdict asks for one. Channels that want each article hear of every hit."""
        each = any(one.mode is Mode.EACH for one in self.flow.channels.values())
        if verdict.decision is Decision.JOINED and each and not self._silenced(rule, story_id, hit_id):
            self._joined[hit_id] = (rule, story_id)
        if verdict.decision is not Decision.ALERT:
            return
        alert_id = self.tx.add_alert(rule, story_id, hit_id, self.now, verdict.change)
        if alert_id is None:
            return
        self._joined.pop(hit_id, None)  # the message of this alert shows the article
        self._count += 1
        made = Made(rule, story_id, alert_id, hit_id, verdict.change)
        to = self._channels(rule, hit_id)
        if self.together or (self.cap and self._count > self.cap):
            for channel in to:
                self._later.setdefault(channel, []).append(made)
        else:
            self._teller.tell(made, to)

    def tell_joined(self) -> None:
        """Show channels that want each article those that joined a story, unless they raised it: that alert did."""
        for hit_id, (rule, story_id) in self._joined.items():
            self._teller.tell_each(rule, story_id, hit_id, self._channels(rule, hit_id))
        self._joined.clear()

    def finish(self) -> int:
        """Send off what is left: articles that joined stories, and the digests; how many alerts there were in all."""
        self.tell_joined()
        for channel, waiting in self._later.items():
            self._teller.tell_together(waiting, channel, "released" if self.together else "flood")
        return self._count

    def _silenced(self, rule: Rule, story_id: int, hit_id: int) -> bool:
        return bool(self.facts.silence(rule.id, story_id, self.tx.text_of(hit_id)))

    def _channels(self, rule: Rule, hit_id: int) -> Sequence[str]:
        article = self.tx.text_of(hit_id)
        outlet = self.flow.outlets.get(article.outlet_id)
        own = routing(self.flow.routes, self.flow.configured(), rule, article, outlet).channels
        return [*own, *self.flow.following(rule.id)]


def with_channel(flow: Flow, rule: Rule, verdict: Verdict) -> Verdict:
    """The verdict, unless the rule has no channel to alert: none of its own, or there is none at all."""
    own = flow.configured()
    there = any(name in own for name in rule.channels or own) or flow.following(rule.id)
    return verdict if there or verdict.decision is not Decision.ALERT else decide.no_channel(rule)

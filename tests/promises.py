"""What is promised, whatever happens, and what was seen of it: the alerts that were owed, the posts that the chats got.

Two articles are kin where they were ever in one story: what a message told of one may count for the other, since an
analyst moves alerts between them and takes nothing back that was posted.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from monitor.errors import RasidError
from monitor.model import Rule, RuleState, Severity
from monitor.model_delivery import PERSON, DeliveryClaim, Mode, Operation
from monitor.store.records import HitFilter
from monitor.store.store import Store
from tests.desk import NOW, Desk

MINUTE = timedelta(minutes=1)
Shown = tuple[str, str, int]  # a rule, the change that its alert tells of, an article


@dataclass(frozen=True)
class Owed:
    """That an alert was to be told to a channel."""

    channel: str
    rule: str
    change: str
    article: int


@dataclass(frozen=True)
class Post:
    """What a chat was shown by one attempt."""

    channel: str
    chat: str
    message: int
    delivery: int
    operation: Operation
    kind: str
    alerts: frozenset[int]
    shown: frozenset[Shown]


class Promises:
    """made: how many hits the polls reported. kin: of an article, the least number that it is kin with. each: articles
    that joined a story, with the channels that want each. doubtful: deliveries of which an attempt may have arrived
    unseen; gone: messages that somebody deleted; again: those of which a delivery was made again by hand."""

    def __init__(self, here: Sequence[Desk], third: Store) -> None:
        self.desks, self.third = here, third
        self.at = self.made = self.last_alert = self.last_hit = 0
        self.posts: list[Post] = []
        self.owed: set[Owed] = set()
        self.each: set[tuple[str, str, int]] = set()
        self.kin: dict[int, int] = {}
        self.doubtful: set[int] = set()
        self.gone: set[int] = set()
        self.again: set[int] = set()
        self.merged: set[Shown] = set()
        self.was_each: set[str] = set()

    @property
    def now(self) -> datetime:
        return NOW + MINUTE * self.at

    def rows(self, statement: str) -> list[Any]:
        return self.desks[0].rows(statement)

    def arrives(self, post: Post) -> None:
        if post.operation is Operation.SEND:
            self._is_no_repetition(post)
        self.posts.append(post)

    def _is_no_repetition(self, post: Post) -> None:
        before = [one for one in self.posts if one.channel == post.channel and one.chat == post.chat]
        for one in (one for one in before if one.message == post.message and one.operation is Operation.SEND):
            same = one.delivery == post.delivery
            doubted = one.delivery in self.doubtful
            assert doubted or (not same and post.message in self.gone), ("sent twice", post)
        told = [one for one in before if one.message != post.message and "article" not in (one.kind, post.kind)]
        for one in told:
            twice = one.alerts & post.alerts
            kin = {self.kin[article] for _, _, article in one.shown}
            known = {number for rule, change, number in self.merged} & kin
            fresh = {one.message, post.message}.isdisjoint(self.gone | self.again)
            assert not (twice and fresh and not known), ("told twice", one, post)

    def digest_is_new(self, post: Post) -> None:
        """No digest tells of a story that the channel has a message of, which can be edited."""
        if post.kind != "digest" or post.delivery in self.doubtful or post.message in self.again:
            return
        own = self.rows(
            "select s.id from message_alerts a join alerts x on x.id = a.alert_id and x.change = '' "
            f"join messages s on s.story_id = x.story_id and s.kind = 'story' and s.channel = '{post.channel}' "
            f"join messages d on d.id = a.message_id and d.parts = 1 where d.id = {post.message}"
        )
        there = {one.message for one in self.posts if one.chat == post.chat} - self.gone - self.again
        if post.channel not in self.was_each:
            assert there.isdisjoint(row[0] for row in own), ("in a digest, though told", post)

    @contextmanager
    def acting(self, who: int) -> Iterator[None]:
        """While a daemon does something: each alert that it makes goes just where its configuration says."""
        before = self._carried()
        with contextlib.suppress(RasidError):
            yield
        self.make_kin()
        self._remember_merges(before)
        flow = self.desks[who].flow
        made = self.rows(
            "select x.id, x.rule_id, x.story_id, x.change, x.severity, h.article_id from alerts x "
            f"join hits h on h.id = x.hit_id where x.id > {self.last_alert} order by x.id"
        )
        for alert, rule_id, _, change, severity, article in made:
            self.last_alert = alert
            rule = flow.rules[rule_id]
            assert rule.state is RuleState.ON
            wanted = self._channels(who, replace(rule, severity=Severity(severity)))
            carrying = self.rows(
                "select distinct m.channel from messages m join message_alerts a on a.message_id = m.id "
                f"where a.alert_id = {alert}"
            )
            assert {row[0] for row in carrying} == set(wanted) != set()
            told_anew = (rule_id, change, article)  # by a split: where the files say it now
            self.owed = {one for one in self.owed if (one.rule, one.change, one.article) != told_anew}
            self.each = {one for one in self.each if (one[1], "", one[2]) != told_anew}
            self.owed |= {Owed(channel, rule_id, change, article) for channel in wanted}
        self._remember_each(who)

    def _remember_each(self, who: int) -> None:
        """What joined a story is owed to the channels that want each article."""
        joined = self.rows(
            "select h.rule_id, h.article_id, x.severity from hits h join alerts x on x.story_id = h.story_id "
            f"and x.rule_id = h.rule_id and x.change = '' where h.id > {self.last_hit} and h.decision = 'joined'"
        )
        self.last_hit = self.rows("select coalesce(max(id), 0) from hits")[0][0]
        flow = self.desks[who].flow
        silent = {one.rule_id for one in self.third.silences(self.now)}
        for rule_id, article, severity in joined:
            rule = flow.rules[rule_id]
            wanted = (
                ()
                if flow.routes or rule_id in silent
                else self._channels(who, replace(rule, severity=Severity(severity)))
            )
            self.each |= {(name, rule_id, article) for name in wanted if flow.channels[name].mode is Mode.EACH}

    def _channels(self, who: int, rule: Rule) -> list[str]:
        flow = self.desks[who].flow
        there = [name for name in flow.channels if not name.startswith(PERSON)]
        people = [one for one in flow.followers.get(rule.id, ()) if one in flow.channels]
        if rule.channels:
            return [*(one for one in rule.channels if one in there), *people]
        taken: list[str] = []
        for route in flow.routes:
            if (not route.severities or rule.severity in route.severities) and rule.id in (route.rules or (rule.id,)):
                taken += [one for one in route.channels if one in there]
                if not route.go_on:
                    break
        return [*(taken or there[:1]), *people]

    def _carried(self) -> Counter[tuple[str, str, int]]:
        told = self.rows("select x.rule_id, x.change, x.story_id from alerts x")
        return Counter((rule, change, story) for rule, change, story in told)

    def _remember_merges(self, before: Counter[tuple[str, str, int]]) -> None:
        after = self._carried()
        lost = {one for one in before if one not in after}
        for rule, change, _ in lost:  # merged, or moved by a split
            for other, its, story in after:
                if (other, its) == (rule, change):
                    articles = self.rows(f"select min(id) from articles where story_id = {story}")
                    self.merged.add((rule, change, self.kin[articles[0][0]]))

    def make_kin(self) -> None:
        of_story: dict[int, list[int]] = {}
        for article, story in self.rows("select id, story_id from articles"):
            self.kin.setdefault(article, article)
            of_story.setdefault(story, []).append(article)
        for articles in of_story.values():
            least = {self.kin[one] for one in articles}
            if len(least) > 1:
                self.kin = {one: min(least) if of in least else of for one, of in self.kin.items()}
                self.merged = {(r, c, min(least) if of in least else of) for r, c, of in self.merged}

    def adds_up(self) -> None:
        """Each hit has one fate, and none is said to have been told that was not."""
        sums = self.third.ledger(HitFilter())
        assert sums.total == self.made
        rows = self.third.hits(HitFilter(limit=10_000)).items
        assert Counter(row.fate for row in rows) == sums.fates
        shown = {(rule, self.kin[article]) for post in self.posts for rule, _, article in post.shown}
        for row in rows:
            if row.fate in ("delivered", "digested", "grouped"):
                assert (row.hit.rule_id, self.kin[row.hit.article_id]) in shown, ("never sent", row)

    def lasting(self) -> set[tuple[str, str, str, int]]:
        """(channel, rule, change, kin) of what ended without being made, or waits for a channel."""
        found = self.rows(
            "select m.channel, x.rule_id, x.change, h.article_id from messages m "
            "join deliveries d on d.message_id = m.id join message_alerts a on a.message_id = m.id "
            "join alerts x on x.id = a.alert_id join hits h on h.id = x.hit_id where d.state <> 'sent'"
        )
        return {(channel, rule, change, self.kin[article]) for channel, rule, change, article in found}

    def nothing_is_owed(self, lasting: set[tuple[str, str, str, int]]) -> None:
        told = {(post.channel, rule, change, self.kin[of]) for post in self.posts for rule, change, of in post.shown}
        shown = {(post.channel, article) for post in self.posts for _, _, article in post.shown}
        waits = {(channel, kin) for channel, _, _, kin in lasting}
        muted = set(self.rows("select rule_id, article_id from hits where decision = 'muted'"))  # by a split
        for channel, rule, article in self.each:
            there = (channel, article) in shown or (channel, self.kin[article]) in waits
            assert there or (rule, article) in muted, ("not each", channel, rule, article)
        for one in self.owed:
            assert (one.channel, one.rule, one.change, self.kin[one.article]) in told | lasting, ("never told", one)

    def post(self, claim: DeliveryClaim) -> Post:
        rows = self.desks[0].flow.store.message_rows(claim.message_id)
        told = self.rows(
            f"select x.id, x.rule_id, x.change, r.id from message_alerts a join alerts x on x.id = a.alert_id "
            "join articles r on r.story_id = x.story_id join messages m on m.id = a.message_id "
            f"where m.id = {claim.message_id} and r.id = coalesce(m.article_id, r.id)"
        )
        shown = frozenset((rule, change, article) for _, rule, change, article in told)
        return Post(
            claim.channel, claim.chat_key, claim.message_id, claim.id, claim.operation, rows.kind,
            frozenset(rows.alert_ids), shown,
        )  # fmt: skip

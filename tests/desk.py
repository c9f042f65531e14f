"""Daemons whose feeds are written by hand: articles go straight into the intake, on any database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

import sqlalchemy as sa

from monitor.alerts.render import render
from monitor.arrivals import Arrival, PollReport, take_in
from monitor.delivery import retry
from monitor.feeds.fetch import Fetcher
from monitor.feeds.workers import ParseWorkers
from monitor.flow import Flow
from monitor.matching.matcher import Matcher
from monitor.matching.query import parse
from monitor.model import Article, Feed, FeedState, Outlet, Rule
from monitor.model_delivery import Channel, ChatPace, DeliveryClaim, Outcome, OutcomeKind, Rendered
from monitor.runtime.overruling import Overruled, merge, split
from monitor.store.store import Store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHAHED = Rule("shahed", "مسيّرات شاهد", "Shahed drones")


@dataclass
class Desk:
    """One daemon's flow, fed by hand. at: minutes since NOW, counted up with each article."""

    flow: Flow
    at: int = 0
    posted: list[tuple[DeliveryClaim, Rendered]] = field(default_factory=list)  # in the order in which it was sent

    def take(
        self,
        outlet: str,
        title: str,
        text: str,
        *,
        page: str = "",
        guid: str = "",
        feed: str = "",
        late: timedelta = timedelta(0),
    ) -> PollReport:
        """Let a feed of an outlet bring an article. page: its address, or the end of it. late: how old it is."""
        self.at += 1
        address = f"https://{outlet}.example/{page or f'{self.at}-{len(title)}'}" if "://" not in page else page
        article = self._article(outlet, title, text, address)
        article = replace(
            article, feed_id=feed or outlet, key=guid or address, published=self.now - late, first_seen=self.now
        )
        return self._take_in(feed or outlet, outlet, [article])

    def poll(self, outlet: str, *texts: tuple[str, str]) -> PollReport:
        """Let a feed of an outlet bring several articles, titles and texts, at once."""
        self.at += 1
        address = f"https://{outlet}.example/{self.at}"
        return self._take_in(
            outlet, outlet, [self._article(outlet, *both, f"{address}-{n}") for n, both in enumerate(texts)]
        )

    @property
    def now(self) -> datetime:
        return NOW + timedelta(minutes=self.at)

    def _article(self, outlet: str, title: str, text: str, address: str) -> Article:
        return Article(
            feed_id=outlet, outlet_id=outlet, key=address, url=address, canonical_url=address, title=title, summary="",
            body=text, author="", tags=(), language="ar", published=self.now, first_seen=self.now,
            content_hash=f"{title} {text}",
        )  # fmt: skip

    def _take_in(self, feed: str, outlet: str, articles: Sequence[Article]) -> PollReport:
        polled = Feed(feed, f"https://{outlet}.example/rss", Outlet(outlet, outlet, outlet, "LB", "ar"))
        arrival = Arrival(polled, FeedState(polled.id, self.now), first_poll=False, hashes=())
        report = PollReport(outlet)
        take_in(self.flow, arrival, [(one, self.flow.matcher.match(one)) for one in articles], self.now, report)
        return report

    def merge(self, kept: int, gone: int) -> Overruled:
        return merge(self.flow, kept, gone, NOW + timedelta(minutes=self.at))

    def split(self, story: int, *articles: int) -> Overruled:
        return split(self.flow, story, articles, NOW + timedelta(minutes=self.at))

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        with self.flow.store._reading() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement))]

    def stories(self) -> list[list[str]]:
        """The outlets of each story, in the order of their articles."""
        found: dict[object, list[str]] = {}
        for story, outlet in self.rows("select story_id, outlet_id from articles order by id"):
            found.setdefault(story, []).append(str(outlet))
        return list(found.values())

    def deliver(self) -> int:
        """Send what waits; how many deliveries that were."""
        self.at += 2
        now = NOW + timedelta(minutes=self.at)
        store, sent = self.flow.store, 0
        paces = {name: ChatPace("chat" if name == "main" else name) for name in self.flow.channels}
        store.close_digests(now)
        while claims := store.claim_deliveries(now, paces=paces, limit=9):
            for claim in claims:
                self.posted.append((claim, self._rendered(claim, now)))
                outcome = Outcome(OutcomeKind.SENT, external_id=claim.external_id or str(claim.message_id))
                store.settle(claim, retry.settle(claim, outcome, now, Random(1)), now, operator=None)
                sent += 1
        return sent

    def _rendered(self, claim: DeliveryClaim, now: datetime) -> Rendered:
        view = self.flow.store.message_rows(claim.message_id).view(self.flow.outlets)
        channel = self.flow.channels[claim.channel]
        zone = channel.timezone or self.flow.timezone
        return render(view, self.flow.rules, language="ar", timezone=zone, now=now, hashtags=channel.hashtags)


@contextmanager
def desks(url: str, count: int = 1, rules: Sequence[tuple[Rule, str]] = ((SHAHED, "شاهد"),)) -> Iterator[list[Desk]]:
    """Daemons that share a database; each knows of the others by that alone."""
    with ExitStack() as stack:
        made = []
        for number in range(count):
            store = Store.open(url, owner=f"daemon {number}")
            stack.callback(store.close)
            flow = Flow(
                store,
                stack.enter_context(ThreadPoolExecutor(1)),
                Fetcher(),
                ParseWorkers(1),
                Matcher([(rule, parse(query)) for rule, query in rules]),
                {rule.id: rule for rule, _ in rules},
                {"main": Channel("main", "console")},
                max_ages={name: timedelta(days=2) for name in "abcdefgh"},
            )
            made.append(Desk(flow))
        yield made

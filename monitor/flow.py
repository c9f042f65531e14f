"""What the flow of Rasid works with, as one value that every step is handed."""

from __future__ import annotations

import asyncio
import copy
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from monitor.arabic.dictionary import Dictionary
from monitor.delivery.transports import Transport
from monitor.feeds.fetch import Fetcher
from monitor.feeds.workers import ParseWorkers
from monitor.matching.matcher import Matcher
from monitor.matching.queries import Queries
from monitor.model import Article, Outlet, Rule, RuleMatch
from monitor.model_delivery import PERSON, Channel, ChatPace, DeliveryClaim, Route, Settlement
from monitor.store.connection import undisturbed
from monitor.store.outbox import LEASE
from monitor.store.store import Store
from monitor.stories.index import StoryIndex
from monitor.stories.overrule import Overrules

T = TypeVar("T")
_Ended = tuple[DeliveryClaim, Settlement, datetime, "asyncio.Future[None]"]
TURN = 100_000  # code points of text matched before other feeds have their turn


@dataclass(slots=True)
class Flow:
    """What the flow works with. What comes from the configuration is replaced when its files change, by who holds
    `changing`; a transaction works with a `snapshot`.

    channels: the first is the default; people who follow rules stand behind those of the configuration. transports: by
    channel; may lack channels that cannot be built. followers: channels of people, by the rule that they follow.
    operator: the channel that hears of our own troubles; None: the log alone. index holds what is in the store up to
    index.last_id, overrules what analysts decided about that; priming fills the index with the recent articles, and
    nothing is taken in before it has ended.
    """

    store: Store
    writer: Executor  # one thread: the only one that touches store and index
    fetcher: Fetcher
    workers: ParseWorkers
    matcher: Matcher
    rules: Mapping[str, Rule]
    channels: Mapping[str, Channel]
    outlets: Mapping[str, Outlet] = field(default_factory=dict)
    max_ages: Mapping[str, timedelta] = field(default_factory=dict)  # by feed
    routes: Sequence[Route] = ()
    transports: Mapping[str, Transport] = field(default_factory=dict)
    timezone: str = "UTC"
    operator: str | None = None
    followers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    buttons: Mapping[str, bool] = field(default_factory=dict)  # channels with the bot's buttons: all, or to look only
    lease: timedelta = LEASE
    per_feed_cap: int = 20  # alerts one poll sends one by one; more come as a digest; 0: no cap
    index: StoryIndex = field(default_factory=StoryIndex)
    overrules: Overrules = field(default_factory=Overrules)
    priming: asyncio.Task[None] | None = None
    first_poll_age: timedelta = timedelta(hours=3)
    rng: random.Random = field(default_factory=random.Random)
    queries: Queries = field(default_factory=Queries)  # of silences; for the writer thread
    dictionary: Dictionary | None = None  # of Arabic forms; None: terms match by rule alone
    configuring: asyncio.Lock = field(default_factory=asyncio.Lock)  # who changes channels and transports holds it
    changing: threading.Lock = field(default_factory=threading.Lock)  # held for the moment of a change
    _ended: list[_Ended] = field(default_factory=list)  # attempts of which nothing is written yet
    _settling: asyncio.Task[None] | None = None
    _matching: asyncio.Lock = field(default_factory=asyncio.Lock)

    def snapshot(self) -> Flow:
        """The same flow with the configuration of this moment, which no edit of its files changes any more."""
        with self.changing:
            return copy.copy(self)

    def configured(self) -> list[str]:
        """The channels of the configuration, the default one first: all but the people."""
        return [name for name in self.channels if not name.startswith(PERSON)]

    def following(self, rule_id: str) -> list[str]:
        """The channels of the people who follow a rule."""
        return [name for name in self.followers.get(rule_id, ()) if name in self.channels]

    def paces(self) -> dict[str, ChatPace]:
        """How fast each channel's chat may be written to."""
        return {name: transport.pace for name, transport in self.transports.items()}

    async def write(self, work: Callable[..., T], *args: object) -> T:
        """Run `work` on the writer thread; again where another process's work undid it, so it must bear that."""
        return await asyncio.get_running_loop().run_in_executor(self.writer, partial(undisturbed, work, *args))

    async def settle(self, claim: DeliveryClaim, settlement: Settlement, now: datetime) -> None:
        """Write what came of an attempt, together with what came of others meanwhile: a commit takes its time."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ended.append((claim, settlement, now, done))
        if len(self._ended) == 1:
            self._settling = asyncio.create_task(self._settle())
        await done

    async def _settle(self) -> None:
        await self.write(lambda: None)  # whatever the writer thread is at; others join until it is done
        ended, self._ended = self._ended, []
        try:
            await self.write(partial(self.store.settle_all, [one[:3] for one in ended], operator=self.operator))
        except Exception as error:
            for *_, done in ended:
                if not done.done():
                    done.set_exception(error)
            return
        for *_, done in ended:
            if not done.done():  # a stop does not wait
                done.set_result(None)

    async def primed(self) -> None:
        """Wait until the story index holds the recent articles."""
        if self.priming is not None:
            await asyncio.shield(self.priming)

    async def match(self, articles: Sequence[Article]) -> list[tuple[Article, list[RuleMatch]]]:
        """Each article with the rules that hold for it, in a thread and in turns: a flood delays nobody for long."""
        matched: list[tuple[Article, list[RuleMatch]]] = []
        at = 0
        while at < len(articles):
            turn = turn_of(articles, at)
            async with self._matching:  # a matcher is not for two threads at once
                matched += await asyncio.to_thread(_match, self.matcher, turn)
            at += len(turn)
        return matched


def turn_of(articles: Sequence[Article], start: int) -> Sequence[Article]:
    """The articles from `start` on that are matched in one turn: at least one, and no more than TURN code points."""
    total = 0
    for end in range(start, len(articles)):
        total += len(articles[end].body) + len(articles[end].summary)
        if total > TURN and end > start:
            return articles[start:end]
    return articles[start:]


def _match(matcher: Matcher, articles: Sequence[Article]) -> list[tuple[Article, list[RuleMatch]]]:
    return [(article, matcher.match(article)) for article in articles]

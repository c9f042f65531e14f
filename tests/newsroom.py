"""A newsroom to which anything may happen: two daemons on one database, files that are edited, people who follow rules,
an analyst, servers that fail. What must hold of it is tests.promises'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any

from monitor.arrivals import release_held
from monitor.delivery import retry
from monitor.delivery.telegram import TOKEN_ENV
from monitor.matching.matcher import Matcher
from monitor.matching.query import parse
from monitor.model import Rule, RuleState, Severity, Silence
from monitor.model_delivery import (
    Channel,
    ChatPace,
    DeliveryClaim,
    Mode,
    Operation,
    Outcome,
    OutcomeKind,
    Route,
    Schedule,
)
from monitor.runtime import following
from monitor.store.connection import undisturbed
from monitor.store.store import Store
from tests.desk import NOW, Desk, desks
from tests.promises import MINUTE, Post, Promises
from tests.test_controls import EVENTS
from tests.test_ledger import TEXTS

KEEP = timedelta(days=9)
NIGHT, QUARTER = (time(13), time(15)), Schedule(every=15 * MINUTE)
WORDS = ("alpha", "beta", "gamma", "delta")  # each is looked for by a rule, whatever this is called
RULES: tuple[dict[str, Any], ...] = (
    {},
    {"channels": ("a", "b")},
    {"channels": ("c",), "severity": Severity.LOW},
    {"severity": Severity.HIGH},
    {"cooldown": 20 * MINUTE, "escalate": 2},
    {"max_per_hour": 1},
    {"min_outlets": 2},
    {"developments": True},
    {"muted_by": ("alpha", "beta")},
    {"state": RuleState.TRIAL},
    {"state": RuleState.OFF},
)
CHANNELS: tuple[dict[str, Any], ...] = (
    {},
    {"mode": Mode.EACH},
    {"mode": Mode.DIGEST, "digest": QUARTER},
    {"mode": Mode.DIGEST, "digest": Schedule(times=(time(18),))},
    {"burst": 1, "burst_window": 10 * MINUTE},
    {"quiet": NIGHT},
    {"quiet": NIGHT, "quiet_high": True, "mode": Mode.EACH},
)
ROUTES = ((), (Route(("b",), severities=(Severity.HIGH,), go_on=True), Route(("c",), rules=("beta",))))
PEOPLE = ("7", "8")
FINE = (OutcomeKind.SENT, OutcomeKind.NOT_MODIFIED)
LOST = (OutcomeKind.UNKNOWN, OutcomeKind.UNSEEN)


@dataclass
class Files:
    """What is configured. calls: the rule that looks for each word; none: nothing does. chats: where channels write."""

    rules: dict[str, Rule] = field(default_factory=lambda: {word: Rule(word, word, word) for word in WORDS})
    channels: dict[str, Channel] = field(default_factory=lambda: {"a": Channel("a", "console")})
    chats: dict[str, str] = field(default_factory=lambda: {"a": "1", "b": "2", "c": "3"})
    routes: Sequence[Route] = ()
    people: tuple[str, ...] = PEOPLE
    quiet: tuple[time, time] | None = None

    def copy(self) -> Files:
        return replace(self, rules=dict(self.rules), channels=dict(self.channels), chats=dict(self.chats))

    def configuration(self) -> Any:
        bot = SimpleNamespace(enabled=True, people=self.people, owners=(), editors=())
        settings = SimpleNamespace(bot=bot, language="ar", zone="UTC", alerts=SimpleNamespace(quiet=self.quiet))
        return SimpleNamespace(settings=SimpleNamespace(settings=settings, environ={TOKEN_ENV: "7:x"}))


class Newsroom(Promises):
    """begun: attempts under way, with what they show and by whom."""

    def __init__(self, here: Sequence[Desk], third: Store) -> None:
        super().__init__(here, third)
        self.files = Files()
        self.in_force = [self.files.copy() for _ in here]
        self.begun: list[tuple[int, DeliveryClaim, Post]] = []
        for number in range(len(here)):
            self.reload(number)

    def do(self, what: str, *given: Any) -> None:
        for desk in self.desks:
            desk.at = self.at
        getattr(self, what)(*given)
        self.at = max(self.at, *(desk.at for desk in self.desks))

    # ── what happens ──

    def take(self, who: int, outlet: str, event: int, number: int, words: Sequence[str]) -> None:
        texts = (*EVENTS, *TEXTS[:1])
        title, text = (one.replace("{n}", str(20 + number)) for one in texts[event % len(texts)])
        with self.acting(who):
            self.made += self.desks[who].take(outlet, title, f"{text} {' '.join(words)}").hits

    def flood(self, who: int, outlet: str, words: Sequence[str]) -> None:
        with self.acting(who):
            desk = self.desks[who]
            self.made += desk.poll(outlet, *((title, f"{text} {' '.join(words)}") for title, text in EVENTS)).hits

    def merge(self, who: int, one: int, other: int) -> None:
        ids = self._stories()
        if len(ids) > 1 and one % len(ids) != other % len(ids):
            with self.acting(who):
                self.desks[who].merge(ids[one % len(ids)], ids[other % len(ids)])

    def split(self, who: int, one: int, last: bool) -> None:
        which = "max" if last else "min"
        found = self.rows(f"select story_id, {which}(id) from articles group by story_id having count(*) > 1")
        if found:
            story, article = sorted(found)[one % len(found)]
            with self.acting(who):
                self.desks[who].split(story, article)

    def _stories(self) -> list[int]:
        return [row[0] for row in self.rows("select id from stories order by id desc limit 6")]

    def silence(self, rule: str) -> None:
        self.third.add_silence(Silence(0, self.now, self.now + 20 * MINUTE, rule_id=rule))

    def wait(self, minutes: int) -> None:
        self.at += minutes
        for number in range(len(self.desks)):
            self.tick(number)

    def tick(self, who: int) -> None:
        store = self.desks[who].flow.store
        with self.acting(who):
            store.release_expired(self.now, retry.QUARANTINE)
            release_held(self.desks[who].flow, self.now)
            store.close_digests(self.now)

    def begin(self, who: int) -> None:
        desk = self.desks[who]
        self.tick(who)
        for claim in desk.flow.store.claim_deliveries(self.now, paces=self.paces(who), limit=9):
            if any(one.id == claim.id for _, one, _ in self.begun):  # its lease ran out while it is under way
                self.doubtful.add(claim.id)
            if claim.chat_key != self.paces(who)[claim.channel].chat_key:  # as pipeline.deliver: see the files' edits
                self._settle(who, claim, Outcome(OutcomeKind.UNSENT, "the channel has moved"))
                continue
            desk._rendered(claim, self.now)
            post = self.post(claim)
            if claim.attempt == 1:  # what is under way keeps its stories, also where it then fails
                self.digest_is_new(post)
            self.begun.append((who, claim, post))
            assert claim.channel in desk.flow.channels

    def end(self, number: int, kind: OutcomeKind, arrived: bool) -> None:
        """What is under way ends: the attempt of that number, or where it is beyond them all."""
        ended = self.begun if number >= len(self.begun) else [self.begun[number]]
        self.begun = [one for one in self.begun if one not in ended]
        for who, claim, post in ended:
            made = OutcomeKind.SENT if kind is OutcomeKind.NOT_MODIFIED and claim.operation is Operation.SEND else kind
            if made in FINE or (made in LOST and arrived):
                self.arrives(post)
            if made in LOST:
                self.doubtful.add(claim.id)
            if made is OutcomeKind.GONE and claim.operation is Operation.EDIT:
                self.gone.add(claim.message_id)
            outcome = Outcome(made, f"{made.value} by chance", external_id=str(claim.message_id))
            self._settle(who, claim, outcome)

    def _settle(self, who: int, claim: DeliveryClaim, outcome: Outcome) -> None:
        with self.acting(who):
            settled = retry.settle(claim, outcome, self.now, Random(1))
            self.desks[who].flow.store.settle(claim, settled, self.now)

    def die(self, who: int, arrived: bool) -> None:
        """A daemon dies; another begins in its place. What it was at was sent, or was not."""
        for one, claim, post in self.begun:
            if one == who:
                self.doubtful.add(claim.id)
                if arrived:
                    self.arrives(post)
        self.begun = [one for one in self.begun if one[0] != who]

    def follow(self, person: str, rule: str, language: str) -> None:
        self.third.follow(person, rule, language, self.now)
        self.reload(0)

    def unfollow(self, person: str, rule: str) -> None:
        self.third.unfollow(person, rule)
        self.reload(1)

    def retry(self) -> None:
        dead = self.third.dead_deliveries()
        for one in self.third.retry_deliveries(dead, self.now):
            if one.again:
                self.again |= {row[0] for row in self.rows(f"select message_id from deliveries where id = {one.id}")}

    def prune(self) -> None:
        self.nothing_is_owed(self.lasting())
        self.third.prune(self.now, KEEP)
        left = {row[0] for row in self.rows("select id from articles")}
        self.owed = {one for one in self.owed if one.article in left}
        self.each = {one for one in self.each if one[2] in left}

    def week(self) -> None:
        self.at += 10 * 24 * 60

    # ── edits of the files ──

    def rule(self, who: int, word: str, variant: int, renamed: bool) -> None:
        """A rule is edited, renamed, or taken out; whoever it is given to reads the files again."""
        self.files.rules.pop(word, None)
        if variant < len(RULES):
            name = f"{word}-2" if renamed else word
            self.files.rules[word] = Rule(name, name, name, **RULES[variant])
        self._read(who)

    def channel(self, who: int, name: str, variant: int, chat: str, first: bool) -> None:
        channels = {one: what for one, what in self.files.channels.items() if one != name}
        if variant < len(CHANNELS):
            made = {name: Channel(name, "console", **CHANNELS[variant])}
            channels = {**made, **channels} if first else {**channels, **made}
            self.files.chats[name] = chat
        self.files.channels = channels
        self._read(who)

    def setting(self, who: int, routes: int, people: int, quiet: bool) -> None:
        self.files.routes = ROUTES[routes]
        self.files.people = PEOPLE[:people]
        self.files.quiet = NIGHT if quiet else None
        self._read(who)

    def _read(self, who: int) -> None:
        for number in range(len(self.desks)):
            if who in (number, len(self.desks)):
                self.in_force[number] = self.files.copy()
                self.reload(number)

    def reload(self, who: int) -> None:
        """As assembly.configure and the daemon's reload do it, with the files as this daemon last read them."""
        files, flow = self.in_force[who], self.desks[who].flow
        people = following.followed(flow.store, files.configuration(), self.now)
        wanted = {**files.channels, **people.channels}
        changed = [name for name, one in wanted.items() if flow.channels.get(name) != one]
        watched = [(rule, parse(word)) for word, rule in files.rules.items() if rule.state is not RuleState.OFF]
        with flow.changing:
            flow.matcher = Matcher(watched)
            flow.rules = {rule.id: rule for rule in files.rules.values()}
            flow.channels, flow.routes, flow.followers = wanted, files.routes, people.by_rule
        flow.per_feed_cap = 3
        flow.max_ages = {name: timedelta(days=2) for name in "abcd"}
        self.was_each |= {name for name, one in wanted.items() if one.mode is Mode.EACH}
        with self.acting(who):
            flow.store.open_chats(self.paces(who), self.now)
            for name in changed:
                flow.store.resume_chat(name, self.now)
            release_held(flow, self.now, everything=True)

    def paces(self, who: int) -> dict[str, ChatPace]:
        chats = self.in_force[who].chats
        return {name: ChatPace(f"chat:{chats.get(name, name)}") for name in self.desks[who].flow.channels}

    def finish(self) -> None:
        """All daemons read the files, all servers work, and time passes: nothing waits any more."""
        for number in range(len(self.desks)):
            self.in_force[number] = self.files.copy()
            self.reload(number)
            self.die(number, arrived=False)
        for hours in (1, 6, 12, 24, 8 * 24, 1, 6, 12, 24):
            self.at += hours * 60
            while any(self._delivers(number) for number in range(len(self.desks))):
                self.at += 1
        channels = list(self.desks[0].flow.channels)
        waits = self.rows("select channel, state, reason from deliveries where state not in ('sent', 'dead')")
        assert [one for one in waits if one[0] in channels] == []
        assert self.rows("select id, code from hits where decision = 'held'") == []
        open_ = self.rows("select m.id, d.state from messages m join deliveries d on d.message_id = m.id where m.open")
        assert [one for one in open_ if one[1] != "dead"] == []
        self.nothing_is_owed(self.lasting())
        self.adds_up()

    # ── in a thread ──

    def deliver_some(self, who: int, kind: OutcomeKind) -> None:
        """Claim, show and settle, as one daemon of several that do so at once."""
        store, now = self.desks[who].flow.store, NOW + MINUTE
        for claim in undisturbed(partial(store.claim_deliveries, now, paces=self.paces(who), limit=9)):
            post = self.post(claim)
            made = OutcomeKind.SENT if claim.operation is Operation.SEND else kind
            if made is OutcomeKind.SENT:
                self.posts.append(post)
            else:
                self.gone.add(claim.message_id)
            settled = retry.settle(claim, Outcome(made, external_id=str(claim.message_id)), now, Random(1))
            assert undisturbed(store.settle, claim, settled, now)

    def overrule(self, what: str, one: float, other: float) -> None:
        """Merge two stories, or split one, whichever there are."""
        ids, desk = self._stories(), self.desks[-1]
        if what == "merge" and len(ids) > 1:
            desk.merge(ids[int(one * len(ids))], ids[int(other * len(ids))])
        elif ids:
            story = ids[int(one * len(ids))]
            found = [row[0] for row in self.rows(f"select id from articles where story_id = {story}")]
            desk.split(story, *found[: int(other * len(found))])

    def _delivers(self, who: int) -> bool:
        self.do("begin", who)
        made = len(self.begun)
        self.do("end", made, OutcomeKind.SENT, True)
        return made > 0


@contextmanager
def newsroom(url: str, count: int = 2) -> Iterator[Newsroom]:
    """count: of daemons; the last may be an analyst."""
    with desks(url, count=count) as here:
        third = Store.open(url, owner="analyst")
        try:
            yield Newsroom(here, third)
        finally:
            third.close()


Fresh = Callable[[], str]

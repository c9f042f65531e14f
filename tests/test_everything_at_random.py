"""Everything at random: two daemons on one database, edits of the files, people who follow rules, an analyst, servers
that fail, retention; by turns, and in threads truly at once. What must hold of it is tests.newsroom's."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from monitor.errors import RasidError
from monitor.model_delivery import Operation, OutcomeKind
from monitor.store.connection import undisturbed
from tests.newsroom import CHANNELS, PEOPLE, RULES, WORDS, Fresh, Newsroom, newsroom
from tests.postgres import PostgresServer
from tests.test_controls import EVENTS
from tests.test_ledger import fresh

__all__ = ["fresh"]

WHO, BOTH = st.integers(0, 1), st.integers(0, 2)
SOME = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True)
ENDS = (
    *(OutcomeKind.SENT,) * 5, OutcomeKind.RETRY, OutcomeKind.UNKNOWN, OutcomeKind.REJECTED, OutcomeKind.GONE,
    OutcomeKind.HOLD_CHAT, OutcomeKind.HOLD_CHANNEL, OutcomeKind.NOT_MODIFIED, OutcomeKind.UNSENT,
)  # fmt: skip


def step(name: str, *given_: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.tuples(st.just(name), *given_)


NAMES = st.sampled_from([*WORDS, "alpha-2", "beta-2"])
TAKE = step("take", WHO, st.sampled_from("abcd"), st.integers(0, 5), st.integers(0, 2), SOME)
BEGIN, END = step("begin", WHO), step("end", st.integers(0, 5), st.sampled_from(ENDS), st.booleans())
STEPS = st.one_of(
    TAKE, TAKE, TAKE, BEGIN, BEGIN, END, END,
    step("flood", WHO, st.sampled_from("abcd"), SOME),
    step("merge", WHO, st.integers(0, 5), st.integers(0, 5)),
    step("split", WHO, st.integers(0, 5), st.booleans()),
    step("silence", NAMES),
    step("wait", st.sampled_from((1, 4, 21, 70, 700))),
    step("die", WHO, st.booleans()),
    step("follow", st.sampled_from(PEOPLE), NAMES, st.sampled_from(("ar", "en"))),
    step("unfollow", st.sampled_from(PEOPLE), NAMES),
    step("retry"),
    step("prune"),
    step("week"),
    step("rule", BOTH, st.sampled_from(WORDS), st.integers(0, len(RULES)), st.booleans()),
    step("rule", BOTH, st.sampled_from(WORDS), st.integers(0, len(RULES)), st.booleans()),
    step("channel", BOTH, st.sampled_from("abc"), st.integers(0, len(CHANNELS)), st.sampled_from("123"), st.booleans()),
    step("channel", BOTH, st.sampled_from("abc"), st.integers(0, len(CHANNELS)), st.sampled_from("123"), st.booleans()),
    step("setting", BOTH, st.integers(0, 1), st.integers(0, len(PEOPLE)), st.booleans()),
)  # fmt: skip
histories = given(history=st.lists(STEPS, min_size=5, max_size=40))
QUICK = settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def _holds(fresh: Fresh, history: list[tuple[Any, ...]]) -> None:
    with newsroom(fresh()) as here:
        for one in history:
            here.do(*one)
        here.adds_up()
        here.finish()


@QUICK
@histories
def test_whatever_happens_what_is_promised_holds(fresh: Fresh, history: list[tuple[Any, ...]]) -> None:
    _holds(fresh, history)


@pytest.mark.soak
@settings(QUICK, max_examples=60, derandomize=False)
@histories
def test_at_length_what_is_promised_holds(fresh: Fresh, history: list[tuple[Any, ...]]) -> None:
    _holds(fresh, history)


# ── truly at once ──


def _daemon(here: Newsroom, who: int, chance: Random) -> int:
    """What a daemon does in its thread; how many hits it made. The clock stands: they do not disagree on the time."""
    desk, made = here.desks[who], 0

    def take(outlet: str, title: str, text: str, page: str) -> int:
        desk.at = 0
        return desk.take(outlet, title, text, page=page).hits

    for _ in range(15):
        if chance.random() < 0.6:
            title, text = chance.choice(EVENTS)
            words, page = chance.sample(WORDS, 3), str(chance.random())
            made += undisturbed(take, chance.choice("abcd"), title, f"{text} {' '.join(words)}", page)
        else:
            here.deliver_some(who, OutcomeKind.SENT if chance.random() < 0.8 else OutcomeKind.GONE)
    return made


def _analyst(here: Newsroom, chance: Random) -> int:
    """What a third process does meanwhile."""
    for _ in range(12):
        here.desks[2].at = 0
        with contextlib.suppress(RasidError):
            undisturbed(here.overrule, chance.choice(("merge", "split")), chance.random(), chance.random())
        here.make_kin()
        if chance.random() < 0.2:
            undisturbed(here.retry)
    return 0


def _at_once(fresh: Fresh, seed: int) -> None:
    with newsroom(fresh(), count=3) as here:
        together = Barrier(3)

        def thread(work: Callable[..., int], *given: Any) -> int:
            together.wait()
            return work(here, *given)

        with ThreadPoolExecutor(3) as threads:
            chances = [Random(f"{seed} {number}") for number in range(3)]
            works = [threads.submit(thread, _daemon, number, chances[number]) for number in range(2)]
            works.append(threads.submit(thread, _analyst, chances[2]))
            here.made += sum(one.result() for one in works)
        here.make_kin()
        with here.acting(0):  # all alerts were made under one configuration
            pass
        sends = Counter(post.message for post in here.posts if post.operation is Operation.SEND)
        assert {message for message, number in sends.items() if number > 1} <= here.gone
        here.adds_up()
        here.finish()


@pytest.fixture
def on_postgres(postgres: PostgresServer, postgres_template: str) -> Fresh:
    return lambda: postgres.new_database(postgres_template)


def test_daemons_and_an_analyst_at_once_lose_and_double_nothing(on_postgres: Fresh) -> None:
    _at_once(on_postgres, 1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 42))
def test_at_length_daemons_and_an_analyst_at_once_lose_and_double_nothing(on_postgres: Fresh, seed: int) -> None:
    _at_once(on_postgres, seed)

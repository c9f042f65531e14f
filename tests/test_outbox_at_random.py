"""The outbox against a model that is obviously right: random histories of alerts, claims, answers, crashes and waits.

The model knows for each send whether it may be in the chat (maybe) and whether it has ended. What must hold at each
step: one in flight a chat; nothing is claimed while its chat is in flight or ahead of its pace; within one chat and
priority the older goes first; a claim is a lost one just when nobody knows whether its message arrived. At the end
everything has been sent.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from monitor.delivery import retry
from monitor.model_delivery import ChatPace, DeliveryClaim, Outcome, OutcomeKind
from tests.test_store_outbox import NOW, Desk

CHANNELS = ("c0", "c1", "c2")
GAP, PER_MINUTE = 1.0, 20
PACES = {name: ChatPace(f"chat:{name}", GAP, PER_MINUTE, "bot", 30) for name in CHANNELS}
ANSWERS = {
    "sent": Outcome(OutcomeKind.SENT, external_id="7"),
    "asked to wait": Outcome(OutcomeKind.RETRY, "429", retry_after=9),
    "refused connection": Outcome(OutcomeKind.RETRY, "refused"),
    "no answer": Outcome(OutcomeKind.UNKNOWN, "timeout"),
    "not there": Outcome(OutcomeKind.UNSENT, "looked for"),
    "not known yet": Outcome(OutcomeKind.UNSEEN, "busy"),
    "as plain text": Outcome(OutcomeKind.PLAIN, "can't parse entities"),
    "kicked": Outcome(OutcomeKind.HOLD_CHAT, "kicked"),
}


@dataclass
class Sent:
    """A send as the model knows it."""

    channel: str
    priority: int
    maybe: bool = False  # an attempt may have put it into the chat
    done: bool = False


class OutboxMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory(prefix="rasid-outbox-")
        self.desk = Desk(f"sqlite:///{Path(self.folder.name) / 'rasid.db'}")
        self.now = NOW
        self.number = 0
        self.sends: dict[int, Sent] = {}  # by message
        self.flying: dict[str, tuple[str, DeliveryClaim]] = {}  # by channel: who makes it
        self.ended: dict[str, list[float]] = defaultdict(list)
        self.desk.store.open_chats(PACES, NOW)

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            self._everything_is_sent_in_the_end()
            self.desk.store.close()
            self.desk.other.close()
            self.folder.cleanup()

    @rule(channel=st.sampled_from(CHANNELS), priority=st.integers(0, 2))
    def alert(self, channel: str, priority: int) -> None:
        self.number += 1
        _, message = self.desk.alert(self.number, (channel,), self.now, priority)
        self.sends[message] = Sent(channel, priority)

    @rule(who=st.sampled_from(["store", "other"]), behind=st.floats(0, 0.9))
    def claim(self, who: str, behind: float) -> None:
        """behind: by how much this daemon read the clock before it had its turn."""
        now = self.now - timedelta(seconds=behind)
        for claim in getattr(self.desk, who).claim_deliveries(now, paces=PACES, limit=20):
            sent = self.sends[claim.message_id]
            assert claim.channel not in self.flying
            assert not sent.done and (claim.lost == sent.maybe)
            assert all(now.timestamp() - at >= GAP - 1e-6 for at in self.ended[claim.channel])
            older = [m for m, one in self.sends.items() if m < claim.message_id and not one.done]
            mine = (claim.channel, sent.priority)
            assert not [m for m in older if (self.sends[m].channel, self.sends[m].priority) == mine]
            self.flying[claim.channel] = (who, claim)

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), answer=st.sampled_from(sorted(ANSWERS)))
    def answer(self, data: st.DataObject, answer: str) -> None:
        channel = data.draw(st.sampled_from(sorted(self.flying)))
        who, claim = self.flying.pop(channel)
        if answer in ("not there", "not known yet") and not claim.lost:
            answer = "no answer"
        outcome, sent = ANSWERS[answer], self.sends[claim.message_id]
        settled = retry.settle(claim, outcome, self.now, Random(self.number))
        assert getattr(self.desk, who).settle(claim, settled, self.now)
        self.ended[channel].append(self.now.timestamp())
        sent.done = outcome.kind is OutcomeKind.SENT or settled.state == "dead"
        sent.maybe = settled.state == "unknown"

    @precondition(lambda self: self.flying)
    @rule()
    def every_daemon_dies_and_comes_back(self) -> None:
        for _, claim in self.flying.values():
            self.sends[claim.message_id].maybe = True
        assert self.desk.store.take_over(self.now, retry.QUARANTINE) == len(self.flying)
        self.flying.clear()

    @rule(seconds=st.sampled_from([0.2, 1.0, 5.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        if not self.flying:  # else their leases might run out, which is what dying looks like
            self.now += timedelta(seconds=seconds)

    @invariant()
    def one_is_in_flight_a_chat(self) -> None:
        if hasattr(self, "desk"):
            states = {chat.chat_key: chat.in_flight for chat in self.desk.store.chats()}
            for channel in CHANNELS:
                assert (states[f"chat:{channel}"] == "sending") == (channel in self.flying)

    def _everything_is_sent_in_the_end(self) -> None:
        for channel, (who, claim) in self.flying.items():
            settled = retry.settle(claim, ANSWERS["sent"], self.now, Random(1))
            assert getattr(self.desk, who).settle(claim, settled, self.now), channel
        left = sum(not one.done for one in self.sends.values()) - len(self.flying)
        for _ in range(20 * len(self.sends) + 50):
            self.now += timedelta(minutes=10)
            for claim in self.desk.claim(self.now, PACES):
                left -= 1
                settled = retry.settle(claim, ANSWERS["sent"], self.now, Random(1))
                assert self.desk.store.settle(claim, settled, self.now)
            if not left:
                break
        assert left == 0
        assert self.desk.claim(self.now + timedelta(days=1), PACES) == []


QUICK = settings(max_examples=10, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))


def test_the_outbox_on_random_histories_does_what_the_model_says() -> None:
    run_state_machine_as_test(OutboxMachine, settings=QUICK)


@pytest.mark.soak
def test_the_outbox_on_many_random_histories_does_what_the_model_says() -> None:
    run_state_machine_as_test(OutboxMachine, settings=settings(QUICK, max_examples=400))

"""The outbox: who delivers what and when, and that nothing is lost between the steps."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa

from monitor.delivery import retry
from monitor.model import Article, Decision, Placement, Rule, RuleMatch, Span, Verdict
from monitor.model_delivery import ChatPace, DeliveryClaim, Operation, Outcome, OutcomeKind, Settlement
from monitor.store.store import Store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULE = Rule("shahed", "مسيّرات شاهد", "Shahed drones")
SECOND = Rule("port", "الميناء", "The port")
PACES = {"main": ChatPace("telegram:1", min_gap=1.0, per_minute=20, shared_key="bot", shared_per_second=30)}
SENT = Outcome(OutcomeKind.SENT, external_id="77")


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def article(number: int, outlet: str) -> Article:
    url = f"https://{outlet}.example/{number}"
    return Article(
        feed_id=outlet,
        outlet_id=outlet,
        key=url,
        url=url,
        canonical_url=url,
        title=f"إسقاط {number} من طائرات شاهد",
        summary="",
        body="",
        author="",
        tags=(),
        language="ar",
        published=NOW,
        first_seen=NOW,
        content_hash=f"h{number}{outlet}",
    )


class Desk:
    """A store with stories to tell."""

    def __init__(self, url: str) -> None:
        self.store = Store.open(url, owner="one")
        self.other = Store.open(url, owner="two")

    def alert(
        self, number: int, channels: tuple[str, ...] = ("main",), now: datetime = NOW, priority: int = 1
    ) -> tuple[int, int]:
        """(story id, message id of the first channel)"""
        with self.store.intake(now) as tx:
            story = tx.open_story(now)
            one = article(number, "aawsat")
            id_ = tx.add_article(one, story, Placement(None, "new"), False)
            match = RuleMatch(RULE.id, (Span("title", 6, 7, "شاهد"),))
            hit = tx.add_hit(RULE, id_, story, match, Verdict(Decision.ALERT, "new_story"), now)
            alert = tx.add_alert(RULE, story, hit, now)
            assert alert is not None
            ids = tx.post(alert, story, channels, now, priority=priority)
        return story, ids[0]

    def join(self, story: int, number: int, now: datetime, rule: Rule = SECOND) -> None:
        """Another rule alerts the story."""
        with self.store.intake(now) as tx:
            id_ = tx.add_article(article(number, "alquds"), story, Placement(story, "body"), False)
            match = RuleMatch(rule.id, (Span("title", 6, 7, "شاهد"),))
            hit = tx.add_hit(rule, id_, story, match, Verdict(Decision.ALERT, "new_story"), now)
            alert = tx.add_alert(rule, story, hit, now)
            assert alert is not None
            tx.post(alert, story, ("main",), now, priority=1)

    def grow(self, story: int, number: int, outlet: str, now: datetime) -> None:
        with self.store.intake(now) as tx:
            tx.add_article(article(number, outlet), story, Placement(story, "body"), False)
            tx.grew(story, now)

    def claim(self, now: datetime, paces: dict[str, ChatPace] = PACES, limit: int = 50) -> list[DeliveryClaim]:
        return self.store.claim_deliveries(now, paces=paces, limit=limit)

    def deliver(self, now: datetime, outcome: Outcome = SENT) -> list[DeliveryClaim]:
        claims = self.claim(now)
        for claim in claims:
            self.store.settle(claim, self.settlement(claim, outcome, now), now, operator=None)
        return claims

    def settlement(self, claim: DeliveryClaim, outcome: Outcome, now: datetime) -> Settlement:
        return retry.settle(claim, outcome, now, Random(1))


@pytest.fixture
def desk(store_url: str) -> Iterator[Desk]:
    desk = Desk(store_url)
    yield desk
    desk.store.close()
    desk.other.close()


def test_a_claimed_delivery_goes_to_nobody_else(desk: Desk) -> None:
    desk.alert(1)
    assert [claim.operation for claim in desk.claim(NOW)] == [Operation.SEND]
    assert desk.other.claim_deliveries(NOW + seconds(5), paces=PACES, limit=9) == []


def test_one_delivery_at_a_time_in_a_chat_the_older_first(desk: Desk) -> None:
    desk.alert(1)
    desk.alert(2)
    first = desk.deliver(NOW)
    assert len(first) == 1
    assert desk.claim(NOW + seconds(0.5)) == []  # at most one a second
    second = desk.deliver(NOW + seconds(1))
    assert second[0].message_id > first[0].message_id
    assert desk.claim(NOW + seconds(9)) == []


def test_the_more_urgent_overtakes(desk: Desk) -> None:
    desk.alert(1)
    _, urgent = desk.alert(2, priority=0)
    assert desk.claim(NOW)[0].message_id == urgent


def test_a_channel_takes_twenty_messages_a_minute(desk: Desk) -> None:
    for number in range(30):
        desk.alert(number)
    sent = [len(desk.deliver(NOW + seconds(at))) for at in range(60)]
    assert sum(sent) == 20
    assert len(desk.deliver(NOW + seconds(60))) == 1


def test_chats_of_one_bot_share_its_rate(desk: Desk) -> None:
    paces = {f"c{n}": ChatPace(f"telegram:{n}", 1.0, 20, "bot", 6) for n in range(12)}
    desk.alert(1, channels=tuple(paces))
    claims = [(desk.store, 0.0), (desk.other, 0.1), (desk.other, 0.35), (desk.store, 0.7), (desk.other, 0.9)]
    taken = [len(store.claim_deliveries(NOW + seconds(at), paces=paces, limit=50)) for store, at in claims]
    assert taken == [2, 0, 2, 2, 0]  # evenly within the second
    assert [len(desk.claim(NOW + seconds(at), paces)) for at in (1.01, 1.04)] == [0, 2]


def test_a_held_chat_delays_no_other(desk: Desk) -> None:
    paces = {**PACES, "second": ChatPace("telegram:2")}
    desk.alert(1, channels=("main", "second"))
    desk.store.open_chats(paces, NOW)
    kicked, other = desk.claim(NOW, paces)
    assert (kicked.channel, other.channel) == ("main", "second")
    for claim, outcome in ((kicked, Outcome(OutcomeKind.HOLD_CHAT, "the bot was kicked")), (other, SENT)):
        desk.store.settle(claim, desk.settlement(claim, outcome, NOW), NOW)
    desk.alert(2, channels=("main", "second"))
    assert [claim.channel for claim in desk.claim(NOW + seconds(3), paces)] == ["second"]
    held = {chat.chat_key: chat for chat in desk.store.chats()}["telegram:1"]
    assert held.hold_reason == "the bot was kicked" and held.queued == 2
    desk.store.resume_chat("main", NOW + seconds(3))
    assert [claim.channel for claim in desk.claim(NOW + seconds(3), paces)] == ["main"]


def test_what_waits_is_counted_before_anybody_has_claimed_it(desk: Desk) -> None:
    desk.store.open_chats(PACES, NOW)
    desk.alert(1)
    desk.alert(2)
    assert [(chat.chat_key, chat.queued) for chat in desk.store.chats()] == [("telegram:1", 2)]
    desk.claim(NOW)
    counted = {chat.chat_key: (chat.queued, chat.in_flight) for chat in desk.store.chats()}
    assert counted["telegram:1"] == (1, "sending")


def test_too_many_requests_hold_the_chat_for_as_long_as_the_server_says(desk: Desk) -> None:
    desk.alert(1)
    desk.alert(2)
    desk.deliver(NOW, Outcome(OutcomeKind.RETRY, "429", retry_after=30))
    assert desk.claim(NOW + seconds(29)) == []
    again = desk.deliver(NOW + seconds(32))
    assert again[0].attempt == 2
    assert desk.store.chats()[0].hold_until is None


def test_an_unknown_send_blocks_its_chat_and_is_made_again_after_the_quarantine(desk: Desk) -> None:
    desk.alert(1)
    desk.alert(2)
    claim = desk.deliver(NOW, Outcome(OutcomeKind.UNKNOWN, "timeout"))[0]
    assert desk.claim(NOW + seconds(74)) == []
    again = desk.claim(NOW + seconds(120))
    assert [(one.id, one.attempt, one.unknowns) for one in again] == [(claim.id, 2, 1)]


def test_what_was_lost_goes_before_what_is_urgent_elsewhere(desk: Desk) -> None:
    paces = {f"c{n}": ChatPace(f"telegram:{n}", 1.0, 20, "bot", 3) for n in range(4)}
    _, slow = desk.alert(1, channels=("c0",), priority=2)
    claim = desk.claim(NOW, paces)[0]
    lost = desk.settlement(claim, Outcome(OutcomeKind.UNKNOWN, "timeout"), NOW)
    desk.store.settle(claim, lost, NOW)
    _, urgent = desk.alert(2, channels=("c0",), priority=0)
    for number in range(1, 4):
        desk.alert(2 + number, channels=(f"c{number}",), priority=0)
    after = NOW + seconds(120)  # the chat waits for it, also with what is urgent: it goes first
    assert [one.message_id for one in desk.claim(after, paces, limit=1)] == [slow]
    assert urgent not in [one.message_id for one in desk.claim(after + seconds(1), paces)]


def test_daemons_that_start_settle_and_claim_at_once_never_bar_each_other(store_url: str) -> None:
    paces = {f"c{n:02}": ChatPace(f"telegram:{n:02}") for n in range(30)}
    desk = Desk(store_url)
    for number in range(8):
        desk.alert(number, channels=tuple(paces))
    desk.store.open_chats(paces, NOW)
    refused = Outcome(OutcomeKind.HOLD_CHAT, "kicked")

    def starts() -> None:
        for turn in range(25):
            desk.other.open_chats(dict(reversed(paces.items())), NOW + seconds(turn))
            desk.other.resume_chats(NOW + seconds(turn))

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(starts)
        for turn in range(25):
            now = NOW + seconds(turn)
            claims = list(reversed(desk.claim(now, paces)))
            outcomes = [SENT if (turn + n) % 3 else refused for n in range(len(claims))]
            ended = [(one, desk.settlement(one, what, now), now) for one, what in zip(claims, outcomes, strict=True)]
            assert all(desk.store.settle_all(ended))
        other.result()
    desk.store.close()
    desk.other.close()


def test_an_expired_lease_leaves_a_send_unknown_and_its_late_answer_still_counts(desk: Desk) -> None:
    _, message = desk.alert(1)
    claim = desk.claim(NOW)[0]
    assert desk.other.release_expired(NOW + seconds(79), retry.QUARANTINE) == 0
    assert desk.other.release_expired(NOW + seconds(81), retry.QUARANTINE) == 1
    failed = Settlement("pending", due_at=NOW, reason="refused")
    assert desk.store.settle(claim, failed, NOW + seconds(82)) is False
    desk.store.settle(claim, Settlement("sent", external_id="5"), NOW + seconds(82))
    assert desk.claim(NOW + timedelta(hours=2)) == []
    assert desk.store.message_rows(message).id == message


def test_an_answer_from_before_another_attempt_changes_nothing(desk: Desk) -> None:
    desk.alert(1)
    old = desk.claim(NOW)[0]
    desk.other.release_expired(NOW + seconds(81), retry.QUARANTINE)
    new = desk.other.claim_deliveries(NOW + seconds(90), paces=PACES, limit=1)[0]
    assert desk.store.settle(old, Settlement("sent", external_id="5"), NOW + seconds(91)) is False
    assert desk.other.settle(new, Settlement("sent", external_id="6"), NOW + seconds(92)) is True


def test_a_restarted_daemon_takes_over_what_it_was_doing(desk: Desk) -> None:
    desk.alert(1)
    claim = desk.claim(NOW)[0]
    assert desk.store.take_over(NOW + seconds(3), retry.QUARANTINE) == 1
    assert desk.claim(NOW + seconds(74)) == []
    assert [one.id for one in desk.claim(NOW + seconds(75))] == [claim.id]


def test_an_edit_waits_for_its_send_and_then_at_least_a_minute_between_two(desk: Desk) -> None:
    story, message = desk.alert(1)
    send = desk.claim(NOW)[0]
    desk.grow(story, 2, "alquds", NOW + seconds(1))
    assert desk.claim(NOW + seconds(5)) == []
    desk.store.settle(send, Settlement("sent", external_id="77"), NOW + seconds(6))
    edit = desk.deliver(NOW + seconds(7))[0]
    assert (edit.operation, edit.external_id, edit.message_id) == (Operation.EDIT, "77", message)
    desk.grow(story, 3, "alarabiya", NOW + seconds(10))
    desk.grow(story, 4, "aljazeera", NOW + seconds(11))
    assert desk.claim(NOW + seconds(60)) == []
    assert len(desk.deliver(NOW + seconds(68))) == 1
    assert desk.claim(NOW + timedelta(hours=1)) == []


def test_an_edit_that_is_asked_for_while_another_is_under_way_keeps_its_distance(desk: Desk) -> None:
    story, _ = desk.alert(1)
    desk.deliver(NOW)
    desk.grow(story, 2, "alquds", NOW + seconds(2))
    edit = desk.claim(NOW + seconds(3))[0]
    desk.grow(story, 3, "alarabiya", NOW + seconds(4))
    desk.store.settle(edit, Settlement("sent", external_id="77"), NOW + seconds(5))
    assert desk.claim(NOW + seconds(64)) == []
    assert len(desk.deliver(NOW + seconds(65))) == 1


def test_an_edit_that_is_tried_again_takes_a_later_one_with_it(desk: Desk) -> None:
    story, _ = desk.alert(1)
    desk.deliver(NOW)
    desk.grow(story, 2, "alquds", NOW + seconds(2))
    edit = desk.claim(NOW + seconds(3))[0]
    desk.grow(story, 3, "alarabiya", NOW + seconds(4))
    lost = retry.settle(edit, Outcome(OutcomeKind.UNKNOWN, "reset"), NOW + seconds(5), Random(1))
    desk.store.settle(edit, lost, NOW + seconds(5))
    assert len(desk.deliver(NOW + seconds(60))) == 1
    assert desk.claim(NOW + timedelta(hours=1)) == []


def test_edits_of_a_message_that_never_left_end_with_it(desk: Desk) -> None:
    story, _ = desk.alert(1)
    send = desk.claim(NOW)[0]
    desk.grow(story, 2, "alquds", NOW + seconds(1))
    refused = retry.settle(send, Outcome(OutcomeKind.REJECTED, "message text is empty"), NOW, Random(1))
    desk.store.settle(send, refused, NOW + seconds(2))
    assert desk.claim(NOW + timedelta(days=1)) == []


def test_a_message_holds_its_story_as_it_now_is(desk: Desk) -> None:
    story, message = desk.alert(1)
    desk.grow(story, 2, "alquds", NOW)
    desk.grow(story, 3, "alquds", NOW)
    desk.grow(story, 4, "alarabiya", NOW)
    rows = desk.store.message_rows(message)
    assert rows.alerts == ((RULE.id, story),)
    shown = [(one.outlet_id, one.key[-1], len(spans)) for one, spans in rows.stories[0].articles]
    assert shown == [("aawsat", "1", 1), ("alquds", "2", 0), ("alarabiya", "4", 0), ("alquds", "3", 0)]
    assert (rows.stories[0].article_count, rows.stories[0].outlet_count) == (4, 3)


def test_a_migrated_chat_is_written_to_at_its_new_id(desk: Desk) -> None:
    desk.alert(1)
    desk.deliver(NOW, Outcome(OutcomeKind.MIGRATED, "upgraded", chat_id="-1009"))
    assert desk.claim(NOW + seconds(2))[0].chat_id == "-1009"


def test_the_operator_hears_of_a_failing_channel_once_and_again_after_it_worked(desk: Desk) -> None:
    paces = {**PACES, "ops": ChatPace("telegram:ops")}
    for number in range(3):
        desk.alert(number)
    kicked = Outcome(OutcomeKind.HOLD_CHAT, "the bot was kicked")

    desk.store.open_chats(paces, NOW)

    def attempt(at: datetime, outcome: Outcome) -> None:
        desk.store.resume_chat("main", at)
        claim = desk.claim(at)[0]
        desk.store.settle(claim, retry.settle(claim, outcome, at, Random(1)), at, operator="ops")

    def told() -> int:
        found = 0
        for claim in desk.claim(NOW + timedelta(days=1), {"ops": paces["ops"]}):
            assert "kicked" in desk.store.message_rows(claim.message_id).text
            desk.store.settle(claim, Settlement("sent", external_id="1"), NOW + timedelta(days=1))
            found += 1
        return found

    attempt(NOW, kicked)
    attempt(NOW + seconds(100), kicked)
    assert [notice.key.startswith("channel/main/") for notice in desk.store.notices()] == [True]
    assert told() == 1
    attempt(NOW + seconds(200), SENT)
    assert desk.store.notices() == []
    attempt(NOW + seconds(300), kicked)
    assert len(desk.store.notices()) == 1


def operator_texts(desk: Desk) -> list[str]:
    with desk.store._reading() as connection:
        told = connection.execute(sa.text("select text from messages where kind = 'operator' order by id"))
        return list(told.scalars())


def test_a_trouble_of_the_whole_bot_is_told_once_and_of_what_still_has_it_when_the_rest_works(desk: Desk) -> None:
    names = [f"c{number}" for number in range(9)]
    paces = {one: replace(PACES["main"], chat_key=f"telegram:{one}") for one in (*names, "ops")}
    desk.store.open_chats(paces, NOW)

    def attempt(at: datetime, outcomes: dict[str, Outcome]) -> list[str]:
        """What the operator is told."""
        desk.store.resume_chats(at)
        before = operator_texts(desk)
        for claim in desk.claim(at, paces):
            outcome = outcomes.get(claim.channel, SENT)
            desk.store.settle(claim, desk.settlement(claim, outcome, at), at, operator="ops")
        return operator_texts(desk)[len(before) :]

    revoked = Outcome(OutcomeKind.STOP, "Unauthorized")
    for number, name in enumerate(names):
        desk.alert(number, (name,))
    (first,) = attempt(NOW, dict.fromkeys((*names, "ops"), revoked))
    assert first.startswith("Channel c0: Unauthorized. Sending is stopped") and len(desk.store.notices()) == 9
    assert attempt(NOW + timedelta(hours=1), dict.fromkeys((*names, "ops"), revoked)) == []
    over, still = attempt(NOW + timedelta(hours=2), {"c7": revoked, "c8": revoked})
    assert over.startswith("Channel c0 works again") and len(desk.store.notices()) == 2
    assert still.startswith("Channel c7: Unauthorized")
    assert attempt(NOW + timedelta(hours=3), {"c7": revoked, "c8": revoked}) == []
    over, still = attempt(NOW + timedelta(hours=4), {"c8": revoked})
    assert over.startswith("Channel c7 works again") and still.startswith("Channel c8: Unauthorized")
    (over,) = attempt(NOW + timedelta(hours=5), {})
    assert over.startswith("Channel c8 works again") and desk.store.notices() == []


def test_operator_messages_go_at_most_once_a_minute_with_all_that_waits(desk: Desk) -> None:
    paces = {"ops": ChatPace("telegram:ops")}
    for number in range(3):
        assert desk.store.add_notice(f"feed/{number}/dead", f"feed {number} is gone", "ops", NOW) is True
    assert desk.store.add_notice("feed/0/dead", "feed 0 is gone", "ops", NOW) is False
    sent = []
    for at in range(200):
        for claim in desk.claim(NOW + seconds(at), paces):
            sent.append((at, desk.store.message_rows(claim.message_id).text))
            desk.store.settle(claim, Settlement("sent", external_id="1"), NOW + seconds(at))
    assert sent == [(0, "feed 0 is gone"), (60, "feed 1 is gone\n\nfeed 2 is gone")]
    assert desk.store.clear_notices("feed/0/", NOW) == 1
    assert [notice.key for notice in desk.store.notices()] == ["feed/1/dead", "feed/2/dead"]


def test_what_waits_for_a_removed_channel_is_kept_and_counted(desk: Desk) -> None:
    desk.alert(1, channels=("main", "gone"))
    assert [claim.channel for claim in desk.claim(NOW)] == ["main"]
    assert desk.store.orphans(["main"]) == {"gone": 1}


def test_a_channel_that_moves_to_another_chat_takes_its_queue_along(desk: Desk) -> None:
    desk.alert(1)
    desk.alert(2)
    desk.deliver(NOW)
    moved = {"main": replace(PACES["main"], chat_key="telegram:new")}
    desk.store.open_chats(moved, NOW)
    assert len(desk.claim(NOW + seconds(2), moved)) == 1


def test_a_clock_set_back_does_not_close_a_chat(desk: Desk) -> None:
    desk.alert(1)
    desk.deliver(NOW)
    back = NOW - timedelta(hours=1)
    desk.alert(2, now=back)
    assert len(desk.claim(back)) == 1


def test_rows_survive_a_process_that_dies_while_it_claims(desk: Desk, tmp_path: Path) -> None:
    desk.alert(1)
    paces = {"main": PACES["main"]}

    class Broken(dict[str, ChatPace]):
        def values(self) -> None:  # type: ignore[override]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.store.claim_deliveries(NOW, paces=Broken(paces), limit=1)
    assert len(desk.claim(NOW)) == 1


def test_a_send_that_may_be_in_the_old_chat_goes_to_the_new_one(desk: Desk) -> None:
    desk.alert(1)
    desk.alert(2)
    desk.deliver(NOW, Outcome(OutcomeKind.UNKNOWN, "timeout"))
    moved = {"main": replace(PACES["main"], chat_key="telegram:new")}
    desk.store.open_chats(moved, NOW)
    assert len(desk.claim(NOW + seconds(2), moved)) == 1  # the one behind it need not wait
    desk.store.release_expired(NOW + timedelta(hours=1), retry.QUARANTINE)
    assert [one.unknowns for one in desk.claim(NOW + timedelta(hours=2), moved)]


@pytest.mark.parametrize("how", ["moved", "migrated"])
def test_an_edit_never_meets_a_post_of_another_chat(desk: Desk, how: str) -> None:
    story, _ = desk.alert(1)
    desk.deliver(NOW)
    paces = PACES
    if how == "moved":
        paces = {"main": replace(PACES["main"], chat_key="telegram:new")}
        desk.store.open_chats(paces, NOW)
    else:
        desk.alert(2)
        desk.deliver(NOW + seconds(2), Outcome(OutcomeKind.MIGRATED, "upgraded", chat_id="-1009"))
        desk.deliver(NOW + seconds(4))
    desk.grow(story, 3, "alquds", NOW + seconds(5))
    desk.alert(4, now=NOW + seconds(5))
    claims = desk.claim(NOW + seconds(8), paces)
    assert [claim.operation for claim in claims] == [Operation.SEND]
    assert desk.store.count_deliveries("edit", "dead") == 1


@pytest.mark.parametrize("when", ["before the move", "after it", "after it, behind another outlet"])
def test_an_alert_that_only_an_edit_would_tell_is_posted_anew_where_the_channel_moved(desk: Desk, when: str) -> None:
    story, message = desk.alert(1)
    desk.deliver(NOW)
    paces = {"main": replace(PACES["main"], chat_key="telegram:new")}
    if when == "before the move":
        desk.join(story, 2, NOW + seconds(5))
        desk.store.open_chats(paces, NOW + seconds(6))
    else:
        desk.store.open_chats(paces, NOW)
        if "outlet" in when:
            desk.grow(story, 3, "sada", NOW + seconds(5))
        desk.join(story, 2, NOW + seconds(4))  # a poll that began before the other
    (claim,) = desk.claim(NOW + seconds(8), paces)
    assert (claim.operation, claim.message_id) == (Operation.SEND, message)
    told = desk.store.message_rows(message)
    assert [rule for rule, _ in told.alerts] == ["shahed", "port"]
    desk.store.settle(claim, desk.settlement(claim, SENT, NOW + seconds(9)), NOW + seconds(9))
    desk.grow(story, 4, "nida", NOW + seconds(10))
    assert [one.operation for one in desk.claim(NOW + seconds(12), paces)] == [Operation.EDIT], "it lives on there"
    assert desk.store.count_deliveries("edit", "dead") == 0


def test_an_edit_that_failed_for_a_while_keeps_the_alert_of_the_one_that_it_absorbs(desk: Desk) -> None:
    story, _ = desk.alert(1)
    desk.deliver(NOW)
    desk.grow(story, 3, "sada", NOW + seconds(5))
    (edit,) = desk.claim(NOW + seconds(6))
    desk.join(story, 2, NOW + seconds(7))
    later = Outcome(OutcomeKind.RETRY, "429", retry_after=5)
    desk.store.settle(edit, desk.settlement(edit, later, NOW + seconds(8)), NOW + seconds(8))
    paces = {"main": replace(PACES["main"], chat_key="telegram:new")}
    desk.store.open_chats(paces, NOW + seconds(9))
    assert [one.operation for one in desk.claim(NOW + seconds(60), paces)] == [Operation.SEND]


def test_a_start_tries_held_chats_again_but_never_before_the_time_a_server_named(desk: Desk) -> None:
    paces = {**PACES, "second": ChatPace("telegram:2")}
    desk.store.open_chats(paces, NOW)
    desk.alert(1, channels=("main", "second"))
    for claim in desk.claim(NOW, paces):
        asked = Outcome(OutcomeKind.RETRY, "429", retry_after=600)
        outcome = asked if claim.channel == "main" else Outcome(OutcomeKind.STOP, "Unauthorized")
        desk.store.settle(claim, retry.settle(claim, outcome, NOW, Random(1)), NOW)
    assert desk.claim(NOW + seconds(60), paces) == []
    desk.store.resume_chats(NOW + seconds(60))
    assert [claim.channel for claim in desk.claim(NOW + seconds(60), paces)] == ["second"]


def test_the_operator_hears_that_a_channel_cannot_be_reached_and_that_it_is_over(desk: Desk) -> None:
    paces = {**PACES, "ops": ChatPace("telegram:ops")}
    desk.alert(1)
    at = NOW
    for number in range(9):
        claim = desk.claim(at)[0]
        lost = Outcome(OutcomeKind.RETRY, f"no connection: {number}")
        desk.store.settle(claim, retry.settle(claim, lost, at, Random(1)), at, operator="ops")
        at += timedelta(minutes=15)
    claim = desk.claim(at)[0]
    desk.store.settle(claim, retry.settle(claim, SENT, at, Random(1)), at, operator="ops")
    told = []
    for minute in range(5):
        for notice in desk.claim(at + timedelta(minutes=minute), {"ops": paces["ops"]}):
            told.append(desk.store.message_rows(notice.message_id).text)
            desk.store.settle(notice, Settlement("sent", external_id="1"), at + timedelta(minutes=minute))
    assert len(told) == 2
    assert "no connection" in told[0] and "works again" in told[1]


def test_a_channel_that_works_again_ends_no_trouble_of_one_whose_name_differs_in_case(desk: Desk) -> None:
    paces = PACES | {"Main": ChatPace("telegram:2")}
    desk.alert(1, channels=("Main",))
    (held,) = desk.claim(NOW, paces)
    kicked = Outcome(OutcomeKind.HOLD_CHAT, "the bot was kicked")
    desk.store.settle(held, desk.settlement(held, kicked, NOW), NOW)
    desk.alert(2)
    desk.deliver(NOW + seconds(5))
    assert [one.key for one in desk.store.notices()] == ["channel/Main/trouble/held/the bot was kicked"]


@pytest.mark.parametrize("kind", [OutcomeKind.REJECTED, OutcomeKind.HOLD_CHAT])
def test_a_refusal_that_numbers_its_words_is_told_once(desk: Desk, kind: OutcomeKind) -> None:
    """A thousand messages that a receiver refuses would else keep all other words from the operator for a day."""
    for number in range(5):
        desk.alert(number)
    for number in range(4):
        words = f'https://in.example answered 403: {{"request":"a{number}f-{7 * number}c9","at":"12:0{number}"}}'
        assert desk.deliver(NOW + timedelta(hours=8 * number), Outcome(kind, words)) != []
    assert len(desk.store.notices()) == 1
    assert desk.deliver(NOW + timedelta(hours=40), Outcome(kind, "another reason")) != []
    assert len(desk.store.notices()) == 2


def test_a_clock_put_back_delays_no_delivery(desk: Desk) -> None:
    ahead = NOW + timedelta(hours=5)
    desk.alert(1, now=ahead)
    desk.alert(2, now=ahead)
    desk.deliver(ahead, Outcome(OutcomeKind.RETRY, "no connection"))
    claim = desk.claim(NOW)[0]
    desk.store.settle(claim, retry.settle(claim, SENT, NOW, Random(1)), NOW)
    assert len(desk.claim(NOW + seconds(3))) == 1


def test_an_attempt_of_the_future_is_quarantined_from_now(desk: Desk) -> None:
    ahead = NOW + timedelta(hours=5)
    desk.alert(1, now=ahead)
    desk.deliver(ahead, Outcome(OutcomeKind.UNKNOWN, "timeout"))
    desk.store.release_expired(NOW, retry.QUARANTINE)
    assert desk.claim(NOW + seconds(74)) == []
    assert len(desk.claim(NOW + seconds(76))) == 1


def test_a_chat_that_its_server_holds_waits_as_long_as_it_was_asked_when_the_clock_is_put_back(desk: Desk) -> None:
    desk.alert(1)
    desk.deliver(NOW + timedelta(hours=6), Outcome(OutcomeKind.RETRY, "429", retry_after=30))
    sent = []
    for at in range(1, 60):
        desk.store.release_expired(NOW + seconds(at), retry.QUARANTINE)
        sent += [at for _ in desk.deliver(NOW + seconds(at))]
    assert len(sent) == 1 and 31 <= sent[0] <= 33


def test_a_clock_put_back_delays_no_word_to_the_operator(desk: Desk) -> None:
    paces = {"ops": ChatPace("telegram:ops")}
    ahead = NOW + timedelta(hours=5)
    for number in range(2):  # one is sent, one would wait a minute
        desk.store.add_notice(f"feed/{number}/dead", f"feed {number} is gone", "ops", ahead)
    desk.store.settle(desk.claim(ahead, paces)[0], Settlement("sent", external_id="1"), ahead)
    desk.store.add_notice("feed/2/dead", "feed 2 is gone", "ops", NOW)
    for _ in range(2):
        desk.store.settle(desk.claim(NOW, paces)[0], Settlement("sent", external_id="1"), NOW)


def test_what_several_daemons_saw_is_told_by_one(desk: Desk) -> None:
    assert desk.store.tell_once("it was gone for a while", "ops", NOW)
    assert not desk.other.tell_once("it was gone for a while", "ops", NOW + seconds(2))
    assert desk.other.tell_once("it was gone for a while", "ops", NOW + timedelta(hours=1))
    assert desk.other.tell_once("it was gone for a while", "ops", NOW - timedelta(hours=1))  # the clock was put back
    assert desk.store.notices() == []


def test_a_lease_of_the_future_ends_like_one_that_begins_now(desk: Desk) -> None:
    ahead = NOW + timedelta(hours=5)
    desk.alert(1, now=ahead)
    desk.claim(ahead)
    assert desk.store.release_expired(NOW, retry.QUARANTINE) == 0
    assert desk.store.release_expired(NOW + seconds(81), retry.QUARANTINE) == 1


@pytest.mark.parametrize("kind", [OutcomeKind.UNSENT, OutcomeKind.PLAIN])
def test_what_goes_at_once_is_not_passed_over_by_a_daemon_whose_clock_is_a_moment_behind(
    desk: Desk, kind: OutcomeKind
) -> None:
    paces = {"main": ChatPace("telegram:1")}
    desk.alert(1)
    desk.alert(2)
    claim = desk.claim(NOW, paces)[0]
    desk.store.settle(claim, retry.settle(claim, Outcome(kind), NOW + seconds(5), Random(1)), NOW + seconds(5))
    again = desk.other.claim_deliveries(NOW + seconds(4.9), paces=paces, limit=1)
    assert [one.id for one in again] == [claim.id]


def test_the_pace_of_a_chat_counts_from_the_end_of_an_attempt(desk: Desk) -> None:
    desk.alert(1)
    desk.alert(2)
    claim = desk.claim(NOW)[0]
    desk.store.settle(claim, Settlement("sent", external_id="1"), NOW + seconds(3))
    assert desk.claim(NOW + seconds(3.9)) == []
    assert desk.other.claim_deliveries(NOW + seconds(2.9), paces=PACES, limit=1) == []  # a clock a moment behind
    assert len(desk.claim(NOW + seconds(4))) == 1


def test_a_claim_that_begins_late_is_renewed_and_one_that_is_lost_is_not(desk: Desk) -> None:
    desk.alert(1)
    claim = desk.claim(NOW)[0]
    assert not retry.begins_late(claim, NOW + seconds(4)) and retry.begins_late(claim, NOW + seconds(6))
    renewed = desk.store.renew(claim, NOW + seconds(6))
    assert renewed is not None and renewed.started == NOW + seconds(6)
    assert desk.store.renew(claim, NOW + seconds(7)) is None and desk.other.renew(renewed, NOW + seconds(7)) is None
    assert desk.other.release_expired(NOW + seconds(85), retry.QUARANTINE) == 0
    assert desk.store.settle(renewed, Settlement("sent", external_id="1"), NOW + seconds(85)) is True

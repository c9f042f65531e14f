"""What retention removes, and what it never does."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from monitor.errors import StoreError
from monitor.model import Decision, Placement, RuleMatch, Verdict
from monitor.model_delivery import Settlement
from monitor.store import dialect
from monitor.store.store import Store
from tests.test_store_outbox import NOW, PACES, RULE, Desk, article, desk

__all__ = ["desk"]
LATER = NOW + timedelta(days=400)
KEEP = timedelta(days=180)


def counts(store: Store) -> dict[str, int]:
    return {name: number for name, number in store.info().rows.items() if number}


def test_a_delivered_story_goes_with_everything_about_it(desk: Desk) -> None:
    desk.alert(1)
    desk.deliver(NOW)
    assert desk.store.index_pending(str, 10) == 1
    assert desk.store.prune(NOW + timedelta(days=179), KEEP).articles == 0
    report = desk.store.prune(LATER, KEEP)
    assert (report.articles, report.stories, report.hits, report.alerts, report.messages) == (1, 1, 1, 1, 1)
    left = counts(desk.store)
    assert {"articles", "stories", "hits", "alerts", "messages", "deliveries"} & set(left) == set()
    assert left["gone_keys"] == 1


def test_a_removed_article_never_comes_back_as_new(desk: Desk) -> None:
    desk.alert(1)
    desk.deliver(NOW)
    desk.store.prune(LATER, KEEP)
    again = replace(article(1, "aawsat"), content_hash="changed")
    assert desk.store.unseen([again]) == []
    with desk.store.intake(LATER) as tx:
        assert tx.novelty(again).kind == "same"


@pytest.mark.parametrize("state", ["pending", "unknown", "sending"])
def test_what_may_still_be_sent_stays(desk: Desk, state: str) -> None:
    desk.alert(1)
    if state != "pending":
        claim = desk.claim(NOW)[0]
        if state == "unknown":
            desk.store.settle(claim, Settlement("unknown", due_at=LATER), NOW)
    assert desk.store.prune(LATER, KEEP).stories == 0
    assert counts(desk.store)["deliveries"] == 1


def test_a_held_hit_keeps_its_story(desk: Desk) -> None:
    with desk.store.intake(NOW) as tx:
        story = tx.open_story(NOW)
        one = tx.add_article(article(1, "aawsat"), story, Placement(None, "new"), False)
        tx.add_hit(RULE, one, story, RuleMatch(RULE.id, ()), Verdict(Decision.HELD, "too_few_outlets"), NOW)
    assert desk.store.prune(LATER, KEEP).stories == 0


def test_many_stories_go_in_batches_that_are_told(desk: Desk) -> None:
    for number in range(7):
        with desk.store.intake(NOW) as tx:
            tx.add_article(article(number, "aawsat"), tx.open_story(NOW), Placement(None, "new"), False)
    told: list[int] = []
    desk.store.prune(LATER, KEEP, batch=3, progress=lambda so_far: told.append(so_far.articles))
    assert told == [3, 6, 7, 7]  # the last step forgets old keys
    assert desk.claim(LATER, PACES) == []


def test_a_database_that_another_program_holds_at_the_end_of_pruning_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialect, "_BUSY_MS", 100)
    path = tmp_path / "rasid.db"
    with closing(Store.open(f"sqlite:///{path}", owner="one")) as store:
        for number in range(3):
            with store.intake(NOW) as tx:
                tx.add_article(article(number, "aawsat"), tx.open_story(NOW), Placement(None, "new"), False)
        steps = store.prune_steps(LATER, KEEP)
        next(steps)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            ended: list[object] = []

            def hold(*_: object) -> None:
                ended.append(None)
                if len(ended) == 2:  # after the last step's removal, before space is given back
                    other.execute("BEGIN IMMEDIATE")

            sa.event.listen(store._engine, "checkin", hold)
            with pytest.raises(StoreError, match="another program holds it"):
                next(steps)

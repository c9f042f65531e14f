"""The judge of the soak finds what it is there to find; and a small soak, whole."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from random import Random
from types import MappingProxyType

import pytest

from monitor.delivery import retry
from monitor.model_delivery import Outcome, OutcomeKind
from tests import soak_judge
from tests.delivery_soak import _article
from tests.soak_judge import Verdict, fails, judge
from tests.test_store_outbox import NOW, Desk, seconds

CHATS = {"main": {-100}}
NOBODY: Mapping[int, int] = MappingProxyType({})


def delivered(number: int, message_id: int, at: float) -> dict[str, object]:
    text = _article(number, "anba", NOW).title
    return {"event": "delivered", "chat": -100, "message_id": message_id, "text": text, "at": at}


def acknowledged(message_id: int, at: float) -> dict[str, object]:
    return {"event": "acknowledged", "chat": -100, "message_id": message_id, "at": at}


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Two alerts: the first sent as message 2 after an unknown attempt, the second as message 3."""
    monkeypatch.setattr("tests.test_store_outbox.article", lambda number, outlet: _article(number, outlet, NOW))
    url = f"sqlite:///{tmp_path / 'rasid.db'}"
    desk = Desk(url)
    desk.alert(1)
    desk.alert(2)
    steps = [(0, Outcome(OutcomeKind.UNKNOWN, "reset")), (200, Outcome(OutcomeKind.SENT, external_id="2"))]
    for at, outcome in [*steps, (300, Outcome(OutcomeKind.SENT, external_id="3"))]:
        for claim in desk.claim(NOW + seconds(at)):
            settled = retry.settle(claim, outcome, NOW + seconds(at), Random(1))
            desk.store.settle(claim, settled, NOW + seconds(at))
    desk.store.close()
    desk.other.close()
    return url


def verdict(
    database: str, tmp_path: Path, *events: dict[str, object], audit: bool = False, cut_off: Mapping[int, int] = NOBODY
) -> Verdict:
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text("".join(json.dumps(one) + "\n" for one in events), encoding="utf-8")
    return judge(database, ledger, CHATS, cut_off, set(), audit)


FIRST = (delivered(1, 1, 0.0),)  # its answer was lost
SECOND = (delivered(1, 2, 200.0), acknowledged(2, 200.0))
OTHER = (delivered(2, 3, 300.0), acknowledged(3, 300.0))


def test_a_duplicate_whose_answer_was_lost_is_explained_and_with_an_audit_chat_forbidden(
    database: str, tmp_path: Path
) -> None:
    found = verdict(database, tmp_path, *FIRST, *SECOND, *OTHER)
    assert (found.duplicates, found.duplicates_unexplained, found.committed_answer_lost) == (1, 0, 1)
    assert fails(found, audit=False) == []
    audited = verdict(database, tmp_path, *FIRST, *SECOND, *OTHER, audit=True)
    assert fails(audited, audit=True) == ["duplicates_unexplained", "duplicates"]


def test_a_duplicate_that_was_answered_is_not_explained(database: str, tmp_path: Path) -> None:
    found = verdict(database, tmp_path, *FIRST, acknowledged(1, 0.0), *SECOND, *OTHER)
    assert fails(found, audit=False) == ["duplicates_unexplained"]
    killed = verdict(database, tmp_path, *FIRST, acknowledged(1, 0.0), *SECOND, *OTHER, cut_off={1: 1})
    assert fails(killed, audit=False) == []  # its daemon died before it could write the answer down


def test_what_is_missing_or_strange_or_out_of_order_is_found(database: str, tmp_path: Path) -> None:
    assert fails(verdict(database, tmp_path, *SECOND), audit=False) == ["lost", "unmatched"]
    stranger = delivered(9, 4, 1.0)
    assert fails(verdict(database, tmp_path, *SECOND, *OTHER, stranger), audit=False) == ["unmatched"]
    early = (delivered(2, 3, 100.0), acknowledged(3, 100.0))
    assert fails(verdict(database, tmp_path, *early, *SECOND), audit=False) == ["out_of_order"]
    flood: dict[str, object] = {"event": "flood", "chat": None}
    paced = verdict(database, tmp_path, *SECOND, *OTHER, flood)
    assert fails(paced, audit=False) == ["paced_429 > 1 per 1,000 sends"]


@pytest.mark.soak
@pytest.mark.parametrize("more", [["--database", "sqlite"], ["--database", "postgres"], ["--audit"]])
def test_a_small_soak_keeps_every_promise(more: list[str]) -> None:
    asked = ["--only", "delivery", "--alerts", "300", "--kills", "12", "--seed", "5", "--json", *more]
    done = subprocess.run(
        [sys.executable, "-m", "tests.delivery_soak", *asked],
        cwd=Path(soak_judge.__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert json.loads(done.stdout)["failed"] == []

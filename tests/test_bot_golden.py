"""The bot's answers as people read them, in Arabic and English: golden texts, in tests/__snapshots__."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.arabic.tokens import index_text
from tests.talk import EDITOR, OWNER, READER, Talk, talking
from tests.test_bot import strike

ASKED = (
    (READER, "/help"),
    (OWNER, "/status"),
    (READER, "/rules"),
    (READER, "/rules الميناء"),
    (READER, "/rule port"),
    (READER, "/rule prot"),
    (READER, "/hits"),
    (READER, "/hits shahed"),
    (READER, "/find أوديسا كييف"),
    (READER, "/find"),
    (READER, "/test إسقاط طائرة شاهد\nسقط حطام طائرة من طراز شاهد على الميناء Odessa-7 فجر اليوم."),
    (READER, "/test نتائج مباريات اليوم"),
    (EDITOR, "/silence port 6h أعمال صيانة"),
    (EDITOR, "/silence story 1 2d"),
    (READER, "/silence"),
    (READER, "/silence port 6h"),
    (EDITOR, "/silence"),
    (EDITOR, "/silence port"),
    (EDITOR, "/silence port 0h"),
    (EDITOR, "/silence story 99 2d"),
    (EDITOR, "/silence outlet aa 2d"),
    (EDITOR, "/help"),
    (EDITOR, "/silence end 1"),
    (READER, "/follow shahed"),
    (READER, "/follow quiet"),
    (READER, "/following"),
    (READER, "/unfollow shahed"),
    (READER, "/start"),
    (READER, "صباح الخير"),
    (READER, "/nothing"),
    (OWNER, "/audit"),
)


async def _told(talk: Talk, language: str) -> str:
    strike(talk)
    await talk.deliver()
    strike(talk, "b")
    talk.desk.flow.store.index_pending(index_text)
    transcript = []
    for person, text in ASKED:
        talk.desk.at += 1
        answers = await talk.say(person, text, language)
        transcript += [f"» {text}", *answers, ""]
    talk.desk.at += 1
    before = len(talk.said(READER))
    for name, data in talk.buttons().items():
        popups = await talk.press(READER if name == "المزيد" else EDITOR, data, language)
        transcript += [f"[{name}]", *popups, ""]
    transcript += ["» المزيد", *talk.said(READER)[before:]]
    return "\n".join(transcript)


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_the_answers_read_well(tmp_path: Path, language: str, snapshot: SnapshotAssertion) -> None:
    async with talking(f"sqlite:///{tmp_path / 'rasid.db'}", tmp_path) as talk:
        assert await _told(talk, language) == snapshot

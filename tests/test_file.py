"""The file channel: whole lines, on the disk before they count, through whatever happens to the file."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.delivery.file import FileTransport
from monitor.delivery.transports import build
from monitor.errors import DeliveryError
from monitor.model_delivery import Channel, DeliveryClaim, Operation, OutcomeKind, Rendered

NEWS = Rendered("أوكرانيا: هجوم بمسيّرات شاهد", "<b>…</b>", data={"kind": "story", "severity": "high"})


def claim(number: int = 1, operation: Operation = Operation.SEND, external_id: str | None = None) -> DeliveryClaim:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    return DeliveryClaim(number, 7, "record", operation, "file:1", 1, False, external_id, None, now)


def transport(path: Path) -> FileTransport:
    return FileTransport(Channel("record", "file", options={"path": str(path)}))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


async def test_each_delivery_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    record = transport(path)
    sent = await record.deliver(claim(), NEWS)
    assert (sent.kind, sent.external_id) == (OutcomeKind.SENT, "7")
    await record.deliver(claim(2, Operation.EDIT, "7"), NEWS)
    first, edit = lines(path)
    assert first["text"] == NEWS.text and first["severity"] == "high" and first["message_id"] == 7
    assert [one["event"] for one in (first, edit)] == ["send", "edit"]
    assert [one["delivery_id"] for one in (first, edit)] == [1, 2]
    assert path.stat().st_mode & 0o007 == 0, "nobody else reads it"


async def test_a_line_that_a_crash_cut_off_is_ended_and_a_moved_file_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_text('{"event": "se', "utf-8")
    record = transport(path)
    await record.deliver(claim(), NEWS)
    assert path.read_text("utf-8").startswith('{"event": "se\n{"event":"send"')
    path.rename(tmp_path / "old")
    await record.deliver(claim(2), NEWS)
    assert [one["delivery_id"] for one in lines(path)] == [2]


async def test_what_cannot_be_written_waits_and_says_why(tmp_path: Path) -> None:
    missing = await transport(tmp_path / "no" / "alerts.jsonl").deliver(claim(), NEWS)
    assert missing.kind is OutcomeKind.RETRY and "No such file or directory" in missing.detail
    assert (await transport(tmp_path).deliver(claim(), NEWS)).kind is OutcomeKind.RETRY
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    refused = await transport(pipe).deliver(claim(), NEWS)
    assert refused.kind is OutcomeKind.RETRY and "is not a file" in refused.detail


def test_a_line_that_a_full_disk_cut_off_is_taken_back(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk."""
    path = tmp_path / "alerts.jsonl"
    path.write_text('{"event":"send"}\n', "utf-8")
    program = (
        "import asyncio, pathlib, resource, signal, sys\n"
        "from tests.test_file import NEWS, claim, transport\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60, 60))\n"
        "print(asyncio.run(transport(pathlib.Path(sys.argv[1])).deliver(claim(), NEWS)).kind.value)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "retry\n" and path.read_text("utf-8") == '{"event":"send"}\n'


async def test_processes_that_share_a_file_write_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    writers = [transport(path) for _ in range(4)]

    async def write(first: int) -> None:
        for number in range(first, 80, 4):
            await writers[first].deliver(claim(number), NEWS)

    await asyncio.gather(*map(write, range(4)))
    assert sorted(one["delivery_id"] for one in lines(path)) == list(range(80))


async def test_the_diagnosis_names_what_is_wrong(tmp_path: Path) -> None:
    good = await transport(tmp_path / "alerts.jsonl").diagnose(NEWS)
    assert all(one.ok for one in good) and lines(tmp_path / "alerts.jsonl")[0]["event"] == "test"
    (missing,) = await transport(tmp_path / "no" / "alerts.jsonl").diagnose()
    assert not missing.ok and "mkdir -p" in missing.mend
    (folder,) = await transport(tmp_path).diagnose()
    assert not folder.ok and "cannot be written" in folder.what


def test_it_is_built_from_its_path() -> None:
    built = build(Channel("record", "file", options={"path": "data/alerts.jsonl"}), {})
    assert built.pace.chat_key == "file:data/alerts.jsonl"
    with pytest.raises(DeliveryError, match="give `path`"):
        build(Channel("record", "file"), {})

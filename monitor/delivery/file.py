"""A file of JSON lines, one for each delivery: a record that other programs follow, and that survives all else.

A line is on the disk before its delivery counts as sent. After a crash the same delivery may stand there twice, with
the same delivery_id. The file may be moved away at any time; the next line begins a new one.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import stat
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from monitor.delivery import aside
from monitor.delivery.aside import Aside
from monitor.delivery.transports import LONGEST_TEXT, Check
from monitor.errors import DeliveryError
from monitor.model_delivery import Channel, ChatPace, DeliveryClaim, Outcome, OutcomeKind, Rendered


class FileTransport:
    """Appends to one file. Processes that share it write whole lines, one after the other."""

    def __init__(self, channel: Channel) -> None:
        self._name = channel.name
        given = str(channel.options.get("path") or "")
        if not given:
            raise DeliveryError(f"channel {channel.name}: give `path` in channels.yaml, like data/alerts.jsonl")
        self._path = Path(given)
        self._aside = Aside()
        self.limit = LONGEST_TEXT
        self.pace = ChatPace(chat_key=f"file:{self._path}")

    def __repr__(self) -> str:
        return f"FileTransport({self._name!r}, {str(self._path)!r})"

    async def deliver(self, claim: DeliveryClaim, rendered: Rendered) -> Outcome:
        """Append {event, delivery_id, message_id, attempt, at, text, …data}, aside: a disk may be slow, or gone."""
        if self._aside.busy:
            return Outcome(OutcomeKind.RETRY, f"{self._path}: the line before is not written yet")
        line = {
            "event": claim.operation.value,
            "delivery_id": claim.id,
            "message_id": claim.message_id,
            "attempt": claim.attempt,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "text": rendered.text,
            **rendered.data,
        }
        try:
            async with asyncio.timeout(aside.PATIENCE):
                await self._aside.run(partial(self._append, line))
        except TimeoutError:
            return Outcome(OutcomeKind.UNKNOWN, f"{self._path}: the line was not written in time")
        except OSError as error:
            return Outcome(OutcomeKind.RETRY, f"{self._path}: {error.strerror or type(error).__name__}")
        return Outcome(OutcomeKind.SENT, external_id=claim.external_id or f"{claim.message_id}")

    def _append(self, line: dict[str, object]) -> None:
        """Write the line whole or not at all: what a full disk cut off is taken back, what a crash left is ended."""
        body = json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=str).encode() + b"\n"
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o640)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise OSError(0, "is not a file")
            fcntl.flock(file, fcntl.LOCK_EX)
            size = os.fstat(file).st_size
            if size and os.pread(file, 1, size - 1) != b"\n":
                body = b"\n" + body
            try:
                if os.write(file, body) != len(body):
                    raise OSError(0, "the disk is full")
                os.fsync(file)
            except OSError:
                os.ftruncate(file, size)
                raise
        finally:
            os.close(file)

    async def diagnose(self, sample: Rendered | None = None) -> list[Check]:
        """Whether the file can be written; the sample becomes a line with the event "test"."""
        folder = self._path.parent
        if not folder.is_dir():
            return [Check(False, f"there is no folder {folder}", f"Make it: mkdir -p {folder}")]
        exists = self._path.exists()
        if not os.access(self._path if exists else folder, os.W_OK) or (exists and not self._path.is_file()):
            return [Check(False, f"{self._path} cannot be written", "Let Rasid's user write it, or name another file.")]
        checks = [Check(True, f"alerts are appended to {self._path}")]
        if sample is not None:
            try:
                await self._aside.run(partial(self._append, {"event": "test", "text": sample.text}))
            except OSError as error:
                return [Check(False, f"{self._path}: {error.strerror}", "Is the disk full?")]
        return checks

    async def close(self) -> None:
        """Nothing is held open between lines."""
        return

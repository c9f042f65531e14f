"""A channel whose write hangs keeps nobody else waiting: neither other channels, nor the matcher, nor a stop."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from monitor.delivery.transports import Transport, build
from monitor.model_delivery import Channel, DeliveryClaim, Operation, OutcomeKind, Rendered

NEWS = Rendered("أوكرانيا: هجوم بمسيّرات شاهد", None)
MORE_THAN_THE_LOOP_HAS = 40  # threads


def claim(number: int = 1) -> DeliveryClaim:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    return DeliveryClaim(number, number, "x", Operation.SEND, "x", 1, False, None, None, now)


@contextmanager
def a_terminal_that_somebody_stopped(folder: Path) -> Iterator[tuple[Transport, Callable[[], str]]]:
    """A pipe that is full. (the channel, what is read when somebody reads again)"""
    read, write = os.pipe()
    os.set_blocking(write, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write, b"\n" * 65536)
    os.set_blocking(write, True)
    with os.fdopen(write, "w", encoding="utf-8") as screen, os.fdopen(read, "rb", buffering=0) as reader:
        console = Console(file=screen)

        def resumed() -> str:
            found = b""
            while NEWS.text not in found.decode("utf-8", "replace"):
                found += reader.read(65536)
            return found.decode("utf-8").strip()

        yield build(Channel("x", "console"), {}, on_console=console), resumed
        os.set_blocking(read, False)
        with contextlib.suppress(TypeError):
            while reader.read(65536):
                pass


@contextmanager
def a_file_that_another_program_holds(folder: Path) -> Iterator[tuple[Transport, Callable[[], str]]]:
    """(the channel, what stands there when the other one lets go)"""
    path = folder / "alerts.jsonl"
    with path.open("w", encoding="utf-8") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        def released() -> str:
            fcntl.flock(other, fcntl.LOCK_UN)
            while not path.read_text(encoding="utf-8").endswith("\n"):
                pass
            return path.read_text(encoding="utf-8").strip()

        yield build(Channel("x", "file", options={"path": str(path)}), {}), released
        fcntl.flock(other, fcntl.LOCK_UN)


@pytest.mark.parametrize("hangs", [a_terminal_that_somebody_stopped, a_file_that_another_program_holds])
async def test_a_channel_that_hangs_holds_one_thread_of_its_own(
    hangs: Callable[[Path], contextlib.AbstractContextManager[tuple[Transport, Callable[[], str]]]], tmp_path: Path
) -> None:
    before = threading.active_count()
    with hangs(tmp_path) as (channel, goes_on):
        outcomes = []
        for number in range(1, MORE_THAN_THE_LOOP_HAS):
            with contextlib.suppress(TimeoutError):
                outcomes.append(await asyncio.wait_for(channel.deliver(claim(number), NEWS), 0.05))
        async with asyncio.timeout(5):
            await asyncio.to_thread(int)  # where names are looked up and articles matched
        assert threading.active_count() <= before + 2
        assert {one.kind for one in outcomes} == {OutcomeKind.RETRY} and len(outcomes) == MORE_THAN_THE_LOOP_HAS - 2
        assert goes_on().count(NEWS.text) == 1
        async with asyncio.timeout(5):
            while (await channel.deliver(claim(99), NEWS)).kind is OutcomeKind.RETRY:
                await asyncio.sleep(0.01)

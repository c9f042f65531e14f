"""Work that may hang for ever, like a write to a terminal that somebody stopped, or to a disk that went away.

The law: it gets a thread of its own, never one of those that the loop shares out: these look up names and match
articles, and once a few of them hang nothing is sent anywhere. Nor does the end of the program wait for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 60.0  # seconds for a write; less than a lease


class Aside:
    """One thread at a time. busy: whether it is still at what it was given; hand it nothing then."""

    def __init__(self) -> None:
        self.busy = False

    async def run(self, work: Callable[[], T]) -> T:
        """What the work brings, or raises. It goes on where nobody waits for it any more."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def tell(result: T | None, error: Exception | None) -> None:
            if done.done():  # given up meanwhile
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)  # type: ignore[arg-type]

        def run() -> None:
            result, failure = None, None
            try:
                result = work()
            except Exception as error:
                failure = error
            self.busy = False
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(tell, result, failure)

        thread = threading.Thread(target=run, daemon=True, name="aside")
        self.busy = True
        try:
            thread.start()
        except RuntimeError:
            self.busy = False
            raise
        return await done

"""What goes wrong while the daemon runs, told once each: in the log, and to the operator's channel if there is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from monitor.arrivals import PollReport
from monitor.errors import StoreError
from monitor.flow import Flow
from monitor.model import Feed, FeedState
from monitor.runtime.logs import log

DEAD_AFTER = 6  # failures in a row, with back-off: an hour or more
NOBODY_ANSWERS = "feeds/none"
MISSED = "missed/"
STORE_AGAIN = timedelta(minutes=10)
PUT_BACK = timedelta(minutes=1)  # by less, clocks are corrected every day
DEMO = "To see Rasid work without a network: rasid demo (in a checkout ./run.sh demo)"


class Troubles:
    """Remembers what was told. answered, failed: how many polls came to that since the start. feeds: polled."""

    def __init__(self, flow: Flow, clock: Callable[[], datetime]) -> None:
        self._flow = flow
        self._clock = clock
        self.answered = 0
        self.failed = 0
        self.feeds = 0
        self._failing: dict[str, str] = {}  # feeds whose last poll failed
        self._unreached: dict[str, str] = {}  # those of them that were not reached since a server last answered
        self._noted: set[tuple[str, str]] = set()  # feed, kind of note
        self._unread: set[tuple[int, str]] = set()  # silences, with what is wrong with their queries
        self._silent = False
        self._store_told: datetime | None = None
        self._store_error = ""  # the first of an outage
        self.store_failing: set[str] = set()  # kinds of work that the database fails

    async def started(self, feeds: Sequence[str]) -> None:
        """Say it where no feed answered when it was last asked: after failures hours may pass until the next poll."""
        self.feeds = len(feeds)
        states = await self._flow.write(self._flow.store.feed_states)
        polled = [states[one] for one in feeds if one in states and states[one].stopped is None]
        if not polled or not all(state.failures for state in polled):
            return
        self._silent = True
        self._failing = {state.feed_id: state.last_error or "" for state in polled}
        self._unreached = dict(self._failing)
        wait = max(min(state.next_due for state in polled) - self._clock(), timedelta(0))
        text = self._silence(f"Rasid asks again, first in {wait / timedelta(minutes=1):.0f} min.")
        if not await self.tell(NOBODY_ANSWERS, text):
            log().warning(text)  # it was told before this start

    async def polled(self, feed: Feed, state: FeedState, report: PollReport) -> None:
        """Note a poll: a feed that stays dead is told, and that no feed at all answers."""
        if report.error is None or report.reached:
            self._unreached.clear()
        if report.error is None:
            self.answered += 1
            self._failing.pop(feed.id, None)
            self._note(feed, report)
            if self._silent or self.answered == 1:  # or it was told before a restart
                self._silent = False
                await self.over(NOBODY_ANSWERS, "Feeds answer again.")
            if state.failures:
                await self.over(f"feed/{feed.id}/", f"Feed {feed.id} ({feed.outlet.name_en}) answers again.")
            return
        self.failed += 1
        first = feed.id not in self._failing
        self._failing[feed.id] = report.error
        told = log().warning if first and not self._silent else log().debug
        told("a feed failed", feed=feed.id, error=report.error, failures=state.failures + 1)
        if not report.reached:
            self._unreached[feed.id] = report.error
        if self._silent or len(self._unreached) >= max(3, self.feeds // 2):  # our own network, more likely than theirs
            await self._nobody_answers()
        elif state.failures + 1 >= DEAD_AFTER or report.gone:
            name = feed.outlet.name_en
            text = f"Feed {feed.id} ({name}) has not answered for a while: {report.error}. Rasid keeps trying."
            if report.gone:
                text = f"Feed {feed.id} ({name}) was closed by its outlet: {report.error}. Remove or replace it."
            await self.tell(f"feed/{feed.id}/dead", text)

    def _note(self, feed: Feed, report: PollReport) -> None:
        """What is odd about a feed that was read all the same: each kind once since the start."""
        for note in report.notes:
            kind = (feed.id, note.partition(":")[0])
            told = log().debug if kind in self._noted else log().info
            self._noted.add(kind)
            told("about a feed", feed=feed.id, note=note)

    @property
    def failing(self) -> int:
        """How many feeds did not answer when they were last asked."""
        return len(self._failing)

    async def _nobody_answers(self) -> None:
        if self._silent:
            return
        self._silent = True
        await self.tell(NOBODY_ANSWERS, self._silence("Rasid keeps trying."))

    def _silence(self, what_now: str) -> str:
        error = next(iter((self._unreached or self._failing).values()))
        return f"No feed can be reached ({error}). Is this machine online? {what_now} {DEMO}"

    async def tell(self, key: str, text: str) -> bool:
        """Tell the operator, once until the trouble is over; whether that was now."""
        new = await self._flow.write(
            partial(self._flow.store.add_notice, key, text, self._flow.operator, self._clock())
        )
        if new:
            log().warning(text)
        return new

    async def over(self, prefix: str, text: str) -> None:
        """Whoever was told of a trouble hears that it is over."""
        clear = self._flow.store.clear_notices
        if await self._flow.write(partial(clear, prefix, self._clock(), over=text, channel=self._flow.operator)):
            log().info(text)

    async def broken_edit(self, problems: Sequence[str]) -> None:
        """The configuration on disk is wrong; the last good one stays in force."""
        for problem in problems:
            log().error("the edit is not taken over", problem=problem)
        head = "\n".join(problems[:5]) + (f"\n… and {len(problems) - 5} more" if len(problems) > 5 else "")
        await self.tell(
            f"edit/{head[:200]}", f"The edited configuration has problems; the last good one stays in force.\n{head}"
        )

    async def mended(self) -> None:
        """The configuration on disk is right again."""
        await self.over("edit/", "The edited configuration is in order and in force.")

    def store_fails(self, error: StoreError, work: str) -> None:
        """The database cannot be used for some work now. Told at most every ten minutes, as it cannot keep a notice."""
        if not self.store_failing:
            self._store_error = str(error)
        self.store_failing.add(work)
        now = self._clock()
        if self._store_told is None or now - self._store_told >= STORE_AGAIN:
            log().error("the database fails; everything waits and is tried again", error=str(error))
            self._store_told = now

    async def store_works(self, work: str) -> None:
        """That work went well. On a full disk reading does, so only what failed can show that the trouble is over, and
        only then can the operator be told."""
        if work not in self.store_failing:
            return
        self.store_failing.remove(work)
        if not self.store_failing:
            self._store_told = None  # the next outage is a new one
            log().info("the database works again")
            text = f"For a while the database failed ({self._store_error}). It works again; what waited is made up for."
            await self._tell_once(text)

    async def clock_put_back(self, by: timedelta) -> None:
        """The clock was put back: whatever was timed by it counts from now on anew."""
        minutes = round(by / timedelta(minutes=1))
        text = f"The clock was put back by {minutes} min. Rasid goes on; times before and after may overlap."
        log().warning(text)
        if by >= PUT_BACK:
            await self._tell_once(text)

    async def silences_read(self, unread: Mapping[int, str]) -> None:
        """Told at the start and at each reload which silences cannot be read, by number with what is wrong."""
        for number, problem in unread.items() - self._unread:
            text = f"Silence {number} silences nothing: its query can no longer be read ({problem})."
            text += f" Mend the rules, or end it: rasid silence end {number}"
            log().warning(text)
            await self._tell_once(text)
        self._unread = set(unread.items())

    async def missed(self, waiting: Mapping[str, int]) -> None:
        """Told at the start and at each reload which channels are not configured that messages wait for, by name with
        how many: nobody else would miss these messages."""
        for name in waiting:
            text = f"Messages wait for channel {name}, which is not in channels.yaml. Put it back, and they are sent."
            await self.tell(f"{MISSED}{name}/", text)
        for notice in await self._flow.write(self._flow.store.notices):
            name = notice.key.removeprefix(MISSED).removesuffix("/")
            if notice.key.startswith(MISSED) and name not in waiting:
                await self.over(notice.key, f"Nothing waits for a missing channel {name} any more.")

    async def _tell_once(self, text: str) -> None:
        if self._flow.operator is None:
            return
        with suppress(StoreError):  # the log has it
            await self._flow.write(self._flow.store.tell_once, text, self._flow.operator, self._clock())

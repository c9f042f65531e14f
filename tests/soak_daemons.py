"""The processes of a soak: daemons that die and come back, and the Bot API server that outlives them."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from tests.telegram_server import TOKEN

ROOT = Path(__file__).parent.parent
DOOMED = 0.5  # of the lives end where it hurts most, the others whenever it comes
WORST = (
    "monitor.pipeline:claim_due",
    "monitor.pipeline:render",
    "monitor.delivery.telegram:TelegramTransport.deliver",  # the message is in the chat, and nobody wrote it down
    "monitor.delivery.retry:settle",
    "monitor.store.settling:write_deliveries",
    "monitor.store.settling:Settling._messages",
    "monitor.store.store:Store.settle_all",
)
LAST_PASS = 40  # of a place, at which a doomed life ends
OUT = (3.0, 9.0)  # seconds for which a chat keeps the bot out
WORKS = 2.0  # seconds that a daemon has at least
RESTART_EVERY = 60.0
KICK_EVERY, MIGRATE_EVERY = 15.0, 60.0


class Server:
    """The Bot API server's other side."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def chat(self, **chat: object) -> None:
        self._post("/chats", chat)

    def chaos(self, **chaos: object) -> None:
        self._post("/chaos", chaos)

    def _post(self, path: str, given: dict[str, object]) -> None:
        url = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(url, json.dumps(given).encode(), {"Content-Type": "application/json"})
        self._opener.open(request, timeout=60).close()


@contextmanager
def telegram(folder: Path, scale: float) -> Iterator[Server]:
    """A Bot API server in a process of its own, its ledger in the folder."""
    command = [sys.executable, "-m", "tests.telegram_server", "--ledger", str(folder / "ledger.jsonl")]
    command += ["--scale", str(scale), "--per-second", "30"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield Server(int(process.stdout.readline()))
        finally:
            process.terminate()


class Place:
    """The configuration that the daemons of a soak share, and where their chats are."""

    def __init__(
        self, folder: Path, database: str, port: int, scale: float, chats: list[int], audits: Sequence[int] = ()
    ) -> None:
        self.folder, self.database, self.scale = folder, database, scale
        self.audited = bool(audits)
        self.ids = {f"c{number:02}": {chat} for number, chat in enumerate(chats)}
        config = folder / "config"
        config.mkdir()
        channels = []
        for number, (name, ids) in enumerate(self.ids.items()):
            audit = f', audit: "{audits[number % len(audits)]}"' if audits else ""
            channels.append(f'  - {{name: {name}, type: telegram, chat: "{min(ids)}"{audit}}}\n')
        (config / "channels.yaml").write_text(f"channels:\n{''.join(channels)}", encoding="utf-8")
        rules = [
            f"  - {{id: {one}, name: {{ar: {one}, en: {one}}}, severity: {one}, any: [خبر]}}\n"
            for one in ("high", "normal", "low")
        ]
        (config / "rules.yaml").write_text(f"rules:\n{''.join(rules)}", encoding="utf-8")
        (config / "feeds.yaml").write_text("outlets: []\n", encoding="utf-8")
        waits = {"read_timeout": 75, "total": 78, "connect_timeout": 10, "write_timeout": 30, "pool_timeout": 5}
        shorter = ", ".join(f"{name}: {self.wait(seconds)}" for name, seconds in waits.items())
        (config / "rasid.yaml").write_text(
            f'telegram: {{base_url: "http://127.0.0.1:{port}", {shorter}}}\n'
            f"delivery: {{lease: {self.wait(80 + scale)}}}\n"
            "stories: {window: 1h}\nlog: {format: json}\n",
            encoding="utf-8",
        )

    def wait(self, seconds: float) -> str:
        """A setting of so many seconds, divided by the scale, in the whole seconds that settings have."""
        return f"{max(1, int(seconds / self.scale))}s"

    @property
    def channels(self) -> list[str]:
        return list(self.ids)

    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RASID_")}
        ours = {"RASID_TELEGRAM_TOKEN": TOKEN, "RASID_DATABASE__URL": self.database, "PYTHONPATH": str(ROOT)}
        return kept | ours


class Life:
    """One daemon from its start to its end. doomed: the place at which it kills itself, "" for none."""

    def __init__(self, place: Place, slot: int, doomed: str = "", nth: int = 1) -> None:
        self.slot, self.doomed, self.began = slot, doomed, time.monotonic()
        self.killed_by_us = False
        self._works_since: float | None = None
        self._log = place.folder / f"log{slot}"
        self._from = self._log.stat().st_size if self._log.exists() else 0
        odd = ["--scale", str(place.scale), *(["--after", doomed, "--nth", str(nth)] if doomed else [])]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.killed", *odd, "--", "run"],
                cwd=place.folder,
                env=place.environ(),
                stdout=log,
                stderr=log,
            )

    def works(self) -> bool:
        """Whether it has worked for a while: before that a kill would show nothing."""
        if self._works_since is None:
            with self._log.open("rb") as log:
                log.seek(self._from)
                if b'"watching"' in log.read():
                    self._works_since = time.monotonic()
        return self._works_since is not None and time.monotonic() - self._works_since >= WORKS

    @property
    def owner(self) -> str:
        return f"{socket.gethostname()}:{self.process.pid}"


class Daemons:
    """A few daemons on one database, of which one dies every few seconds and is started again at once."""

    def __init__(self, place: Place, server: Server, count: int, chance: random.Random) -> None:
        self._place, self._server, self._chance = place, server, chance
        self._engine = sa.create_engine(place.database)
        self._lives = [Life(place, slot) for slot in range(count)]
        self._left: dict[int, tuple[int, float]] = {}  # deliveries that a dead daemon left, with their attempt and when
        self._out: dict[int, float] = {}  # chats that keep the bot out, and until when
        self._next_kick, self._next_migration = time.monotonic() + KICK_EVERY, time.monotonic() + MIGRATE_EVERY
        self.deaths = 0
        self.cut_off: Counter[int] = Counter()  # how often a daemon died in the middle of a delivery
        self.places: Counter[str] = Counter()
        self.recoveries: list[float] = []  # seconds from a kill to the next attempt at what it cut off

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for life in self._lives:
            if life.process.poll() is None:
                life.process.kill()
            life.process.wait()
        self._engine.dispose()

    def fire(self, kills: int, every: float) -> None:
        """Go on until so many daemons have died, one each `every` seconds where the machine starts them that fast."""
        last = time.monotonic()
        while self.deaths < kills:
            time.sleep(0.1)
            before = self.deaths
            if time.monotonic() - last >= every:
                for oldest in sorted(filter(Life.works, self._lives), key=lambda life: life.began)[:1]:
                    oldest.killed_by_us = True
                    oldest.process.kill()
                    oldest.process.wait()
            self._bury(more=self.deaths + 1 < kills)
            if self.deaths > before:
                last = time.monotonic()
            self._recovered()
            self._shut_and_open()

    def drain(self, queued: Callable[[], int], seconds: float) -> bool:
        """Wait until nothing is queued; whether it came to that."""
        end = time.monotonic() + seconds
        restart = time.monotonic() + 15.0
        while time.monotonic() < end:
            time.sleep(0.5)
            if time.monotonic() >= restart:  # at a start all chats that are held are tried again
                restart += RESTART_EVERY
                self._restart_one()
            self._bury(more=False)
            self._recovered()
            self._open(everything=True)
            if queued() == 0:
                return True
        return False

    def _restart_one(self) -> None:
        life = min(self._lives, key=lambda life: life.began)
        self._stop(life)
        self._lives[life.slot] = Life(self._place, life.slot)

    def end(self) -> None:
        """Tell them to stop, as a system does."""
        for life in self._lives:
            self._stop(life)

    def _stop(self, life: Life) -> None:
        life.process.send_signal(signal.SIGTERM)
        status = life.process.wait(60)
        if status == -signal.SIGKILL and life.doomed:  # it came to its place while it was stopping
            self._died(life)
        elif status not in (0, -signal.SIGTERM):  # by the signal itself: told before it listened, it had begun nothing
            raise AssertionError(f"a daemon that was told to stop ended with {status}: {self._last(life.slot)}")

    def _last(self, slot: int) -> str:
        """The end of a daemon's log; the folder may be gone when it is read."""
        return (self._place.folder / f"log{slot}").read_text(encoding="utf-8", errors="replace")[-2000:]

    def _bury(self, *, more: bool) -> None:
        """Note who died, and start another in its place; doomed only if there is to be `more` killing."""
        for slot, life in enumerate(self._lives):
            status = life.process.poll()
            if status is None:
                continue
            if status != -signal.SIGKILL:
                raise AssertionError(f"a daemon ended by itself with {status}: {self._last(slot)}")
            self._died(life)
            doomed = self._chance.choice(WORST) if more and self._chance.random() < DOOMED else ""
            self._lives[slot] = Life(self._place, slot, doomed, self._chance.randint(1, LAST_PASS))

    def _died(self, life: Life) -> None:
        self.deaths += 1
        self.places["at random" if life.killed_by_us else life.doomed.rpartition(":")[2]] += 1
        died = time.monotonic()
        statement = sa.text("select id, attempt from deliveries where state = 'sending' and owner = :owner")
        for id_, attempt in self._ask(statement, owner=life.owner):
            self._left[id_] = (attempt, died)
            self.cut_off[id_] += 1

    def _recovered(self) -> None:
        if not self._left:
            return
        statement = sa.text("select id, attempt, state from deliveries where id in :ids")
        statement = statement.bindparams(sa.bindparam("ids", expanding=True))
        for id_, attempt, state in self._ask(statement, ids=list(self._left)):
            before, died = self._left[id_]
            if attempt > before or state not in ("sending", "unknown"):
                self.recoveries.append(time.monotonic() - died)
                del self._left[id_]

    def _ask(self, statement: Any, **values: object) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.execute(statement, values).all())

    def _shut_and_open(self) -> None:
        """Now and then a chat throws the bot out for a while, or moves."""
        now = time.monotonic()
        self._open()
        if now >= self._next_kick:
            self._next_kick = now + KICK_EVERY
            chat = max(self._place.ids[self._chance.choice(self._place.channels)])
            self._out[chat] = now + self._chance.uniform(*OUT)
            self._server.chat(id=chat, status="kicked")
        if now >= self._next_migration and not self._place.audited:  # what can be looked at never moves
            self._next_migration = now + MIGRATE_EVERY
            name = self._chance.choice(self._place.channels)
            if len(self._place.ids[name]) == 1:
                (old,) = self._place.ids[name]
                new = old - 500_000_000
                self._server.chat(id=new, type="supergroup", per_minute=20, per_second=1)
                self._server.chat(id=old, migrated_to=new)
                self._place.ids[name].add(new)

    def _open(self, *, everything: bool = False) -> None:
        for chat, until in list(self._out.items()):
            if everything or time.monotonic() >= until:
                self._server.chat(id=chat, status="administrator")
                del self._out[chat]

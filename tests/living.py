"""A whole Rasid for tests: a feed server, a Bot API server and the daemon, each a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.command import rasid
from tests.feed_server import FeedServerProcess
from tests.telegram_server import TOKEN

ROOT = Path(__file__).parent.parent
CHAT = "-1001234567890"
RULES = """
rules:
  - id: shahed
    name: {en: Shahed drones, ar: مسيّرات شاهد}
    match: شاهد NEAR/4 (طائرة OR طائرات OR طراز)
    severity: high
  - id: caucasus
    name: {en: South Caucasus, ar: جنوب القوقاز}
    any: [جنوب القوقاز]
    min_outlets: 2
"""


@dataclass(frozen=True)
class Item:
    """One entry of a feed."""

    title: str
    text: str = ""
    guid: str = ""
    when: datetime = field(default_factory=lambda: datetime.now(UTC))
    link: str = ""  # of its page, where it has one


def rss(outlet: str, *items: Item) -> str:
    """An RSS document."""
    entries = "".join(
        f"<item><title>{escape(one.title)}</title>"
        f"<link>{one.link or f'https://{outlet}.example/{one.guid or number}'}</link>"
        f"<guid>https://{outlet}.example/{one.guid or number}</guid><description>{escape(one.text)}</description>"
        f"<pubDate>{format_datetime(one.when)}</pubDate></item>"
        for number, one in enumerate(items)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>أ</title>{entries}</channel></rss>'
    )


class Living:
    """Configuration in a folder, and the processes that work by it."""

    CLOCK = ("--clock", "clock")  # options of `start`: the daemon's clock is what `clock` says

    def __init__(self, folder: Path, feeds: FeedServerProcess, telegram: int, database: str) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.feeds = feeds
        self.telegram = telegram
        self.database = database
        self.daemon: subprocess.Popen[bytes] | None = None
        self.config.mkdir(parents=True)
        self.write("rules.yaml", RULES)
        self.write("channels.yaml", "channels:\n  - {name: main, type: telegram}\n")
        self.write(
            "rasid.yaml",
            f"""
timezone: Asia/Beirut
fetch: {{allow_loopback: true, extra_ports: [{feeds.port}]}}
telegram: {{base_url: "http://127.0.0.1:{telegram}"}}
operator: {{channel: main}}
log: {{format: json, level: debug}}
polling: {{tick: 1s}}
""",
        )

    def write(self, name: str, text: str) -> None:
        """Write a configuration file in one step."""
        draft = self.config / f".{name}.draft"
        draft.write_text(text, encoding="utf-8")
        draft.rename(self.config / name)

    def outlets(self, *names: str, **options: str) -> None:
        """Let feeds.yaml hold one feed for each of the outlets. options: of every feed."""
        more = "".join(f", {name}: {value}" for name, value in options.items())
        lines = ["outlets:"]
        for name in names:
            lines += [f"  - id: {name}", f"    name: {{ar: {name}, en: {name}}}", "    country: LB", "    language: ar"]
            lines += ["    feeds:", f"      - {{id: {name}, url: '{self.feeds.url(f'/{name}')}'{more}}}"]
        self.write("feeds.yaml", "\n".join(lines) + "\n")

    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RASID_")}
        return kept | {
            "RASID_TELEGRAM_TOKEN": TOKEN,
            "RASID_TELEGRAM_CHAT": CHAT,
            "RASID_DATABASE__URL": self.database,
            "PYTHONPATH": str(ROOT),
        }

    def rasid(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the command to its end: the daemon in a process of its own, everything else inside the test."""
        if arguments[0] != "run":
            done = rasid(self.folder, *arguments, environ=self.environ())
            if check:
                done.check_returncode()
            return done
        return subprocess.run(
            [sys.executable, "-m", "monitor", *arguments],
            cwd=self.folder,
            env=self.environ(),
            capture_output=True,
            text=True,
            timeout=120,
            check=check,
        )

    def start(self, *odd: str, **more: str) -> None:
        """Start `rasid run`; its log goes to the file log. odd: options of tests.killed, under which it then runs.
        more: variables of its environment."""
        program = ["tests.killed", *odd, "--"] if odd else ["monitor"]
        with (self.folder / "log").open("ab") as log:
            self.daemon = subprocess.Popen(
                [sys.executable, "-m", *program, "run"],
                cwd=self.folder,
                env=self.environ() | more,
                stdout=log,
                stderr=log,
            )

    def dies(self, *odd: str, seconds: float = 60.0) -> None:
        """Start it, and wait until it has killed itself where `odd` says."""
        self.start(*odd)
        assert self.daemon is not None
        try:
            status = self.daemon.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{odd} was not reached in {seconds} s:\n{self.log()[-4000:]}") from None
        assert status == -signal.SIGKILL, f"{odd}: it ended with {status}:\n{self.log()[-4000:]}"

    def clock(self, seconds: float) -> None:
        """Let the clock be ahead by so much: of a daemon started with `*here.CLOCK`, at once."""
        draft = self.folder / ".clock"
        draft.write_text(str(seconds), encoding="ascii")
        draft.rename(self.folder / "clock")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit status."""
        assert self.daemon is not None
        if self.daemon.poll() is None:
            self.daemon.send_signal(number)
        return self.daemon.wait(30)

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def ledger(self) -> dict[str, Any]:
        """What the Bot API server saw."""
        return dict(self._get("/ledger"))

    def memory(self) -> float:
        """The most that the daemon itself ever held, in MB."""
        assert self.daemon is not None
        status = Path(f"/proc/{self.daemon.pid}/status").read_text(encoding="utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def children(self) -> list[int]:
        """The daemon's child processes: its parse workers, and whatever was not waited for."""
        assert self.daemon is not None
        tasks = Path(f"/proc/{self.daemon.pid}/task").glob("*/children")
        return [int(child) for task in tasks for child in task.read_text(encoding="ascii").split()]

    def files(self) -> int:
        """How many files and connections the daemon holds open."""
        assert self.daemon is not None
        return len(list(Path(f"/proc/{self.daemon.pid}/fd").iterdir()))

    def messages(self) -> list[dict[str, Any]]:
        """The chat's messages as they now are."""
        return [one for one in self.ledger()["messages"] if str(one["chat"]) == CHAT]

    def fresh(self) -> None:
        """Let both servers forget who used them before."""
        self.feeds.clear()
        self.feeds.forget_requests()
        self._get("/reset", json.dumps({"chats": [int(CHAT)]}).encode())

    def fault(self, **fault: object) -> None:
        """Queue a fault of the Bot API server: see tests.telegram_server.Fault."""
        self._get("/faults", json.dumps(fault).encode())

    def chat(self, **chat: object) -> None:
        """Add a chat to the Bot API server, or change one: see tests.telegram_server.Chat."""
        self._get("/chats", json.dumps(chat).encode())

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What the database answers; nothing as long as it has no tables."""
        engine = sa.create_engine(self.database, poolclass=sa.NullPool)
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(sa.text(statement))]
        except (sa.exc.OperationalError, sa.exc.ProgrammingError) as error:
            if "no such table" not in str(error) and "does not exist" not in str(error):
                raise
            return []

    def wait(self, reached: Callable[[], bool], seconds: float = 40.0) -> None:
        """Wait until something holds; fails with the daemon's log."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if reached():
                return
            if self.daemon is not None and self.daemon.poll() not in (None, -signal.SIGKILL):
                raise AssertionError(f"the daemon ended with {self.daemon.returncode}:\n{self.log()[-4000:]}")
            time.sleep(0.2)
        raise AssertionError(f"not reached in {seconds} s:\n{self.log()[-4000:]}")

    def _get(self, path: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.telegram}{path}", body, {"Content-Type": "application/json"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            return json.load(answer)


class Servers:
    """Pairs of a feed server and a Bot API server, each a process, which one test after the other uses."""

    def __init__(self) -> None:
        self._running = ExitStack()
        self._free: list[tuple[FeedServerProcess, int]] = []

    @contextmanager
    def pair(self) -> Iterator[tuple[FeedServerProcess, int]]:
        """A pair that nobody else uses now: the feed server, and the port of the Bot API server."""
        found = self._free.pop() if self._free else self._start()
        try:
            yield found
        finally:
            self._free.append(found)

    def _start(self) -> tuple[FeedServerProcess, int]:
        command = [sys.executable, "-m", "tests.telegram_server", "--port", "0"]
        feeds = self._running.enter_context(FeedServerProcess())
        telegram = self._running.enter_context(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE))
        self._running.callback(telegram.terminate)
        assert telegram.stdout is not None
        return feeds, int(telegram.stdout.readline())

    def close(self) -> None:
        """End all of them."""
        self._free.clear()
        self._running.close()


SERVERS = Servers()


@contextmanager
def living(folder: Path, database: str) -> Iterator[Living]:
    """A Living whose daemon is gone at the end."""
    with SERVERS.pair() as (feeds, telegram):
        here = Living(folder / "home", feeds, telegram, database)
        here.fresh()
        try:
            yield here
        finally:
            if here.daemon is not None and here.daemon.poll() is None:
                here.daemon.kill()
                here.daemon.wait()

"""A Rasid as its users have it, for benchmarks: the shipped configuration, its feeds and its chat on this machine."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.processes import cpu_seconds
from tests.feed_server import FeedServerProcess
from tests.living import Item, rss
from tests.telegram_server import TOKEN

ROOT = Path(__file__).resolve().parents[1]
CHAT = "-1001234567890"
ADDRESS = re.compile(r"(?<=\s)https?://\S+")
WORDS = (
    *("الحكومة", "البرلمان", "البلدية", "الوزارة", "النقابة", "المحكمة", "اللجنة", "الجامعة", "الهيئة", "الشركة"),
    *("تعلن", "تناقش", "ترفض", "تقر", "تؤجل", "تفتتح", "تراجع", "تنشر", "تقترح", "تلغي", "تدعو", "تحذر", "تؤيد"),
    *("خطة المياه", "قانون السير", "موازنة العام", "مشروع الجسر", "رسوم المرفأ", "نتائج المسح", "عقود النقل"),
    *("برنامج المنح", "اتفاق الطاقة", "تقرير الأسعار", "حملة التشجير", "موعد الانتخابات", "شروط السكن", "أجور النقل"),
    *("في العاصمة", "في الشمال", "في الجنوب", "على الساحل", "في الجبل", "قرب الحدود", "في الميناء", "في الريف"),
)


def entries(seed: int, count: int) -> str:
    """A feed of invented news."""
    rng = random.Random(seed)
    now = datetime.now(UTC)

    def words(number: int) -> str:
        return " ".join(rng.choice(WORDS) for _ in range(number))

    return rss(f"feed{seed}", *(
        Item(f"{words(6)} {seed * 100 + one}", words(60), f"{seed}-{one}", when=now - timedelta(minutes=10 * one + 200))
        for one in range(count)
    ))  # fmt: skip


class House:
    """A folder with the shipped configuration, its feeds served from here."""

    def __init__(
        self, folder: Path, server: FeedServerProcess, telegram: int, database: str, count: int, interval: str = "5m"
    ) -> None:
        self.folder, self.server = folder, server
        self.feeds: list[str] = []
        config = folder / "config"
        shutil.copytree(ROOT / "config", config)
        text = (config / "feeds.yaml").read_text(encoding="utf-8").replace("interval: 5m", f"interval: {interval}")
        text = ADDRESS.sub(lambda _: self.serve(entries(len(self.feeds), count)), text)
        (config / "feeds.yaml").write_text(text, encoding="utf-8")
        (config / "rasid.yaml").write_text(
            f"fetch: {{allow_loopback: true, extra_ports: [{server.port}], per_host: 20}}\n"
            f'telegram: {{base_url: "http://127.0.0.1:{telegram}"}}\nlog: {{format: json}}\n',
            encoding="utf-8",
        )
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RASID_")},
            **{"RASID_TELEGRAM_TOKEN": TOKEN, "RASID_TELEGRAM_CHAT": CHAT, "RASID_DATABASE__URL": database},
        }

    def serve(self, body: str) -> str:
        """The address at which a feed with this body now is."""
        self.feeds.append(f"/feed{len(self.feeds)}")
        return self.server.set(self.feeds[-1], body)

    def new_feed(self) -> None:
        """One more feed in the catalogue: it is due at the first tick."""
        with (self.folder / "config" / "feeds.yaml").open("a", encoding="utf-8") as file:
            address = self.serve(entries(1_000 + len(self.feeds), 5))
            file.write(f"\n  - id: new{len(self.feeds)}\n    name: {{ar: جديد, en: New}}\n    country: LB\n")
            file.write(f"    language: ar\n    feeds: [{address}]\n")

    def rasid(self, *arguments: str) -> str:
        """What the command prints."""
        return subprocess.run(
            [sys.executable, "-m", "monitor", *arguments],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    @contextmanager
    def daemon(self) -> Iterator[tuple[int, float, float]]:
        """A running daemon: (pid, seconds from its start until it asked for the first feed, seconds of CPU)."""
        self.server.forget_requests()
        began = time.time()
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "monitor", "run"], cwd=self.folder, env=self.environ, stdout=log, stderr=log
            )
        try:
            wait(lambda: bool(self.server.requests()), process)
            used = cpu_seconds(process.pid)
            yield process.pid, self.server.requests()[0].at - began, used
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def wait(reached: Callable[[], bool], process: subprocess.Popen[bytes] | None = None, seconds: float = 240) -> None:
    """Look again and again until something holds."""
    end = time.monotonic() + seconds
    while not reached():
        if process is not None and process.poll() is not None:
            raise SystemExit(f"the daemon ended with {process.returncode}")
        if time.monotonic() > end:
            raise SystemExit(f"not reached in {seconds:.0f} s")
        time.sleep(0.05)


@contextmanager
def bot_api() -> Iterator[int]:
    """The port of a Bot API server in a process of its own."""
    command = [sys.executable, "-m", "tests.telegram_server", "--port", "0", "--chat", CHAT]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def ledger(port: int) -> dict[str, Any]:
    """What the Bot API server saw."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}/ledger", timeout=60) as answer:
        return dict(json.load(answer))

"""`rasid demo` as a newcomer runs it: in an empty folder, without a network."""

import subprocess
import sys
from pathlib import Path

from tests.living import ROOT


def test_the_demo_shows_one_alert_that_a_second_outlet_joins_and_ends_by_itself(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "monitor", "demo"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    alerts = [line for line in done.stdout.splitlines() if line.startswith("🔴")]
    assert len(alerts) == 1 and "إسقاط 20 طائرة" in alerts[0]
    assert "بالفيديو.. هدف" not in done.stdout
    assert "joined the story" in done.stdout
    assert "rasid init" in done.stdout
    assert list(tmp_path.iterdir()) == []

"""A month of real feeds through the whole flow: see benchmarks/replay.py, which ends with 1 where anything is wrong."""

import json
import subprocess
import sys

import pytest

from benchmarks.archive import DATA
from tests.living import ROOT


@pytest.mark.soak
@pytest.mark.parametrize("how", [[], ["--database", "postgres"], ["--hourly"]], ids=["sqlite", "postgres", "hourly"])
def test_a_month_is_taken_in_once(how: list[str]) -> None:
    if not DATA.exists():
        pytest.skip("the archive of feeds (../shared/data/arabic_feeds.tar.xz) is not here")
    done = subprocess.run(
        [sys.executable, "benchmarks/replay.py", "--json", *how],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1_800,
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    report = json.loads(done.stdout)
    found = report["accounted"]
    assert found["entries"] == found["articles"] + found["known_again"] + found["later_versions"] == 5_124
    assert report["messages"]["delivered"] > 0

"""`rasid init`, and a rule that looks back: as an analyst uses them."""

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.errors import RasidError
from monitor.faces.cli.app import app
from monitor.faces.cli.times import moment
from tests.living import RULES, Living, living, rss
from tests.test_end_to_end import STRIKE, TALKS

RUNNER = CliRunner()


def test_init_makes_a_folder_that_passes_its_check_and_overwrites_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    made = RUNNER.invoke(app, ["init", str(folder)])
    assert made.exit_code == 0, made.output
    assert stat.S_IMODE((folder / "config" / ".env").stat().st_mode) == 0o600
    assert RUNNER.invoke(app, ["check", "-c", str(folder / "config")]).exit_code == 0
    (folder / "config" / "rules.yaml").write_text("rules: []\n")
    again = RUNNER.invoke(app, ["init", str(folder)])
    assert "left alone" in again.output and "made  " not in again.output
    assert (folder / "config" / "rules.yaml").read_text() == "rules: []\n"


def test_init_says_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = RUNNER.invoke(app, ["init", str(tmp_path / "file")])
    assert refused.exit_code == 2 and "cannot be written" in refused.output


@pytest.fixture
def here(tmp_path: Path, store_url: str) -> Iterator[Living]:
    with living(tmp_path, store_url) as found:
        yield found


def test_a_new_rule_finds_what_is_stored_and_alerts_only_if_told_to(here: Living) -> None:
    here.feeds.set("/anba", rss("anba", STRIKE, TALKS))
    here.outlets("anba")
    here.rasid("run", "--once")
    assert len(here.messages()) == 1
    here.write("rules.yaml", RULES + "\n  - id: geneva\n    name: {en: Geneva, ar: جنيف}\n    any: [جنيف]\n")
    silent = json.loads(here.rasid("rules", "backfill", "geneva", "--since", "1h", "--json").stdout)
    assert silent == {"looked": 2, "hits": 1, "known": 0, "alerts": 0}
    assert here.rows("select decision, code from hits where rule_id = 'geneva'") == [("muted", "backfill_silent")]
    again = json.loads(here.rasid("rules", "backfill", "geneva", "--json").stdout)
    assert again == {"looked": 2, "hits": 0, "known": 1, "alerts": 0}
    here.write("rules.yaml", RULES + "\n  - id: summit\n    name: {en: Summit, ar: قمة}\n    any: [اجتماع]\n")
    loud = json.loads(here.rasid("rules", "backfill", "summit", "--alert", "--json").stdout)
    assert loud == {"looked": 2, "hits": 1, "known": 0, "alerts": 1}
    here.rasid("run", "--once")
    assert len(here.messages()) == 2 and "جنيف" in here.messages()[1]["text"]
    unknown = here.rasid("rules", "backfill", "nothing", check=False)
    assert unknown.returncode == 2 and "there are shahed" in unknown.stderr


def test_times_are_read_in_the_users_zone() -> None:
    assert moment("2026-11-20", "Asia/Beirut").isoformat() == "2026-11-19T22:00:00+00:00"
    assert moment("2026-11-20T10:00+00:00", "Asia/Beirut").hour == 10
    now = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)  # already the 21st in Beirut
    assert moment("today", "Asia/Beirut", now).isoformat() == "2026-11-20T22:00:00+00:00"
    assert moment("أمس", "Asia/Beirut", now) == moment("Yesterday", "Asia/Beirut", now)
    assert moment("yesterday", "Asia/Beirut", now).isoformat() == "2026-11-19T22:00:00+00:00"
    with pytest.raises(RasidError, match="write 7d"):
        moment("some day", "UTC")

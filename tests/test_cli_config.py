import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import command

ROOT = Path(__file__).resolve().parents[1]
RULES = """rules:
  - id: quake
    name: {ar: زلزال, en: Quake}
    match: زلزال
    channels: [main]
    outlets: {exclude: [bbc]}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config", folder, ignore=shutil.ignore_patterns(".env"))
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
    return folder


def rasid(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return command.rasid(ROOT, *words, "-c", str(folder), environ={"TZ": "UTC", **environ})


def test_check_says_that_all_is_well_and_counts(config: Path) -> None:
    plain, as_json = rasid(config, "check"), rasid(config, "check", "--json")
    assert (plain.returncode, as_json.returncode) == (0, 0)
    assert "60 outlets, 1 rules, 2 channels" in plain.stdout
    answer = json.loads(as_json.stdout)
    assert (answer["ok"], answer["counts"]["rules"], answer["warnings"]) == (True, 1, [])


def test_check_tells_the_problems_of_all_files_at_once_and_ends_with_2(config: Path) -> None:
    (config / "rasid.yaml").write_text("polling: {intervl: 5m}\n", encoding="utf-8")
    (config / "feeds.yaml").write_text("outlets:\n  - id: A!\n", encoding="utf-8")
    (config / "channels.yaml").write_text("channels:\n  - {name: main, type: telegramm}\n", encoding="utf-8")
    (config / "rules.yaml").write_text("rules:\n  - {id: x, match: '(a'}\n", encoding="utf-8")
    (config / ".env").write_text("oops\n", encoding="utf-8")
    plain, as_json = rasid(config, "check"), rasid(config, "check", "--json")
    assert (plain.returncode, as_json.returncode) == (2, 2)
    for start in ("rasid.yaml:1:", "feeds.yaml:2:", "channels.yaml:2:", "rules.yaml:2:", ".env:1:"):
        assert f"{config}/{start}" in plain.stdout
    answer = json.loads(as_json.stdout)
    assert answer["ok"] is False
    assert {Path(one["file"]).name for one in answer["problems"]} == {
        *("rasid.yaml", "feeds.yaml", "channels.yaml", "rules.yaml", ".env")
    }


def test_check_compares_the_names_of_the_files(config: Path) -> None:
    (config / "rules.yaml").write_text(RULES.replace("[main]", "[mian]").replace("[bbc]", "[bbcc]"), encoding="utf-8")
    (config / "rasid.yaml").write_text("operator:\n  channel: consle\n", encoding="utf-8")
    told = rasid(config, "check").stdout
    assert "rules.yaml:5:16: rules.0.channels.0: there is no channel mian in channels.yaml: did you mean main?" in told
    assert (
        "rules.yaml:6:25: rules.0.outlets.exclude.0: there is no outlet bbcc in feeds.yaml: did you mean bbc?" in told
    )
    assert "rasid.yaml:2:12: operator.channel: there is no channel consle" in told


def test_a_variable_that_a_channel_names_is_no_unknown_setting(config: Path) -> None:
    (config / "channels.yaml").write_text(
        "channels:\n  - {name: main, type: telegram, chat: '@abcde', token_env: RASID_SECOND_TOKEN}\n", encoding="utf-8"
    )
    answer = json.loads(rasid(config, "check", "--json", RASID_SECOND_TOKEN="1", RASID_LOG__LEVLE="x").stdout)
    assert [one["where"] for one in answer["warnings"]] == ["RASID_LOG__LEVLE"]


def test_check_refuses_a_channel_that_the_daemon_could_not_start_with(config: Path) -> None:
    (config / "channels.yaml").write_text("channels:\n  - {name: main, type: webhook}\n", encoding="utf-8")
    refused = rasid(config, "check")
    assert refused.returncode == 2
    assert "channels.yaml: channels: channel main: set RASID_WEBHOOK_URL" in refused.stdout
    good = json.loads(rasid(config, "check", "--json", RASID_WEBHOOK_URL="https://example.com/rasid").stdout)
    assert (good["ok"], good["warnings"]) == (True, [])


def test_check_warns_of_two_channels_that_write_to_one_chat(config: Path) -> None:
    lines = [
        '- {name: main, type: telegram, chat: "-1001"}',
        "- {name: second, type: telegram}",
        '- {name: topic, type: telegram, chat: "-1001", topic: 7}',
    ]
    (config / "channels.yaml").write_text("channels:\n" + "".join(f"  {one}\n" for one in lines), encoding="utf-8")
    warned = json.loads(rasid(config, "check", "--json", RASID_TELEGRAM_CHAT="-1001").stdout)["warnings"]
    assert ["main and second write to the same chat" in str(one) for one in warned] == [True]
    assert json.loads(rasid(config, "check", "--json", RASID_TELEGRAM_CHAT="-1002").stdout)["warnings"] == []


def test_rules_may_lie_in_a_folder(config: Path) -> None:
    (config / "rules").mkdir()
    (config / "rules" / "more.yaml").write_text(RULES.replace("quake", "flood"), encoding="utf-8")
    assert "2 rules" in rasid(config, "check").stdout


def test_config_show_tells_origins_and_hides_secrets(config: Path) -> None:
    (config / ".env").write_text("RASID_TELEGRAM_TOKEN=12345:geheim\n", encoding="utf-8")
    (config / ".env").chmod(0o600)
    shown = rasid(config, "config", "show", "--json", RASID_DATABASE__URL="postgresql://u:geheim@h/d")
    rows = {one["name"]: one for one in json.loads(shown.stdout)}
    assert shown.returncode == 0
    assert rows["database.url"]["value"] == "postgresql+psycopg://u:•••@h/d"
    assert rows["database.url"]["origin"] == "environment RASID_DATABASE__URL"
    assert rows["RASID_TELEGRAM_TOKEN"]["origin"] == ".env:1"
    assert "geheim" not in shown.stdout
    assert "polling.interval\t5m\tdefault" in rasid(config, "config", "show").stdout


def test_a_missing_folder_is_told_and_ends_with_2(tmp_path: Path) -> None:
    result = rasid(tmp_path / "none", "check")
    assert result.returncode == 2
    assert "rasid init" in result.stdout

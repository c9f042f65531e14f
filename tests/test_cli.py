import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.faces.cli.app import app

RULES = """
rules:
  - id: shahed
    name: {en: Shahed drones, ar: مسيّرات شاهد}
    match: |
      "طائرات شاهد" OR Shahed-136
    examples:
      match: ['هجوم بطائرات "شاهد" المسيّرة']
      skip: [شاهد عيان يروي ما جرى]
"""

runner = CliRunner()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    return tmp_path


def test_rules_are_listed_as_json(config: Path) -> None:
    result = runner.invoke(app, ["rules", "list", "--json", "-c", str(config)])
    assert result.exit_code == 0
    assert [(one["id"], one["name"]["ar"]) for one in json.loads(result.stdout)] == [("shahed", "مسيّرات شاهد")]


def test_examples_that_hold_end_with_0_and_one_that_fails_with_1(config: Path) -> None:
    good = runner.invoke(app, ["rules", "test", "-c", str(config)])
    assert (good.exit_code, "2 of 2" in good.stdout) == (0, True)
    (config / "rules.yaml").write_text(RULES.replace("شاهد عيان", "طائرات شاهد عيان"), encoding="utf-8")
    bad = runner.invoke(app, ["rules", "test", "-c", str(config)])
    assert (bad.exit_code, "should be skipped, was hit" in bad.stdout) == (1, True)


def test_match_shows_the_words_that_hit(config: Path) -> None:
    result = runner.invoke(app, ["match", "هجوم بطائرات شاهد على كييف", "--json", "-c", str(config)])
    assert result.exit_code == 0
    hits = json.loads(result.stdout)["hits"]
    assert [span["text"] for hit in hits for span in hit["spans"]] == ["بطائرات شاهد"]


def test_match_says_why_not(config: Path) -> None:
    result = runner.invoke(app, ["match", "شاهد عيان يروي", "--explain", "-c", str(config)])
    assert result.exit_code == 1
    assert "✗ shahed" in result.stdout
    assert "nothing of it occurs" in result.stdout
    whole = runner.invoke(app, ["match", "شاهد عيان يروي", "--rule", "shahed", "-c", str(config)])
    assert 'missing: one of "طائرات شاهد"، "Shahed 136"' in whole.stdout


def test_match_reads_a_file_and_a_pipe(config: Path) -> None:
    page = config / "page.txt"
    page.write_text("عنوان\nاقرأ المزيد\nأطلقت روسيا طائرات شاهد", encoding="utf-8")
    from_file = runner.invoke(app, ["match", "--file", str(page), "-c", str(config)])
    piped = runner.invoke(app, ["match", "-c", str(config)], input=page.read_text(encoding="utf-8"))
    assert (from_file.exit_code, piped.exit_code) == (0, 0)
    assert from_file.stdout == piped.stdout
    assert "body" in piped.stdout


def test_a_broken_rule_is_told_with_its_place(config: Path) -> None:
    (config / "rules.yaml").write_text(RULES.replace('"طائرات شاهد" OR', "(طائرات OR"), encoding="utf-8")
    result = runner.invoke(app, ["rules", "list", "-c", str(config)])
    assert result.exit_code == 2
    assert "rules.yaml:6:" in result.stderr


def test_an_unknown_rule_and_a_missing_file_end_with_2(config: Path) -> None:
    unknown = runner.invoke(app, ["rules", "test", "nothing", "-c", str(config)])
    missing = runner.invoke(app, ["match", "--file", str(config / "none.txt"), "-c", str(config)])
    assert (unknown.exit_code, missing.exit_code) == (2, 2)
    assert "give the path of a text file" in missing.stderr


def test_a_channel_test_explains_a_missing_token(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RASID_TELEGRAM_TOKEN", raising=False)
    (config / "channels.yaml").write_text("channels:\n  - {name: main, type: telegram, chat: '-1001'}\n", "utf-8")
    (config / "feeds.yaml").write_text("outlets: []\n", "utf-8")
    result = runner.invoke(app, ["channels", "test", "main", "-c", str(config)])
    assert result.exit_code == 2
    assert "RASID_TELEGRAM_TOKEN" in result.stderr


def test_channels_are_listed_with_how_they_tell(config: Path) -> None:
    (config / "rasid.yaml").write_text("timezone: Asia/Riyadh\nalerts: {quiet: 23:00-07:00}\n", "utf-8")
    (config / "channels.yaml").write_text(
        """channels:
  - {name: main, type: telegram, chat: '-1001234567890', audit: '-1001234567891', burst: 20 in 10m, quiet_high: yes}
  - {name: all, type: console, mode: each, quiet: off}
  - {name: calm, type: console, language: en, timezone: Asia/Beirut, digest: daily 8:00 18:00, quiet: 22:00-06:00}
  - {name: often, type: console, digest: 60m, quiet: off}
""",
        "utf-8",
    )
    plain = runner.invoke(app, ["channels", "list", "-c", str(config)])
    assert plain.stdout.splitlines() == [
        "main\ttelegram\tar\tstory\t20 in 10m\t23:00-07:00, high too (Asia/Riyadh)\t-1001234567891",
        "all\tconsole\tar\teach\t\t\t",
        "calm\tconsole\ten\tdigest daily 08:00 18:00\t\t22:00-06:00 (Asia/Beirut)\t",
        "often\tconsole\tar\tdigest hourly\t\t\t",
    ]
    as_json = json.loads(runner.invoke(app, ["channels", "list", "--json", "-c", str(config)]).stdout)
    told = [
        (one["mode"], one["digest"], one["burst"], one["quiet"], one["quiet_high"], one["audit"]) for one in as_json
    ]
    assert told == [
        ("story", None, "20 in 10m", "23:00-07:00", True, "-1001234567891"),
        ("each", None, None, None, False, None),
        ("digest", "daily 08:00 18:00", None, "22:00-06:00", False, None),
        ("digest", "hourly", None, None, False, None),
    ]


def test_every_command_has_help() -> None:
    for command in (["--help"], ["match", "--help"], ["rules", "--help"], ["channels", "--help"]):
        assert runner.invoke(app, command).exit_code == 0

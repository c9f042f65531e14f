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


def test_every_command_has_help() -> None:
    for command in (["--help"], ["match", "--help"], ["rules", "--help"], ["channels", "--help"]):
        assert runner.invoke(app, command).exit_code == 0

"""The command line as a whole: commands are read when they are run, and help comes without them."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.faces.cli.app import COMMANDS, app, load

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"sqlalchemy", "aiohttp", "rapidfuzz", "yaml", "monitor.runtime", "monitor.store", "monitor.matching"}


def loaded(*arguments: str) -> set[str]:
    """Which of HEAVY a command reads, in a process of its own."""
    code = "import sys; from monitor.__main__ import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return HEAVY & set(done.stderr.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_what_the_list_says_of_a_command_is_what_it_says_itself(command: str) -> None:
    assert load(command).help.startswith(COMMANDS[command].does)
    told = CliRunner().invoke(app, [command, "--help"])
    assert told.exit_code == 0 and f" {command} [OPTIONS]" in told.stdout


def test_help_and_version_read_no_command() -> None:
    assert loaded("--help") == set()
    assert loaded("version") == set()


def test_reading_the_configuration_brings_no_network_and_no_database() -> None:
    assert loaded("config", "show") == {"yaml", "monitor.runtime", "monitor.matching"}


def test_a_mistyped_command_is_guessed() -> None:
    told = CliRunner().invoke(app, ["chek"])
    assert told.exit_code == 2 and "check" in told.output

"""The `rasid` command run inside the test: the same app and the same files, without a second of imports each time."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from typer.testing import CliRunner

from monitor.faces.cli.app import app


def rasid(folder: Path, *arguments: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run it to its end in `folder`, with `environ` and none of the RASID_ variables around; what it printed."""
    without = {name: None for name in os.environ if name.startswith("RASID_")}
    with contextlib.chdir(folder):
        done = CliRunner().invoke(app, list(arguments), env={**without, **environ})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(list(arguments), done.exit_code, done.stdout, done.stderr)

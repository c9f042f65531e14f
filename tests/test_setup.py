"""`./run.sh` and its environment: what is begun is finished, or begun again."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_a_setup_that_fails_ends_there_and_is_not_taken_for_done(tmp_path: Path) -> None:
    (tmp_path / "monitor" / "matching").mkdir(parents=True)
    for name in ("run.sh", "pyproject.toml", "constraints.txt", "hatch_build.py", "monitor/matching/kernel.c"):
        shutil.copy(ROOT / name, tmp_path / name)
    nothing_to_be_had = {"PIP_NO_INDEX": "1", "UV_NO_INDEX": "1", "PIP_FIND_LINKS": "", "UV_FIND_LINKS": ""}
    env = os.environ | nothing_to_be_had | {"PYTHON": sys.executable, "RASID_VENV": str(tmp_path / "venv")}
    for _ in range(2):
        ended = subprocess.run(
            [tmp_path / "run.sh", "rasid", "version"], env=env, capture_output=True, text=True, timeout=120
        )
        assert ended.returncode not in (0, 127), ended.stderr
        assert "rasid: No such file" not in ended.stderr
        assert not list(tmp_path.glob("venv/.rasid-*"))

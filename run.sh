#!/usr/bin/env bash
# Everything a newcomer needs: ./run.sh start | test | demo | soak | rasid … | python …
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

venv=${RASID_VENV:-.venv}

usage() {
  cat <<'TXT'
Usage: ./run.sh COMMAND

  start        set up, then run the daemon on ./config (SQLite under ./data)
  test         set up, then run every check and test
  demo         no network needed: local Arabic feeds, the real daemon, an alert within a minute
  soak …       the long tests (kills, mutants, outages), with pytest's options: ./run.sh soak -k kills;
               or the outbox under fire: ./run.sh soak --only delivery --help
  rasid …      the rasid command, e.g. ./run.sh rasid status
  python …     Python inside the project's environment
TXT
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null 2>&1 &&
      "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "Rasid needs Python 3.11 or newer; none was found. On Debian: apt-get install python3 python3-venv" >&2
  exit 1
}

# Set-up runs when what it reads changed since the last one, and is skipped otherwise. It is marked as
# done at its very end, so one that was cut off is made good by the next. Never call it in an && or an if: the shell
# would then go on after a step that failed, and mark it as done.
setup() {
  local group=$1 stamp mark
  stamp="$venv/.rasid-$group"
  mark=$(cat pyproject.toml constraints.txt hatch_build.py monitor/matching/kernel.c | cksum)
  # An environment whose folder was moved, or whose Python is gone, is made anew: its scripts name their old place.
  if [ -e "$venv/.rasid-place" ] && ! { [ "$(cat "$venv/.rasid-place")" = "$PWD" ] && [ -x "$venv/bin/python" ]; }; then
    rm -rf "$venv"
  fi
  if [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$mark" ]; then return; fi
  if ! touch . 2>/dev/null; then
    echo "$PWD cannot be written to: put the project where you may write, or install it with pip install ." >&2
    exit 1
  fi
  echo "Setting up in $venv (once; a minute or two) …" >&2
  if command -v uv >/dev/null 2>&1; then
    [ -x "$venv/bin/python" ] || uv venv --quiet --python '>=3.11' "$venv"
    local groups=()
    if [ "$group" = dev ]; then groups=(--group dev); fi
    uv pip install --quiet --compile-bytecode --python "$venv/bin/python" -c constraints.txt "${groups[@]}" -e .
  else
    local python
    if [ ! -x "$venv/bin/pip" ]; then
      python=$(find_python)
      if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "This Python has no venv module. On Debian: apt-get install python3-venv" >&2
        exit 1
      fi
      "$python" -m venv "$venv"
    fi
    local extra=()
    if [ "$group" = dev ]; then
      # Older pip knows no --group: read the names from pyproject.toml, which stays the only list.
      while IFS= read -r line; do extra+=("$line"); done < <("$venv/bin/python" -c '
import tomllib
print("\n".join(tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"]))')
    fi
    # trafilatura asks for an extra of lxml that old lxml had; the package is among our own. Nobody need worry about that.
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e . "${extra[@]}" 2>&1 |
      sed "/lxml .* does not provide the extra 'html_clean'/d" >&2
  fi
  echo "$PWD" >"$venv/.rasid-place"
  echo "$mark" >"$stamp"
}

checks() {
  local bin="$venv/bin"
  "$bin/ruff" check .
  "$bin/ruff" format --check .
  "$bin/mypy"
  "$bin/lint-imports"
}

command=${1:-}
[ $# -gt 0 ] && shift
case "$command" in
  start)
    setup run
    exec "$venv/bin/rasid" run "$@"
    ;;
  demo)
    setup run
    exec "$venv/bin/rasid" demo "$@"
    ;;
  rasid)
    setup run
    exec "$venv/bin/rasid" "$@"
    ;;
  python)
    setup dev
    exec "$venv/bin/python" "$@"
    ;;
  test)
    setup dev
    checks
    unset PYTHONDONTWRITEBYTECODE # many processes are started: each would compile every module anew
    exec "$venv/bin/python" -m pytest -n 4 --dist worksteal "$@" # half of their time tests wait for other processes
    ;;
  soak)
    setup dev
    if [ "${1:-}" = --only ]; then exec "$venv/bin/python" -m tests.delivery_soak "$@"; fi
    exec "$venv/bin/python" -m pytest -m soak -vv --durations=0 "$@"
    ;;
  -h | --help | help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac

"""A strict reader of .env files: NAME=value, one a line. What a shell would do differently is refused, not guessed."""

from __future__ import annotations

import pathlib
import re
import stat
from dataclasses import dataclass

from monitor.errors import Problem
from monitor.yamlfile import SPECIAL, is_special

_MAX_BYTES = 100_000
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)", re.DOTALL)
_QUOTED = re.compile(r"""(?:"([^"\\]*(?:\\.[^"\\]*)*)"|'([^']*)')\s*(?:#.*)?""")
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


@dataclass(frozen=True)
class DotEnv:
    """The variables of a file, by name: (value, line). problems and warnings carry no value."""

    values: dict[str, tuple[str, int]]
    problems: tuple[Problem, ...] = ()


def read(path: pathlib.Path, shown: str) -> DotEnv:
    """The variables in a file; a file that is not there has none. A file that others may read is warned of."""
    try:
        if is_special(path):
            return DotEnv({}, (Problem(shown, 0, 0, "", SPECIAL),))
        with path.open("rb") as file:
            mode = path.stat().st_mode
            raw = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return DotEnv({})
    except OSError as error:
        return DotEnv({}, (Problem(shown, 0, 0, "", f"cannot be read: {error.strerror}"),))
    if len(raw) > _MAX_BYTES:
        return DotEnv({}, (Problem(shown, 0, 0, "", "is larger than 100 kB: is it a .env file?"),))
    try:
        found = parse(raw.decode("utf-8-sig"), shown)
    except UnicodeDecodeError:
        return DotEnv({}, (Problem(shown, 0, 0, "", "is not UTF-8 text: save it with the encoding UTF-8"),))
    if found.values and mode & (stat.S_IROTH | stat.S_IWOTH):
        what = f"every user of this machine may read it: run `chmod 600 {shown}`"
        return DotEnv(found.values, (*found.problems, Problem(shown, 0, 0, "", what, "warning")))
    return found


def parse(text: str, shown: str) -> DotEnv:
    """The variables in a text."""
    values: dict[str, tuple[str, int]] = {}
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        column = len(line) - len(line.lstrip()) + 1
        found = _LINE.fullmatch(stripped)
        if not found:
            what = "is not read: write NAME=value, one a line (comments start with #)"
            problems.append(Problem(shown, number, column, "", what))
            continue
        name, written = found[1], found[2]
        value, wrong = _value(written)
        if name in values:
            wrong = wrong or f"is given twice (first on line {values[name][1]}): keep one of them"
        if wrong:
            problems.append(Problem(shown, number, column, name, wrong))
        else:
            values[name] = (value, number)
    return DotEnv(values, tuple(problems))


def _value(written: str) -> tuple[str, str]:
    """(value, "") or ("", what is wrong)."""
    if written[:1] in ("'", '"'):
        found = _QUOTED.fullmatch(written)
        if not found:
            return "", "the quotation mark is not closed, or text follows it: write NAME='value'"
        if found[2] is not None:
            return found[2], ""
        return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), found[1]), ""
    value = re.sub(r"(^|\s+)#.*$", "", written).strip()
    if re.search(r"[\s'\"`]", value):
        return "", "a value with spaces or quotation marks goes into single quotes: NAME='value'"
    if re.search(r"\$\{|\$\(", value):
        return "", "variables are not replaced here: write the value itself, in single quotes if it has a $"
    return value, ""

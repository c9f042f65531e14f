"""Reading YAML text into a Document, from the parser's events."""

from __future__ import annotations

import pathlib
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from monitor.errors import ConfigError, Problem

Path = tuple[str | int, ...]

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
SPECIAL = "this is a pipe or a device, not a file: put a file of text in its place"
WRAP = "wrap the text in '…' or write it after |"

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value or key stands. Lines and columns count from 0, in code points; style is '' for plain text."""

    line: int
    column: int
    end_line: int
    end_column: int
    style: str


@dataclass(frozen=True)
class Document:
    """A YAML file read into dict, list and str. path is as the user shall see it; an empty file is the text ""."""

    path: str
    data: object
    text: str
    _values: dict[Path, _Place] = field(default_factory=dict, repr=False)
    _keys: dict[Path, _Place] = field(default_factory=dict, repr=False)

    def problem(
        self, at: Path, what: str, *, severity: str = "error", key: bool = False, offset: int | None = None
    ) -> Problem:
        """A Problem at the value `at` (its key with key=True; the nearest parent where there is none).

        offset: code points into the value's text, to point inside a query.
        """
        where = ".".join(str(part) for part in at)
        line, column = self.place(at, key=key, offset=offset)
        return Problem(self.path, line, column, where, what, severity)

    def place(self, at: Path, *, key: bool = False, offset: int | None = None) -> tuple[int, int]:
        """Line and column, from 1, of the value or key at `at` or its nearest parent; (0, 0) for an empty file."""
        first, second = (self._keys, self._values) if key else (self._values, self._keys)
        for length in range(len(at), -1, -1):
            found = first.get(at[:length]) or second.get(at[:length])
            if found is None:
                continue
            if offset and length == len(at) and not key:
                return self._inside(at, found, offset)
            return found.line + 1, found.column + 1
        return 0, 0

    def style(self, at: Path) -> str:
        """How the value at `at` was written: "" plain, "'" or '"' quoted, "|" or ">" block; "" where there is none."""
        found = self._values.get(at)
        return found.style if found else ""

    def comment_after(self, at: Path) -> str:
        """The comment behind the value at `at` on its last line, with its #; "" where there is none.

        For `match: #وسم` and `match: a #b`, where YAML cuts off what was meant as part of a query.
        """
        found = self._values.get(at)
        lines = self.text.splitlines()
        if not found or found.style in ("|", ">") or found.end_line >= len(lines):
            return ""
        rest = lines[found.end_line][found.end_column :].strip()
        return rest if rest.startswith("#") else ""

    def value(self, at: Path) -> object:
        """The value at `at`; KeyError where there is none."""
        value: Any = self.data
        for part in at:
            within = isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value)
            if not within and not (isinstance(value, dict) and part in value):
                raise KeyError(at)
            value = value[part]
        return value

    def _inside(self, at: Path, found: _Place, offset: int) -> tuple[int, int]:
        value = self.value(at)
        before = value[:offset] if isinstance(value, str) else ""
        lines = self.text.splitlines()
        if found.style == "|":
            row = found.line + 1 + before.count("\n")
            content = [line for line in lines[found.line + 1 :] if line.strip()]
            indent = len(content[0]) - len(content[0].lstrip(" ")) if content else 0
            return row + 1, indent + len(before) - (before.rfind("\n") + 1) + 1
        if found.line != found.end_line or found.style == ">":
            return found.line + 1, found.column + 1
        raw = lines[found.line][found.column : found.end_column] if found.line < len(lines) else ""
        quote = 1 if found.style else 0
        if found.style == "'":
            quote += before.count("'")  # written twice in the file
        elif found.style == '"' and "\\" in raw:
            return found.line + 1, found.column + 1
        return found.line + 1, found.column + quote + len(before) + 1


def is_special(path: pathlib.Path) -> bool:
    """Whether path is a pipe, a device or a socket, which may keep its reader waiting for ever. OSError as of stat."""
    mode = path.stat().st_mode
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def read(path: pathlib.Path, *, shown: str | None = None) -> Document:
    """The document in the file at path; ConfigError when it is missing, too large, not UTF-8 or not our YAML."""
    name = shown or str(path)

    def refuse(what: str, line: int = 0) -> ConfigError:
        return ConfigError([Problem(name, line, 1 if line else 0, "", what)])

    try:
        if is_special(path):
            raise refuse(SPECIAL)
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise refuse("there is no such file: `rasid init` makes one, or name your folder with --config") from None
    except IsADirectoryError:
        raise refuse("this is a folder, not a file") from None
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror or error}") from None
    if len(raw) > MAX_BYTES:
        raise refuse("is larger than 1 MB: split it into several files")
    try:
        return parse(raw.decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise refuse("is not UTF-8 text: save it with the encoding UTF-8", line) from None


def parse(text: str, shown: str) -> Document:
    """The document in text; ConfigError with every problem found. shown: the file's name for messages."""
    document = Document(shown, "", text, {}, {})
    reader = _Reader(document)
    data = reader.read()
    if reader.problems:
        raise ConfigError(reader.problems)
    return Document(shown, data, text, document._values, document._keys)


class _Reader:
    """Builds data and places from the parser's events: nothing is expanded, so no alias can explode."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def read(self) -> object:
        try:
            loader = _Loader(self.document.text)
        except yaml.YAMLError as error:
            self._stumble(error)
            return ""
        try:
            return self._document(_events(loader))
        except yaml.YAMLError as error:
            self._stumble(error)
        except _TooDeep:
            return ""  # already among the problems; what follows cannot be read in order
        finally:
            loader.dispose()
        return ""

    def _document(self, events: Iterator[yaml.Event]) -> object:
        data: object = ""
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse(event, (), "a second document starts here: only one is read; remove the ---")
                    break
            elif isinstance(event, yaml.NodeEvent):
                data = self._node(event, events, (), 0)
        return data

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], at: Path, depth: int) -> object:
        self._check(event, at)
        self.document._values[at] = _place(event)
        if isinstance(event, yaml.ScalarEvent):
            return str(event.value)
        if isinstance(event, yaml.AliasEvent):
            return ""
        if depth >= MAX_DEPTH:
            self._refuse(event, at, f"is nested deeper than {MAX_DEPTH} levels")
            raise _TooDeep
        if isinstance(event, yaml.SequenceStartEvent):
            rows: list[object] = []
            while not isinstance(child := next(events), yaml.SequenceEndEvent):
                rows.append(self._node(child, events, (*at, len(rows)), depth + 1))
            return rows
        return self._mapping(events, at, depth)

    def _mapping(self, events: Iterator[yaml.Event], at: Path, depth: int) -> dict[str, object]:
        mapping: dict[str, object] = {}
        while not isinstance(key := next(events), yaml.MappingEndEvent):
            if not isinstance(key, yaml.ScalarEvent) or not key.value:
                self._refuse(key, at, f"a key must be a word: {WRAP}")
                self._node(key, events, (*at, "?"), depth + 1)
                self._node(next(events), events, (*at, "?"), depth + 1)
                continue
            self._check(key, at)
            name = str(key.value)
            path = (*at, name)
            if name in mapping:
                first = self.document._keys[path].line + 1
                self._refuse(key, path, f"is given twice (first on line {first}): keep one of them")
                self._node(next(events), events, (*at, "?"), depth + 1)
                continue
            self.document._keys[path] = _place(key)
            mapping[name] = self._node(next(events), events, path, depth + 1)
        return mapping

    def _check(self, event: yaml.Event, at: Path) -> None:
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, at, f"*{anchor} is an alias for YAML, which is not read here: {WRAP}")
        elif anchor:
            self._refuse(event, at, f"&{anchor} is an anchor for YAML, which is not read here: {WRAP}")
        elif tag:
            self._refuse(event, at, f"{tag} is a tag for YAML, which is not read here: {WRAP}")

    def _refuse(self, event: yaml.Event, at: Path, what: str) -> None:
        place = _place(event)
        where = ".".join(str(part) for part in at)
        self.problems.append(Problem(self.document.path, place.line + 1, place.column + 1, where, what))

    def _stumble(self, error: yaml.YAMLError) -> None:
        opened = re.search(r"a quoted|a flow", str(getattr(error, "context", "")))  # say where it opens, not ends
        first, second = ("context_mark", "problem_mark") if opened else ("problem_mark", "context_mark")
        mark = getattr(error, first, None) or getattr(error, second, None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        lines = self.document.text.splitlines()
        if not mark and isinstance(position := getattr(error, "position", None), int):
            line, column = self._row_of(position)
        what = _explain(error, lines[line - 1] if 0 < line <= len(lines) else "", column)
        self.problems.append(Problem(self.document.path, line, column, "", what))

    def _row_of(self, position: int) -> tuple[int, int]:
        before = self.document.text[:position]
        return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1


class _TooDeep(Exception):
    """The document is nested too deep to go on."""


def _events(loader: Any) -> Iterator[yaml.Event]:
    while loader.check_event():
        yield loader.get_event()


def _place(event: yaml.Event) -> _Place:
    start: Any = event.start_mark
    end: Any = event.end_mark
    return _Place(start.line, start.column, end.line, end.column, getattr(event, "style", None) or "")


_CAUSES = (
    (r"found character that cannot start any token", f"a value cannot start with this character: {WRAP}"),
    (r"scanning an? (alias|anchor)", f"a value that starts with * or & means something else to YAML: {WRAP}"),
    (r"mapping values are not allowed", f"YAML sees a second key here (a colon in the value?): {WRAP}"),
    (r"unexpected end of stream|while scanning a quoted", "a quotation mark is opened and not closed"),
    (r"found a tab|'\\t'", "a tab stands where spaces belong: indent with spaces"),
    (r"scanning a (directive|tag)|tag handle", f"a value that starts with ! or % means something else to YAML: {WRAP}"),
    (r"special characters are not allowed|control characters", "an invisible control character stands here: remove it"),
    (r"scanning a block scalar", "after | or > the text starts on the next line, indented"),
    (r"parsing a flow", "a list [ … ] or { … } is not closed, or a comma is missing in it"),
    (r"could not find expected ':'", "a colon after the key is missing, or the line is indented wrongly"),
    (r"parsing a block|expected <document start>", f"this does not fit: either the indentation is wrong, or {WRAP}"),
)


def _explain(error: yaml.YAMLError, line: str, column: int) -> str:
    words = " ".join(str(part) for part in (getattr(error, "context", ""), getattr(error, "problem", error)) if part)
    if "'\\t'" not in words and "\t" in line[:column] and not line[:column].strip():
        return "a tab stands where spaces belong: indent with spaces"
    if re.search(r"^\s*(?:- +)?(?:[^\s:]+: +)?(?:\"[^\"]*\"|'[^']*') *[^\s#:,\]}]", line):
        return f"text goes on after the closing quotation mark: {WRAP}"
    for pattern, what in _CAUSES:
        if re.search(pattern, words):
            return what
    return f"cannot be read as YAML ({words}): {WRAP}"

"""feeds.yaml → outlets and feeds, or every problem at once; and adding a feed to the file without losing its comments.

defaults:
  interval: 5m
outlets:
  - id: aljazeera
    name: {ar: الجزيرة نت, en: Al Jazeera}
    country: QA
    language: ar
    feeds:
      - https://www.aljazeera.net/feed
      - {url: https://www.aljazeera.net/sport/rss, interval: 30m, tags: [sport]}

Secrets are never in the file: a login is given by the names of environment variables.
"""

from __future__ import annotations

import os
import pathlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from xxhash import xxh3_64_hexdigest

from monitor import yamlfile
from monitor.errors import ConfigError, Problem
from monitor.feeds.feedfile import Defaults, FeedEntry, FeedFile, check_url
from monitor.feeds.urls import canonical
from monitor.model import Feed, Outlet
from monitor.yamlfile import Document

INTERVAL, MAX_AGE = timedelta(minutes=5), timedelta(days=2)


@dataclass(frozen=True)
class Catalog:
    """The outlets by id and all feeds, in file order. variables: the environment variables that the file names."""

    outlets: dict[str, Outlet]
    feeds: tuple[Feed, ...]
    warnings: tuple[Problem, ...] = ()
    variables: frozenset[str] = field(default=frozenset())

    def get(self, feed_id: str) -> Feed | None:
        """The feed of that id, or None."""
        return next((one for one in self.feeds if one.id == feed_id), None)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────


def load(
    path: pathlib.Path,
    environ: Mapping[str, str] | None = None,
    *,
    interval: timedelta = INTERVAL,
    max_age: timedelta = MAX_AGE,
    shown: str | None = None,
) -> Catalog:
    """The catalog in a file; ConfigError with every problem. interval and max_age: of feeds that set none."""
    return read(yamlfile.read(path, shown=shown), environ, interval=interval, max_age=max_age, folder=path.parent)


def read(
    document: Document,
    environ: Mapping[str, str] | None = None,
    *,
    interval: timedelta = INTERVAL,
    max_age: timedelta = MAX_AGE,
    folder: pathlib.Path | None = None,
) -> Catalog:
    """The catalog in a document. folder: where a relative ca_file starts."""
    twice = _twice(document)
    try:
        model = yamlfile.validate(document, FeedFile)
    except ConfigError as error:
        raise ConfigError([*twice, *error.problems]) from None
    if twice:
        raise ConfigError(twice)
    reading = _Reading(document, environ or {}, model.defaults, interval, max_age, folder or pathlib.Path())
    outlets: dict[str, Outlet] = {}
    feeds: list[Feed] = []
    for number, entry in enumerate(model.outlets):
        outlet = Outlet(entry.id, entry.name.ar, entry.name.en, entry.country, entry.language)
        outlets[outlet.id] = outlet
        if not entry.feeds:
            reading.warn(("outlets", number), "has no feeds: add one below `feeds:`, or remove the outlet")
        feeds += [
            reading.feed(outlet, one, ("outlets", number, "feeds", place)) for place, one in enumerate(entry.feeds)
        ]
    if not any(feed.enabled for feed in feeds):
        reading.warn((), "there are no feeds to poll: add one with `rasid feeds add URL`")
    return Catalog(outlets, tuple(feeds), tuple(sorted(reading.warnings)), frozenset(reading.variables))


def feed_id(outlet_id: str, url: str) -> str:
    """The id of a feed that is given none: its outlet's with six letters of the URL's hash."""
    return f"{outlet_id}-{xxh3_64_hexdigest(url.encode())[:6]}"


@dataclass
class _Reading:
    document: Document
    environ: Mapping[str, str]
    defaults: Defaults
    interval: timedelta
    max_age: timedelta
    folder: pathlib.Path
    warnings: list[Problem] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)

    def warn(self, at: yamlfile.Path, what: str) -> None:
        self.warnings.append(self.document.problem(at, what, severity="warning"))

    def feed(self, outlet: Outlet, entry: FeedEntry, at: yamlfile.Path) -> Feed:
        defaults = self.defaults
        language = entry.language or outlet.language
        ca_file = str(self.folder / entry.ca_file) if entry.ca_file else None
        if ca_file and not pathlib.Path(ca_file).is_file():
            self.warn((*at, "ca_file"), f"there is no file {ca_file}: the feed cannot be fetched")
        headers = {**defaults.headers, **entry.headers}
        return Feed(
            id=entry.id or feed_id(outlet.id, entry.url),
            url=entry.url,
            outlet=outlet,
            language=None if language == "auto" else language,
            tags=entry.tags,
            interval=entry.interval or defaults.interval or self.interval,
            max_age=_first(entry.max_age, defaults.max_age, self.max_age),
            full_text=_first(entry.full_text, defaults.full_text, False),
            headers={
                name: self.secret(text[1:], (*at, "headers")) if text.startswith("$") else text
                for name, text in headers.items()
            },
            username=self.secret(entry.username_env, (*at, "username_env")) if entry.username_env else None,
            password=self.secret(entry.password_env, (*at, "password_env")) if entry.password_env else None,
            ca_file=ca_file,
            user_agent=entry.user_agent or defaults.user_agent,
            proxy=defaults.proxy if entry.proxy is None else entry.proxy,
            enabled=entry.enabled,
        )

    def secret(self, name: str, at: yamlfile.Path) -> str:
        self.variables.add(name)
        if not self.environ.get(name):
            self.warn(at, f"{name} is not set: put it into the environment or .env")
        return self.environ.get(name, "")


_T = TypeVar("_T")


def _first(*values: _T | None) -> _T:
    return next(value for value in values if value is not None)


def _twice(document: Document) -> list[Problem]:
    """A problem for each id or address that is given more than once, also in a file that has others."""
    outlets = document.data.get("outlets") if isinstance(document.data, dict) else None
    first: dict[tuple[str, str], int] = {}
    problems: list[Problem] = []

    def see(kind: str, word: object, at: yamlfile.Path, what: str) -> None:
        if not isinstance(word, str) or not word:
            return
        line, _ = document.place(at)
        if (kind, word) in first:
            problems.append(document.problem(at, f"{what} (first on line {first[kind, word]}): keep one of them"))
        else:
            first[kind, word] = line

    for number, outlet in enumerate(outlets if isinstance(outlets, list) else []):
        if not isinstance(outlet, dict):
            continue
        see("outlet", outlet.get("id"), ("outlets", number, "id"), "there is already an outlet with this id")
        feeds = outlet.get("feeds")
        for place, feed in enumerate(feeds if isinstance(feeds, list) else []):
            at: yamlfile.Path = ("outlets", number, "feeds", place)
            url = feed.get("url") if isinstance(feed, dict) else feed
            at_url = (*at, "url") if isinstance(feed, dict) else at
            see("url", canonical(url) if isinstance(url, str) else None, at_url, "this address is already polled")
            if isinstance(feed, dict):
                see("feed", feed.get("id"), (*at, "id"), "there is already a feed with this id")
    return problems


# ── adding ───────────────────────────────────────────────────────────────────────────────────────────────────────


def add_feed(path: pathlib.Path, url: str, outlet: Outlet) -> Feed:
    """Append a feed to the file, below its outlet where that is there, else below a new outlet; comments stay.

    The new text is validated before the file is replaced, at once and whole. ConfigError: the address cannot be used,
    is polled already, or the file has problems or a layout that cannot be added to.
    """
    try:
        check_url(url)
    except ValueError as error:
        raise ConfigError([Problem(str(path), 0, 0, "url", str(error))]) from None
    document = yamlfile.read(path)
    before = {one.id for one in read(document, folder=path.parent).feeds}
    text = _with_feed(document, url, outlet)
    try:
        after = read(yamlfile.parse(text, str(path)), folder=path.parent)
    except ConfigError as error:
        if twice := [one for one in error.problems if "already polled" in one.what]:
            raise ConfigError(twice) from None
        wrong = [one for one in error.problems if one.where.endswith((".id", ".country", ".language", ".ar", ".en"))]
        if wrong:  # of what was to be added, since the file had no problems
            raise ConfigError(
                [Problem(str(path), 0, 0, one.where.split(".", 2)[2], one.what) for one in wrong]
            ) from None
        what = "cannot be added to as it is laid out: write each outlet on lines of its own, starting with - id:"
        raise ConfigError([Problem(str(path), 0, 0, "outlets", what)]) from None
    added = [one for one in after.feeds if one.id not in before]
    if len(added) != 1 or added[0].url != url:
        what = "cannot be added to as it is laid out: write `feeds:` as a list, each on a line that starts with -"
        raise ConfigError([Problem(str(path), 0, 0, f"outlets.{outlet.id}", what)])
    _replace(path, text)
    return added[0]


def _with_feed(document: Document, url: str, outlet: Outlet) -> str:
    lines = document.text.splitlines()
    data = document.data if isinstance(document.data, dict) else {}
    raw = data.get("outlets")
    outlets = raw if isinstance(raw, list) else []
    written = f"'{url}'"
    for number, entry in enumerate(outlets):
        if not isinstance(entry, dict) or entry.get("id") != outlet.id:
            continue
        feeds = entry.get("feeds") or []
        if not feeds:
            break
        last: yamlfile.Path = ("outlets", number, "feeds", len(feeds) - 1)
        line, column = document.place(last)
        end = _end_of(lines, line - 1, column - 3)
        lines.insert(end, f"{' ' * (column - 3)}- {written}")
        return "\n".join(lines) + "\n"
    indent = 2
    if outlets:
        indent = max(document.place(("outlets", 0))[1] - 3, 0)
    elif "outlets" not in data:
        lines.append("outlets:")
    pad = " " * indent
    names = f"{{ar: {_quote(outlet.name_ar)}, en: {_quote(outlet.name_en)}}}"
    block = [f"{pad}- id: {outlet.id}", f"{pad}  name: {names}", f"{pad}  country: {outlet.country}"]
    block += [f"{pad}  language: {outlet.language}", f"{pad}  feeds:", f"{pad}    - {written}"]
    end = _end_of(lines, document.place(("outlets", len(outlets) - 1))[0] - 1, indent) if outlets else len(lines)
    return "\n".join([*lines[:end], *block, *lines[end:]]) + "\n"


def _end_of(lines: list[str], start: int, indent: int) -> int:
    """The line after the entry that starts at `start`: before the next text that is not indented deeper."""
    end = start + 1
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if len(line) - len(line.lstrip()) <= indent:
            break
        end = number + 1
    return end


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _replace(path: pathlib.Path, text: str) -> None:
    """The file with new text, whole or not at all; its permissions stay."""
    target = path.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        pathlib.Path(name).chmod(target.stat().st_mode & 0o777)
        pathlib.Path(name).replace(target)
    except BaseException:
        pathlib.Path(name).unlink(missing_ok=True)
        raise

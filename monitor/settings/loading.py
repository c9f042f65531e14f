"""rasid.yaml, .env and the environment as one Loaded, or every problem at once.

The order: a default gives way to rasid.yaml, that to .env, that to the environment. Secrets are only taken from the
last two. Nothing else in Rasid reads os.environ to decide anything.
"""

from __future__ import annotations

import copy
import os
import pathlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, get_args
from zoneinfo import available_timezones

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from monitor import yamlfile
from monitor.errors import ConfigError, Problem
from monitor.settings import dotenv
from monitor.settings.kinds import MASK, masked, password_of, show_size, with_password
from monitor.settings.models import Settings
from monitor.yamlfile import Document, near, show_duration

PREFIX = "RASID_"
SECRETS: Mapping[str, str] = {
    "RASID_TELEGRAM_TOKEN": "the bot's token, from @BotFather",
    "RASID_TELEGRAM_CHAT": "the chat that channels without `chat` write to",
    "RASID_DATABASE_PASSWORD": "put into database.url where that has none",
}
_OTHERS = ("RASID_CONFIG",)  # read by the command line
_HIDDEN = ("RASID_TELEGRAM_TOKEN", "RASID_DATABASE_PASSWORD")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `config show`; value is as it would be written, with passwords hidden."""

    name: str
    value: str
    origin: str
    about: str


@dataclass(frozen=True)
class Loaded:
    """The settings in force and where each comes from.

    origins: by dotted name: "default", "rasid.yaml:12", ".env:3", "environment RASID_LOG__LEVEL", "system".
    environ: the environment with .env beneath it, for the secrets of channels and feeds. project: the folder that
    holds the configuration folder; relative paths of settings start there.
    """

    settings: Settings
    origins: Mapping[str, str]
    environ: Mapping[str, str] = field(repr=False)
    warnings: tuple[Problem, ...]
    directory: pathlib.Path
    project: pathlib.Path

    @property
    def environ_with_dotenv(self) -> Mapping[str, str]:
        """The same as environ."""
        return self.environ

    def rows(self) -> list[Row]:
        """Every setting and known secret with its value and origin."""
        found = [
            Row(name, shown(self.value(name)), self.origins[name], one.description or "") for name, one in fields()
        ]
        for name, about in SECRETS.items():
            value = self.environ.get(name, "")
            shown_value = (MASK if name in _HIDDEN else value) if value else "(not set)"
            found.append(Row(name, shown_value, self.origins.get(name, "default"), about))
        return found

    def value(self, name: str) -> object:
        """The value of a setting by its dotted name."""
        value: Any = self.settings
        for part in name.split("."):
            value = getattr(value, part)
        return value


def shown(value: object) -> str:
    """A setting's value as it would be written in rasid.yaml, with passwords hidden."""
    if value is None:
        return "off"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        return show_duration(value)
    if isinstance(value, int) and value >= 1024 and value % 1024 == 0:
        return show_size(value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return masked(str(value))


def fields(model: type[BaseModel] = Settings, before: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every setting by its dotted name, in the order of the models."""
    for name, one in model.model_fields.items():
        if isinstance(one.annotation, type) and issubclass(one.annotation, BaseModel):
            yield from fields(one.annotation, f"{before}{name}.")
        else:
            yield f"{before}{name}", one


def variable(name: str) -> str:
    """The environment variable of a setting: RASID_LOG__LEVEL for log.level."""
    return PREFIX + name.upper().replace(".", "__")


def cache_folder() -> pathlib.Path | None:
    """Where this user's programs keep what can be made again, as the XDG base directories say; None: nowhere."""
    try:
        base = os.environ.get("XDG_CACHE_HOME", "") or pathlib.Path.home() / ".cache"
    except RuntimeError:  # a user without a home
        return None
    return pathlib.Path(base) / "rasid" if pathlib.Path(base).is_absolute() else None


def load(directory: pathlib.Path, environ: Mapping[str, str] | None = None) -> Loaded:
    """The settings of a configuration folder. ConfigError with every problem of rasid.yaml, .env and environment.

    environ: os.environ unless given. A rasid.yaml that is not there means: all defaults.
    """
    given = dict(os.environ if environ is None else environ)
    if not directory.is_dir():
        what = "there is no such folder: make one with `rasid init`, or name yours with --config"
        raise ConfigError([Problem(str(directory), 0, 0, "", what)])
    reading = _Reading(directory, directory.resolve().parent)
    reading.read_env(given)
    document = reading.read_yaml()
    merged = reading.merge(document)
    settings = reading.validated(merged)
    if reading.errors or settings is None:
        raise ConfigError(reading.errors)
    settings = reading.completed(settings)
    return Loaded(
        settings, reading.origins, reading.environ, tuple(sorted(reading.warnings)), directory, reading.project
    )


class _Reading:
    """One load under way. overrides: dotted name → (value, origin)."""

    def __init__(self, directory: pathlib.Path, project: pathlib.Path) -> None:
        self.directory = directory
        self.project = project
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []
        self.environ: dict[str, str] = {}
        self.overrides: dict[str, tuple[str, Problem]] = {}
        self.origins: dict[str, str] = dict.fromkeys((name for name, _ in fields()), "default")

    def read_env(self, given: Mapping[str, str]) -> None:
        """The environment over .env over the project's .env; a place for each RASID_ variable."""
        places: dict[str, tuple[Problem, str]] = {}
        for path, name in ((self.project / ".env", "../.env"), (self.directory / ".env", ".env")):
            found = dotenv.read(path, str(self.directory.parent / ".env" if name == "../.env" else path))
            for problem in found.problems:
                (self.warnings if problem.severity == "warning" else self.errors).append(problem)
            for key, (value, line) in found.values.items():
                self.environ[key] = value
                file = found.problems[0].file if found.problems else str(path)
                places[key] = (Problem(file, line, 1, key, ""), f"{name}:{line}")
        for key, value in given.items():
            if value or key not in self.environ:  # an empty variable does not hide the one in .env
                self.environ[key] = value
                places[key] = (Problem("environment", 0, 0, key, ""), f"environment {key}")
        known = {variable(name): name for name, _ in fields()}
        for key, (place, origin) in places.items():
            if not key.startswith(PREFIX) or not self.environ[key].strip():
                continue
            if key in known:
                self.overrides[known[key]] = (self.environ[key].strip(), place)
                self.origins[known[key]] = origin
            elif key in SECRETS:
                self.origins[key] = origin
            elif key not in _OTHERS:
                guess = near(key, [*known, *SECRETS, *_OTHERS])
                mend = f"did you mean {guess}?" if guess else "`rasid config show` lists the settings"
                self.warnings.append(_at(place, f"is no setting, so it changes nothing: {mend}", "warning"))

    def read_yaml(self) -> Document:
        """rasid.yaml, empty if it is missing or cannot be read (which is noted)."""
        path = self.directory / "rasid.yaml"
        if path.exists():
            try:
                return yamlfile.read(path)
            except ConfigError as error:
                self.errors += error.problems
        return Document(str(path), "", "")

    def merge(self, document: Document) -> Document:
        """The document with the overrides laid over it; secrets in the document are refused."""
        data: Any = copy.deepcopy(document.data)
        if data == "":
            data = {}
        if not isinstance(data, dict):
            return document
        for name, one in fields():
            *parents, last = name.split(".")
            section: Any = data
            for parent in parents:
                section = section.get(parent, "") if isinstance(section, dict) else None
            if isinstance(section, dict) and section.get(last, "") != "":
                self._note_yaml(document, name, section[last])
            if name in self.overrides and section is not None and (section == "" or isinstance(section, dict)):
                value: object = self.overrides[name][0]
                if tuple in (getattr(one.annotation, "__origin__", None), *get_args(one.annotation)):
                    value = [part.strip() for part in str(value).strip("[] ").split(",") if part.strip()]
                target = data
                for parent in parents:
                    if target.get(parent, "") == "":
                        target[parent] = {}
                    target = target[parent]
                target[last] = value
        return Document(document.path, data, document.text, document._values, document._keys)

    def _note_yaml(self, document: Document, name: str, value: object) -> None:
        at = tuple(name.split("."))
        line, _ = document.place(at)
        if name not in self.overrides:
            self.origins[name] = f"rasid.yaml:{line}"
        if isinstance(value, str) and password_of(value):
            what = (
                f"holds a password, and secrets are not kept in this file: take it out and set {variable(name)} "
                "to the whole address in .env or the environment"
            )
            if name == "database.url":
                what += ", or only the password as RASID_DATABASE_PASSWORD"
            self.errors.append(document.problem(at, what))

    def validated(self, document: Document) -> Settings | None:
        """The merged document as Settings; problems with overrides are told where those stand."""
        try:
            return yamlfile.validate(document, Settings)
        except ConfigError as error:
            for problem in error.problems:
                override = next(
                    (
                        place
                        for name, (_, place) in self.overrides.items()
                        if problem.where == name or problem.where.startswith(f"{name}.")
                    ),
                    None,
                )
                self.errors.append(_at(override, problem.what) if override else problem)
            return None

    def completed(self, settings: Settings) -> Settings:
        """With what a file cannot say: the password, absolute paths, the machine's time zone."""
        url = settings.database.url
        if url.startswith("sqlite:///"):
            path, _, query = url.removeprefix("sqlite:///").partition("?")
            url = f"sqlite:///{self.project / path}" + (f"?{query}" if query else "")
        elif (password := self.environ.get("RASID_DATABASE_PASSWORD", "")) and not password_of(url):
            url = with_password(url, password)
        changed: dict[str, object] = {"database": settings.database.model_copy(update={"url": url})}
        if settings.timezone is None:
            changed["timezone"], self.origins["timezone"] = _timezone(self.environ)
        return settings.model_copy(update=changed)


def _at(place: Problem, what: str, severity: str = "error") -> Problem:
    return Problem(place.file, place.line, place.column, place.where, what, severity)


def _timezone(environ: Mapping[str, str]) -> tuple[str, str]:
    """The machine's time zone and where it was found; UTC where it cannot be told."""
    zones = available_timezones()
    wanted = environ.get("TZ", "").lstrip(":").strip()
    if wanted in zones:
        return wanted, "environment TZ"
    try:
        named = pathlib.Path("/etc/timezone").read_text("ascii").strip()
    except (OSError, ValueError):
        named = ""
    linked = str(pathlib.Path("/etc/localtime").resolve()).partition("/zoneinfo/")[2]
    for name in (linked, named):
        if name in zones:
            return name, "system"
    return "UTC", "default"

"""A configuration folder as one Configuration: all files read, every problem of every file at once, names compared.

rasid.yaml   monitor.settings          feeds.yaml      monitor.feeds.catalog
rules.yaml, rules/*.yaml   monitor.matching.rules       channels.yaml   monitor.delivery.channels
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from monitor import settings, yamlfile
from monitor.delivery import apprise, webhook
from monitor.delivery import channels as channel_file
from monitor.delivery import routes as route_file
from monitor.delivery.telegram import TOKEN_ENV, chat_of
from monitor.delivery.transports import HttpOptions
from monitor.errors import ConfigError, Problem
from monitor.feeds import catalog as feed_file
from monitor.feeds.catalog import Catalog
from monitor.feeds.guard import Limits
from monitor.matching import rules as rule_file
from monitor.matching.rules import RuleSet, WatchRule
from monitor.model_delivery import Channel, Route
from monitor.settings import Loaded
from monitor.yamlfile import near

T = TypeVar("T")
Marks = frozenset[tuple[pathlib.Path, int, int, int]]  # file, time of change (ns), size, inode
_ADDRESSES = {"webhook": webhook.URL_ENV, "apprise": apprise.URL_ENV}  # variables of channels that name none
TAG = "rule with the tag"
_SECRET_SIGNS = ("TOKEN", "SECRET", "PASSWORD", "APPRISE", "WEBHOOK_URL")


@dataclass(frozen=True)
class Configuration:
    """What the daemon works by. channels: as configured, with the settings' language and time zone where they set
    none; `delivery.channels.resolve(channels, settings.environ)` lets those without secrets print on the console.
    read_as: the marks of the files just before they were read."""

    settings: Loaded
    catalog: Catalog
    rules: RuleSet
    channels: dict[str, Channel]
    warnings: tuple[Problem, ...]
    read_as: Marks
    routes: tuple[Route, ...] = ()

    def limits(self) -> Limits:
        """The bounds of one fetch."""
        fetch = self.settings.settings.fetch
        return Limits(fetch.total_seconds, fetch.max_bytes, fetch.max_redirects)

    def secrets(self) -> set[str]:
        """Values that must never be printed: of variables that are named like secrets or that a file calls for, and
        the passwords inside addresses."""
        environ, found = self.settings.environ, self.settings.settings
        named = {
            name for name in environ if any(sign in name.upper() for sign in _SECRET_SIGNS)
        } | self.catalog.variables
        for channel in self.channels.values():
            named |= {
                str(value) for key, value in channel.options.items() if key.endswith("_env") and key != "chat_env"
            }
        values = {environ[name] for name in named if environ.get(name)}
        addresses = [found.database.url, found.fetch.proxy or "", found.telegram.proxy or "", *values]
        return values | {word for one in addresses for word in _passwords(one)}

    def http_options(self) -> HttpOptions:
        """How transports reach the network."""
        telegram = self.settings.settings.telegram
        return HttpOptions(
            proxy=telegram.proxy,
            base_url=telegram.base_url,
            connect_timeout=telegram.connect_timeout.total_seconds(),
            read_timeout=telegram.read_timeout.total_seconds(),
            write_timeout=telegram.write_timeout.total_seconds(),
            pool_timeout=telegram.pool_timeout.total_seconds(),
            total=telegram.total.total_seconds(),
        )


def _passwords(address: str) -> list[str]:
    try:
        password = urlsplit(address).password
    except ValueError:
        return []
    return [password, unquote(password)] if password else []


def files(directory: pathlib.Path) -> list[pathlib.Path]:
    """The files and folders that `load` reads, whether they are there or not: what a reload watches."""
    names = ("rasid.yaml", ".env", "feeds.yaml", "channels.yaml", "rules.yaml", "rules")
    return [*(directory / name for name in names), directory.resolve().parent / ".env"]


def marks(directory: pathlib.Path) -> Marks:
    """What tells one state of the files from another."""
    found = set()
    for path in files(directory):
        for one in (path, *path.glob("*.y*ml")):
            try:
                state = one.stat()
            except OSError:
                continue
            found.add((one, state.st_mtime_ns, state.st_size, state.st_ino))
    return frozenset(found)


def load(
    directory: pathlib.Path, environ: Mapping[str, str] | None = None, before: RuleSet | None = None
) -> Configuration:
    """Everything in a configuration folder. ConfigError with the problems of all files.

    environ: os.environ unless given. before: the rules in force; of rule files that did not change, they are kept.
    """
    if not directory.is_dir():
        settings.load(directory, environ)  # says so
    problems: list[Problem] = []
    read_as = marks(directory)
    loaded = _try(problems, lambda: settings.load(directory, environ))
    secrets = loaded.environ if loaded else {}
    polling = loaded.settings if loaded else settings.Settings()
    catalog = _try(
        problems,
        lambda: feed_file.load(
            directory / "feeds.yaml", secrets, interval=polling.polling.interval, max_age=polling.alerts.max_age
        ),
    )
    rules = _try(problems, lambda: rule_file.load(_rule_paths(directory), before))
    channels = _try(problems, lambda: _channels(directory / "channels.yaml", polling))
    warnings = _cross_checks(directory, loaded, catalog, rules, channels, problems)
    names = channels or {}
    routes = _try(problems, lambda: _routes(directory / "channels.yaml", names, catalog, rules, warnings)) or ()
    if problems or loaded is None or catalog is None or rules is None or channels is None:
        raise ConfigError(list(dict.fromkeys(problems)))
    return Configuration(loaded, catalog, rules, channels, tuple(sorted(warnings)), read_as, routes)


def channels(directory: pathlib.Path, environ: Mapping[str, str] | None = None) -> dict[str, Channel]:
    """The channels of a configuration folder alone, as `Configuration` has them. ConfigError with all problems."""
    return _channels(directory / "channels.yaml", settings.load(directory, environ).settings)


def _try(problems: list[Problem], read: Callable[[], T]) -> T | None:
    try:
        return read()
    except ConfigError as error:
        problems += error.problems
        return None


def _rule_paths(directory: pathlib.Path) -> list[pathlib.Path]:
    single, folder = directory / "rules.yaml", directory / "rules"
    return [path for path in (single, folder) if path.exists()] or [single]


def _channels(path: pathlib.Path, found: settings.Settings) -> dict[str, Channel]:
    document = yamlfile.read(path)
    channels = channel_file.read(document)
    entries = document.data.get("channels") if isinstance(document.data, dict) else None
    for entry in entries if isinstance(entries, list) else []:
        channel = channels[entry["name"].strip()]
        language = channel.language if entry.get("language") else found.language
        options = dict(channel.options)
        if channel.type == "file":  # as the database's, its path begins beside the configuration folder
            options["path"] = str(path.resolve().parent.parent / str(options["path"]))
        quiet = channel.quiet if entry.get("quiet") else found.alerts.quiet
        channels[channel.name] = replace(
            channel, language=language, timezone=channel.timezone or found.timezone, quiet=quiet, options=options
        )
    return channels


def _routes(
    path: pathlib.Path,
    channels: Mapping[str, Channel],
    catalog: Catalog | None,
    rules: RuleSet | None,
    warnings: list[Problem],
) -> tuple[Route, ...]:
    """The routes of channels.yaml, where everything could be read that they name; adds to the warnings."""
    if not channels or catalog is None or rules is None:
        return ()
    document = yamlfile.read(path)
    routes, doubts = route_file.read(document, channels)
    ids = [watch.rule.id for watch in rules.rules]
    tags = {tag for watch in rules.rules for tag in watch.rule.tags}
    problems = []
    for number, route in enumerate(routes):
        for key, names, known in (("rules", route.rules, ids), ("outlets", route.outlets, catalog.outlets)):
            strange = [name for name in names if name not in known]
            problems += [route_file.unknown(document, number, key, one, known, key[:-1]) for one in strange]
        strange = [tag for tag in route.tags if tag not in tags]
        doubts += [route_file.unknown(document, number, "tags", tag, sorted(tags), TAG, "warning") for tag in strange]
    if problems:
        raise ConfigError(problems)
    warnings += doubts
    return routes


def _cross_checks(
    directory: pathlib.Path,
    loaded: Loaded | None,
    catalog: Catalog | None,
    rules: RuleSet | None,
    channels: dict[str, Channel] | None,
    problems: list[Problem],
) -> list[Problem]:
    """Names of one file that another must know, added to problems. Returns the warnings of what could be read."""
    warnings = [*(loaded.warnings if loaded else ()), *(catalog.warnings if catalog else ())]
    warnings += rules.warnings if rules else ()
    named = set(catalog.variables if catalog else ())
    if channels is not None:
        named |= {str(v) for one in channels.values() for k, v in one.options.items() if k.endswith("_env")}
        named |= {_ADDRESSES[one.type] for one in channels.values() if one.type in _ADDRESSES}
        if not channels:
            what = "there are no channels: no alert is sent anywhere; add one, at least `- {name: main, type: console}`"
            warnings.append(Problem(str(directory / "channels.yaml"), 0, 0, "channels", what, "warning"))
    warnings += _bot(directory, loaded) if loaded is not None else ()
    warnings += _twins(directory, loaded, channels) if loaded is not None and channels is not None else ()
    ids = [watch.rule.id for watch in rules.rules] if rules else []
    for watch in rules.rules if rules else ():
        for name in watch.rule.muted_by:
            others = [one for one in ids if one != watch.rule.id]
            _known(watch, "muted_by", name, others, "the rules, other than this one", problems)
        if channels is not None:
            for name in watch.rule.channels:
                _known(watch, "channels", name, channels, "channels.yaml", problems)
        if catalog is not None:
            for name in watch.rule.outlets_include:
                _known(watch, "outlets.include", name, catalog.outlets, "feeds.yaml", problems)
            for name in watch.rule.outlets_exclude:
                _known(watch, "outlets.exclude", name, catalog.outlets, "feeds.yaml", problems)
    if loaded is not None and channels is not None:
        problems += _operator(directory, loaded, channels)
    return [one for one in warnings if one.where not in named]


def _bot(directory: pathlib.Path, loaded: Loaded) -> list[Problem]:
    """What keeps a bot that was turned on from answering anybody."""
    bot = loaded.settings.bot
    if not bot.enabled:
        return []
    missing = []
    if not loaded.environ.get(TOKEN_ENV, "").strip():
        missing.append(f"it has no token: set {TOKEN_ENV} in .env, or the bot stays off")
    if not bot.people:
        missing.append("nobody may use it: write user ids into bot.owners, bot.editors or bot.readers")
    return [Problem(str(directory / "rasid.yaml"), 0, 0, "bot", what, "warning") for what in missing]


def _twins(directory: pathlib.Path, loaded: Loaded, channels: Mapping[str, Channel]) -> list[Problem]:
    """Channels that write to one chat: whoever reads it gets an alert that goes to both of them twice."""
    found: list[Problem] = []
    first: dict[tuple[str, str], str] = {}
    for name, channel in channels.items():
        chat = chat_of(channel, loaded.environ) if channel.type == "telegram" else ""
        if not chat:
            continue
        before = first.setdefault((chat, str(channel.options.get("topic", ""))), name)
        if before != name:
            what = f"{before} and {name} write to the same chat: an alert that goes to both of them comes there twice"
            found.append(Problem(str(directory / "channels.yaml"), 0, 0, f"channels.{name}", what, "warning"))
    return found


def _known(watch: WatchRule, key: str, name: str, known: Iterable[str], file: str, problems: list[Problem]) -> None:
    """Note a name that a rule uses and `file` does not define, at the place where the rule says it."""
    known = list(known)
    if name in known:
        return
    thing = "rule" if key == "muted_by" else key.partition(".")[0].removesuffix("s")
    guess = near(name, known)
    what = f"there is no {thing} {name} in {file}: " + (
        f"did you mean {guess}?" if guess else f"there are {', '.join(known[:12])}" if known else "it names none"
    )
    line, column, where = watch.line, 1, f"{watch.rule.id}.{key}"
    document = yamlfile.read(pathlib.Path(watch.file))
    rules = document.data.get("rules") if isinstance(document.data, dict) else None
    for number, entry in enumerate(rules if isinstance(rules, list) else []):
        if isinstance(entry, dict) and entry.get("id") == watch.rule.id:
            at: yamlfile.Path = ("rules", number, *key.split("."))
            value = document.value(at)
            at = (*at, value.index(name)) if isinstance(value, list) and name in value else at
            line, column = document.place(at)
            where = ".".join(map(str, at))
    problems.append(Problem(watch.file, line, column, where, what))


def _operator(directory: pathlib.Path, loaded: Loaded, channels: Mapping[str, Channel]) -> list[Problem]:
    name = loaded.settings.operator.channel
    if name == "log" or name in channels:
        return []
    guess = near(name, ["log", *channels])
    mend = f"did you mean {guess}?" if guess else f"write log, or one of {', '.join(channels) or 'channels.yaml'}"
    what = f"there is no channel {name} in channels.yaml: {mend}"
    origin = loaded.origins["operator.channel"]
    if not origin.startswith("rasid.yaml"):
        return [Problem(origin, 0, 0, "operator.channel", what)]
    document = yamlfile.read(directory / "rasid.yaml")
    return [document.problem(("operator", "channel"), what)]

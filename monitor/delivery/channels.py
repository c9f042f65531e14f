"""channels.yaml → channels, or every problem at once. Secrets are never in the file, only the names of variables.

channels:
  - name: main                     # rules refer to it
    type: telegram                 # telegram, webhook, apprise, file, console
    language: ar                   # ar, en, or with a region: ar-LB writes تشرين الثاني
    timezone: Asia/Riyadh          # without it: the setting `timezone`
    chat: "-1001234567890"
"""

from __future__ import annotations

import difflib
import pathlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from monitor import yamlfile
from monitor.delivery import telling
from monitor.delivery.telegram import CHAT_ENV, TOKEN_ENV, chat_of, token_of
from monitor.errors import ConfigError, Problem
from monitor.model_delivery import Channel, Mode, Schedule

Check = Callable[[str], tuple[object, str]]  # a value as written → (value, "") or (None, what is wrong)

KEYS = ("channels", "routes")  # of the file; routes.py reads the second
_NAME = re.compile(r"[\w][\w.-]{0,63}")
_TOKEN = re.compile(r"\d{5,}:[A-Za-z0-9_-]{20,}")


def load(path: pathlib.Path, *, shown: str | None = None) -> dict[str, Channel]:
    """The channels of a file by name, in file order. ConfigError with all problems."""
    return read(yamlfile.read(path, shown=shown))


def read(document: yamlfile.Document) -> dict[str, Channel]:
    """The channels of a document by name. ConfigError with all problems."""
    data = document.data
    if data == "":
        return {}
    problems: list[Problem] = []
    if not isinstance(data, dict):
        raise ConfigError([document.problem((), "write `channels:` and below it a list of channels")])
    problems += [
        document.problem((key,), f"no such key{_meant(key, KEYS)}", key=True) for key in data if key not in KEYS
    ]
    entries = data.get("channels", "")
    if entries != "" and not isinstance(entries, list):
        problems.append(document.problem(("channels",), "must be a list: each channel begins with `- name:`"))
    channels: dict[str, Channel] = {}
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        channel = _channel(document, ("channels", index), entry, problems)
        if channel is not None and channel.name in channels:
            what = f"there is already a channel named {channel.name!r}"
            problems.append(document.problem(("channels", index, "name"), what))
        elif channel is not None:
            channels[channel.name] = channel
    if problems:
        raise ConfigError(problems)
    return channels


@dataclass(frozen=True, slots=True)
class Resolved:
    """Channels that can be built, and one line for each that had to fall back to the console."""

    channels: dict[str, Channel]
    hints: tuple[str, ...]


def resolve(channels: Mapping[str, Channel], env: Mapping[str, str]) -> Resolved:
    """Let telegram channels without a token or chat in the environment print on the console instead."""
    ready: dict[str, Channel] = {}
    hints: list[str] = []
    for name, channel in channels.items():
        missing = _missing(channel, env) if channel.type == "telegram" else []
        ready[name] = channel
        if missing:
            ready[name] = replace(channel, type="console", options={})
            hints.append(
                f"channel {name}: alerts are printed here; to have them on Telegram set {' and '.join(missing)} "
                "in the environment or in .env, then run `rasid channels test`"
            )
    return Resolved(ready, tuple(hints))


def _missing(channel: Channel, env: Mapping[str, str]) -> list[str]:
    missing = []
    if not token_of(channel, env):
        missing.append(f"{channel.options.get('token_env') or TOKEN_ENV} (the token from @BotFather)")
    if not chat_of(channel, env):
        missing.append(f"{channel.options.get('chat_env') or CHAT_ENV} (the chat's id, like -1001234567890)")
    return missing


# ── one channel ──────────────────────────────────────────────────────────────────────────────────────────────────


def _channel(document: yamlfile.Document, at: yamlfile.Path, entry: object, problems: list[Problem]) -> Channel | None:
    before = len(problems)
    if not isinstance(entry, dict):
        problems.append(document.problem(at, "must be a channel: `name:`, `type:` and its options"))
        return None
    kind = _kind(document, at, entry, problems)
    if entry.get("name", "") == "":
        problems.append(document.problem(at, "needs a `name`, by which rules refer to it"))
    known = {**COMMON, **OPTIONS.get(kind, {})}
    values: dict[str, object] = {}
    for key, value in entry.items():
        if key in known:
            taken, wrong = _take(document, (*at, key), known[key], value)
            problems += wrong
            if taken is not None:
                values[key] = taken
        elif kind:
            what = f"no such option of a {kind} channel{_secret(key, value)}{_meant(key, known)}"
            problems.append(document.problem((*at, key), what, key=True))
    if "audit" in values and (why := _unauditable(str(values.get("chat", "")), str(values["audit"]))):
        problems.append(document.problem((*at, "audit"), why))
    if len(problems) == before:
        problems += [document.problem((*at, *key), what) for key, what in _unfit(kind, values)]
    if len(problems) > before:
        return None
    burst, window = _burst(kind, values)
    schedule, quiet = values.get("digest"), values.get("quiet")
    mode = values.get("mode", Mode.DIGEST if schedule else Mode.STORY)
    return Channel(
        name=str(values["name"]),
        type=kind,
        language=str(values.get("language", "ar")),
        timezone=str(values["timezone"]) if "timezone" in values else None,
        options={key: value for key, value in values.items() if key not in COMMON},
        mode=Mode(str(mode)),
        digest=schedule if isinstance(schedule, Schedule) else None,
        burst=burst,
        burst_window=window,
        quiet=(quiet[0], quiet[1]) if isinstance(quiet, tuple) and quiet else None,
        quiet_high=values.get("quiet_high") is True,
        hashtags=values.get("hashtags") is True,
    )


def _unauditable(chat: str, audit: str) -> str:
    """Why an audit chat is of no use, as far as the chats' names tell; "" if nothing speaks against it."""
    if chat == audit:
        return "must be another chat than the channel's own: copies of its messages go there"
    if audit.isdecimal():
        return "must be a channel or group of its own, not a person"
    if chat and not chat.startswith(("-100", "@")):
        return "is of use only for channels and supergroups (-100…): other chats do not number their messages"
    return ""


def _unfit(kind: str, values: Mapping[str, object]) -> Iterator[tuple[tuple[str, ...], str]]:
    """What is missing, or wrong between values that are good by themselves: (the key, if it is one's fault; what)."""
    if kind == "file" and "path" not in values:
        yield (), "needs a `path`, like data/alerts.jsonl"
    mode, schedule = values.get("mode"), values.get("digest")
    if mode is Mode.DIGEST and schedule is None:
        yield ("mode",), "mode digest needs to know when: write beside it digest: 15m, hourly or daily 08:00"
    if schedule is not None and mode not in (None, Mode.DIGEST):
        yield ("mode",), f"a channel of mode {mode} has no digest: take one of the two out"


def _burst(kind: str, values: Mapping[str, object]) -> tuple[int, timedelta]:
    """What people read is limited unless the file says otherwise; what programs read is not."""
    found = values.get("burst")
    if isinstance(found, tuple):
        return found[0], found[1]
    return telling.BURST if kind in ("telegram", "apprise") else 0, telling.BURST_WINDOW


def _kind(document: yamlfile.Document, at: yamlfile.Path, entry: Mapping[str, object], problems: list[Problem]) -> str:
    kind = entry.get("type", "")
    if isinstance(kind, str) and kind in OPTIONS:
        return kind
    choice = ", ".join(OPTIONS)
    if kind == "":
        problems.append(document.problem(at, f"needs a `type`: {choice}"))
    else:
        meant = _meant(kind, OPTIONS) if isinstance(kind, str) else ""
        problems.append(document.problem((*at, "type"), f"no type {kind!r}{meant or f'; there are {choice}'}"))
    return ""


def _take(document: yamlfile.Document, at: yamlfile.Path, check: Check, value: object) -> tuple[object, list[Problem]]:
    """(the checked value, None where there is none; problems)"""
    if value == "":
        return None, []  # a key with nothing behind it counts as absent
    if not isinstance(value, str):
        return None, [document.problem(at, "must be one value, not a list or a block")]
    taken, wrong = check(value.strip())
    return taken, [document.problem(at, wrong)] if wrong else []


def _meant(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word.lower(), list(known), 1, 0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _secret(key: str, value: object) -> str:
    named = key in ("token", "secret", "password")
    if named or (isinstance(value, str) and _TOKEN.fullmatch(value.strip())):
        return ": secrets are not kept in this file; put it into the environment or .env and give the variable's name"
    return ""


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _name(value: str) -> tuple[object, str]:
    good = _NAME.fullmatch(value)
    return (value, "") if good else (None, "a name is up to 64 letters, digits, '_', '-' or '.'")


def _language(value: str) -> tuple[object, str]:
    if re.fullmatch(r"(ar|en)([-_][A-Za-z]{2})?", value):
        return value.replace("_", "-"), ""
    return None, f"no language {value!r}: write ar or en (or with a region, like ar-LB)"


def _timezone(value: str) -> tuple[object, str]:
    zones = available_timezones()
    if value in zones:
        return value, ""
    places = {zone.rpartition("/")[2].lower(): zone for zone in sorted(zones)}
    close = difflib.get_close_matches(value.rpartition("/")[2].lower().replace(" ", "_"), list(places), 1, 0.7)
    meant = f"did you mean {places[close[0]]}?" if close else "write it like Asia/Riyadh"
    return None, f"no time zone {value!r}; {meant}"


def _env_name(value: str) -> tuple[object, str]:
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        return value, ""
    return None, "must be the name of an environment variable, like RASID_TELEGRAM_TOKEN, not the secret itself"


def _switch(value: str) -> tuple[object, str]:
    word = value.lower()
    if word in ("true", "yes", "on"):
        return True, ""
    return (False, "") if word in ("false", "no", "off") else (None, f"must be true or false, not {value!r}")


def _chat(value: str) -> tuple[object, str]:
    if re.fullmatch(r"-?\d{1,20}|@[A-Za-z]\w{3,31}", value):
        return value, ""
    link = re.fullmatch(r"(?:https?://)?t\.me/([A-Za-z]\w{3,31})/?", value)
    mend = (
        f'write "@{link.group(1)}"' if link else 'write its id, like "-1001234567890", or its public name, like "@name"'
    )
    return None, f"is no chat: {mend}"


def _topic(value: str) -> tuple[object, str]:
    if re.fullmatch(r"[1-9]\d{0,9}", value):
        return int(value), ""
    return None, "must be the number of a topic, as in a link to it: t.me/c/1234567890/TOPIC"


def _url(value: str) -> tuple[object, str]:
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
        hidden = parts.username is not None
    except ValueError:
        good = hidden = False
    if not good:
        return None, "must be a full address that begins with http:// or https://"
    if hidden:
        return None, "holds a password: put the whole address into a variable and name it with url_env"
    return value, ""


def _path(value: str) -> tuple[object, str]:
    name = pathlib.PurePath(value).name
    if "\0" in value or not name or value.endswith(("/", "\\")):
        return None, "must be the path of a file, like data/alerts.jsonl"
    return value, ""


COMMON: Mapping[str, Check] = {
    "name": _name,
    "type": lambda value: (value, ""),
    "language": _language,
    "timezone": _timezone,
    "mode": telling.mode,
    "digest": telling.digest,
    "burst": telling.burst,
    "quiet": telling.quiet,
    "quiet_high": _switch,
    "hashtags": _switch,
}
OPTIONS: Mapping[str, Mapping[str, Check]] = {
    "telegram": {
        "chat": _chat,
        "chat_env": _env_name,
        "topic": _topic,
        "audit": _chat,
        "token_env": _env_name,
        "silent": _switch,
        "preview": _switch,
        "picture": _switch,
    },
    "webhook": {"url": _url, "url_env": _env_name, "secret_env": _env_name},
    "apprise": {"url_env": _env_name},
    "file": {"path": _path},
    "console": {},
}

"""channels.yaml: what is accepted, what is refused and in which words."""

from datetime import time, timedelta
from pathlib import Path

import pytest

from monitor import yamlfile
from monitor.delivery import channels, telling
from monitor.delivery.transports import TRANSPORTS, build
from monitor.errors import ConfigError, DeliveryError
from monitor.model_delivery import Channel, Mode, Schedule

TOKEN = "123456789:AAfixture-token-for-tests-only_0123456"


def read(text: str) -> dict[str, Channel]:
    return channels.read(yamlfile.parse(text, "channels.yaml"))


def problems(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return str(caught.value)


def test_every_type_is_read_with_its_options(tmp_path: Path) -> None:
    path = tmp_path / "channels.yaml"
    path.write_text(
        """
channels:
  - name: غرفة-الأخبار
    type: telegram
    language: ar-LB
    timezone: Asia/Beirut
    chat: -1001234567890
    topic: 12
    silent: yes
    token_env: SECOND_BOT
  - {name: hook, type: webhook, language: en, url: 'https://example.com/in', secret_env: HOOK_SECRET}
  - {name: mail, type: apprise, url_env: MAIL_URL}
  - {name: screen, type: console}
""",
        encoding="utf-8",
    )
    found = channels.load(path)
    assert list(found) == ["غرفة-الأخبار", "hook", "mail", "screen"]
    first = found["غرفة-الأخبار"]
    assert (first.language, first.timezone) == ("ar-LB", "Asia/Beirut")
    assert first.options == {"chat": "-1001234567890", "topic": 12, "silent": True, "token_env": "SECOND_BOT"}
    assert found["screen"].language == "ar" and found["screen"].timezone is None


def test_how_a_channel_tells_is_read_with_its_defaults() -> None:
    found = read("""
channels:
  - {name: room, type: telegram}
  - {name: night, type: telegram, mode: each, burst: 30 in 10m, quiet: 23:00–7:00, quiet_high: yes, hashtags: yes}
  - {name: calm, type: apprise, url_env: A, burst: off, quiet: off, digest: daily 18:00 08:00}
  - {name: half, type: webhook, url: 'https://example.com', mode: digest, digest: 30m}
  - {name: six, type: file, path: data/alerts.jsonl, digest: 6h}
""")
    room, night, calm, half, six = found.values()
    assert (room.mode, room.digest, room.burst, room.burst_window) == (Mode.STORY, None, 15, timedelta(minutes=5))
    assert (room.quiet, room.quiet_high, room.hashtags) == (None, False, False)
    assert (night.mode, night.burst, night.burst_window) == (Mode.EACH, 30, timedelta(minutes=10))
    assert (night.quiet, night.quiet_high, night.hashtags) == ((time(23), time(7)), True, True)
    assert (calm.mode, calm.burst, calm.quiet) == (Mode.DIGEST, 0, None)
    assert calm.digest == Schedule(times=(time(8), time(18)))
    assert (half.mode, half.digest, half.burst) == (Mode.DIGEST, Schedule(every=timedelta(minutes=30)), 0)
    assert six.digest == Schedule(times=(time(0), time(6), time(12), time(18)))
    assert six.options == {"path": "data/alerts.jsonl"}


@pytest.mark.parametrize("text", ["15m", "hourly", "daily 08:00", "daily 00:00 06:00 12:00 18:00"])
def test_a_digest_is_shown_as_it_is_read(text: str) -> None:
    schedule, _ = telling.digest(text)
    assert isinstance(schedule, Schedule) and telling.show_digest(schedule) == text


def test_an_empty_file_has_no_channels() -> None:
    assert read("") == {} and read("channels:\n") == {}


def test_all_problems_are_told_at_once_each_with_its_line() -> None:
    said = problems(
        """channels:
  - name: main
    type: telegarm
  - name: second
    type: telegram
    chatt: 5
    topic: first
    timezone: Riyadh
  - name: second
    type: webhook
    url: ftp://example.com
  - type: console
"""
    )
    assert "channels.yaml:3:11: channels.0.type: no type 'telegarm'; did you mean 'telegram'?" in said
    assert "channels.yaml:6:5: channels.1.chatt: no such option of a telegram channel; did you mean 'chat'?" in said
    assert "channels.yaml:7:12: channels.1.topic: must be the number of a topic" in said
    assert "no time zone 'Riyadh'; did you mean Asia/Riyadh?" in said
    assert "channels.yaml:11:10: channels.2.url: must be a full address" in said
    assert "channels.3: needs a `name`" in said
    assert len(said.splitlines()) == 6


def test_two_channels_of_one_name_are_refused() -> None:
    said = problems("channels:\n  - {name: a, type: console}\n  - {name: a, type: console}\n")
    assert "channels.yaml:3:12: channels.1.name: there is already a channel named 'a'" in said


def test_a_secret_in_the_file_is_refused_without_being_repeated() -> None:
    said = problems(f"channels:\n  - {{name: a, type: telegram, chat: 1, token: '{TOKEN}'}}\n")
    assert "secrets are not kept in this file" in said and TOKEN not in said
    said = problems(f"channels:\n  - {{name: a, type: telegram, chat: 1, token_env: '{TOKEN}'}}\n")
    assert "not the secret itself" in said and TOKEN not in said
    said = problems("channels:\n  - {name: a, type: webhook, url: 'https://me:pass@example.com'}\n")
    assert "url_env" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "write `channels:`"),
        ("channel: []", "did you mean 'channels'?"),
        ("channels: main", "must be a list"),
        ("channels: [main]", "must be a channel"),
        ("channels: [{name: a}]", "needs a `type`: telegram, webhook, apprise, file, console"),
        ("channels: [{name: a, type: fax}]", "there are telegram, webhook"),
        ("channels: [{name: 'a b/c', type: console}]", "letters, digits"),
        ("channels: [{name: a, type: console, language: fr}]", "write ar or en"),
        ("channels: [{name: a, type: console, language: [ar]}]", "one value"),
        ("channels: [{name: a, type: telegram, chat: my channel}]", "is no chat"),
        ("channels: [{name: a, type: telegram, chat: 'https://t.me/newsroom'}]", 'write "@newsroom"'),
        ("channels: [{name: a, type: telegram, silent: maybe}]", "true or false"),
        ("channels: [{name: a, type: console, mode: all}]", "write each (every article), story"),
        ("channels: [{name: a, type: console, mode: digest}]", "mode digest needs to know when"),
        ("channels: [{name: a, type: console, mode: each, digest: hourly}]", "a channel of mode each has no digest"),
        ("channels: [{name: a, type: console, digest: daily}]", "like: daily 08:00"),
        ("channels: [{name: a, type: console, digest: daily 25:00}]", "like: daily 08:00"),
        ("channels: [{name: a, type: console, digest: 7m}]", "does not go into the hour"),
        ("channels: [{name: a, type: console, digest: 90m}]", "does not go into the hour, or into the day"),
        ("channels: [{name: a, type: console, digest: 0m}]", "0m does not go into the hour, or into the day"),
        ("channels: [{name: a, type: console, digest: 30s}]", "30s does not go into the hour, or into the day"),
        ("channels: [{name: a, type: console, digest: often}]", "write 15m, hourly, 6h or daily 08:00"),
        ("channels: [{name: a, type: console, burst: many}]", "like 15, or 15 in 5m"),
        ("channels: [{name: a, type: console, burst: 0}]", "or off"),
        ("channels: [{name: a, type: console, burst: 5 in 2h}]", "1m to 1h"),
        ("channels: [{name: a, type: console, quiet: at night}]", "like 23:00-07:00"),
        ("channels: [{name: a, type: console, quiet: 23:00-24:00}]", "two times of the day"),
        ("channels: [{name: a, type: console, quiet: 7:00-07:00}]", "begin and end at the same time"),
        ("channels: [{name: a, type: file}]", "channels.0: needs a `path`"),
        ("channels: [{name: a, type: file, mode: digest}]", "channels.0: needs a `path`"),
        ("channels: [{name: a, type: file, mode: digest}]", "channels.0.mode: mode digest needs to know when"),
        ("channels: [{name: a, type: file, path: data/}]", "must be the path of a file"),
    ],
)
def test_what_is_wrong_is_said_with_its_mend(text: str, said: str) -> None:
    assert said in problems(text)


def test_telegram_without_token_or_chat_falls_back_to_the_console_with_one_line() -> None:
    main = Channel("main", "telegram", language="en")
    resolved = channels.resolve({"main": main}, {})
    assert resolved.channels["main"].type == "console" and resolved.channels["main"].language == "en"
    (hint,) = resolved.hints
    assert "\n" not in hint and "RASID_TELEGRAM_TOKEN" in hint and "RASID_TELEGRAM_CHAT" in hint
    half = channels.resolve({"main": main}, {"RASID_TELEGRAM_TOKEN": TOKEN})
    assert "RASID_TELEGRAM_CHAT" in half.hints[0] and "RASID_TELEGRAM_TOKEN" not in half.hints[0]


def test_telegram_with_token_and_chat_stays_telegram() -> None:
    main = Channel("main", "telegram", options={"token_env": "T", "chat": "@newsroom"})
    resolved = channels.resolve({"main": main}, {"T": TOKEN})
    assert resolved.channels == {"main": main} and resolved.hints == ()


def test_every_type_has_options_and_a_transport() -> None:
    assert set(channels.OPTIONS) == set(TRANSPORTS)


def test_building_without_the_secret_names_the_variable() -> None:
    with pytest.raises(DeliveryError, match="set RASID_TELEGRAM_TOKEN"):
        build(Channel("main", "telegram", options={"chat": "1"}), {})
    with pytest.raises(DeliveryError, match="RASID_TELEGRAM_CHAT"):
        build(Channel("main", "telegram"), {"RASID_TELEGRAM_TOKEN": TOKEN})
    with pytest.raises(DeliveryError, match="RASID_WEBHOOK_URL"):
        build(Channel("hook", "webhook"), {})
    with pytest.raises(DeliveryError, match="http"):
        build(Channel("hook", "webhook"), {"RASID_WEBHOOK_URL": "file:///etc/passwd"})
    with pytest.raises(DeliveryError, match="no type 'fax'"):
        build(Channel("old", "fax"), {})

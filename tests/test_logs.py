"""The daemon's log: no secret leaves it, whatever way it comes in."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.runtime import configuration, logs
from tests.telegram_server import TOKEN

SECRETS = ("hunter2-hunter2", 'quo"te\\d-سرّي', "feed-login-password", "db pass/word")


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("rasid")
    before = (root.handlers[:], root.level, ours.level)
    yield
    root.handlers[:], level, level_of_ours = before
    root.setLevel(level)
    ours.setLevel(level_of_ours)


class Leaky:
    def __repr__(self) -> str:
        return f"Leaky({SECRETS[0]})"


@pytest.mark.parametrize("style", ["json", "console"])
def test_no_way_into_the_log_carries_a_secret(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("debug", style, SECRETS)
    log = logs.log()
    for secret in SECRETS:
        log.info(f"plain {secret}", value=secret, nested={"a": [secret]}, thing=Leaky())
        try:
            raise ValueError(f"inside a traceback: {secret}")
        except ValueError:
            log.exception("failed")
            logging.getLogger("asyncio").exception("Task exception was never retrieved")
    logging.getLogger("httpx").warning("POST https://api.telegram.org/bot%s/sendMessage", TOKEN)
    logging.getLogger("httpx").info("a line that must not be there")
    told = capsys.readouterr().err
    assert "***" in told and "inside a traceback" in told
    for secret in (*SECRETS, TOKEN, "must not be there"):
        for form in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]):
            assert form not in told


def test_a_secret_learnt_later_is_kept_too(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json", ())
    logs.keep_secret(["a-new-token-of-an-edit"])
    logs.log().info("a-new-token-of-an-edit")
    assert json.loads(capsys.readouterr().err)["event"] == "***"


def test_every_secret_that_the_configuration_calls_for_is_known(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "rules.yaml").write_text("rules:\n  - {id: a, match: زلزال}\n", encoding="utf-8")
    (config / "channels.yaml").write_text(
        "channels:\n  - {name: main, type: telegram, token_env: BOT_A, chat_env: CHAT_A}\n"
        "  - {name: hook, type: webhook, url_env: HOOK_A, secret_env: SIGN_A}\n",
        encoding="utf-8",
    )
    (config / "feeds.yaml").write_text(
        "outlets:\n  - id: a\n    name: {ar: أ, en: A}\n    country: LB\n    language: ar\n    feeds:\n"
        "      - {url: 'https://a.example/rss', username_env: LOGIN_A, password_env: PASS_A}\n",
        encoding="utf-8",
    )
    environ = {
        "BOT_A": "bot-a-value",
        "CHAT_A": "-1001234567890",
        "HOOK_A": "https://hooks.example/h00k-path",
        "SIGN_A": "sign-a-value",
        "PASS_A": "pass-a-value",
        "LOGIN_A": "login-a-value",
        "RASID_DATABASE__URL": "postgresql://me:db%20pass@db.example/rasid",
        "RASID_TELEGRAM__PROXY": "socks5://me:proxy-pass@proxy.example:1080",
    }
    secrets = configuration.load(config, environ).secrets()
    wanted = {"bot-a-value", "https://hooks.example/h00k-path", "sign-a-value", "pass-a-value", "db pass", "proxy-pass"}
    assert wanted <= secrets
    assert "-1001234567890" not in secrets

import re
from datetime import timedelta
from pathlib import Path

import pytest

from monitor import settings
from monitor.errors import ConfigError
from monitor.settings import dotenv
from monitor.settings.kinds import masked, parse_size, password_of, show_size, with_password

DOCS = Path(__file__).resolve().parents[1] / "docs" / "configuration.md"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "config"
    folder.mkdir(parents=True)
    return folder


def write(folder: Path, yaml: str = "", env: str = "") -> Path:
    (folder / "rasid.yaml").write_text(yaml, encoding="utf-8")
    if env:
        (folder / ".env").write_text(env, encoding="utf-8")
        (folder / ".env").chmod(0o600)
    return folder


def problems(folder: Path, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        settings.load(folder, environ or {})
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def test_an_empty_folder_means_all_defaults(config: Path) -> None:
    found = settings.load(config, {"TZ": "Asia/Baghdad"})
    assert found.settings.polling.interval == timedelta(minutes=5)
    assert found.settings.database.url == f"sqlite:///{config.parent}/data/rasid.db"
    assert (found.settings.timezone, found.origins["timezone"]) == ("Asia/Baghdad", "environment TZ")
    assert found.settings.http.port is None
    assert found.warnings == ()


def test_environment_goes_before_dotenv_and_that_before_the_file(config: Path) -> None:
    write(config, "polling:\n  interval: 7m\n  concurrency: 3\nlog:\n  level: error\n", "RASID_LOG__LEVEL=debug\n")
    found = settings.load(config, {"RASID_POLLING__INTERVAL": "9m", "RASID_FETCH__EXTRA_PORTS": "8080, 8443"})
    assert found.settings.polling.interval == timedelta(minutes=9)
    assert found.settings.polling.concurrency == 3
    assert found.settings.log.level == "debug"
    assert found.settings.fetch.ports == (8080, 8443)
    assert [found.origins[name] for name in ("polling.interval", "polling.concurrency", "log.level", "log.format")] == [
        "environment RASID_POLLING__INTERVAL",
        "rasid.yaml:3",
        ".env:1",
        "default",
    ]


def test_every_problem_of_file_dotenv_and_environment_is_told_at_once_with_its_place(config: Path) -> None:
    write(config, "polling:\n  intervl: 10m\nlog: {level: debgu}\nstories:\n  window: 90d\n", "not a line\n")
    found = problems(config, {"RASID_HTTP__PORT": "many"})
    assert any(line.startswith("rasid.yaml:2:3: polling.intervl:") and "interval?" in line for line in found)
    assert any(line.startswith("rasid.yaml:3:14: log.level:") and "debug?" in line for line in found)
    assert any(line.startswith("rasid.yaml:5:11: stories.window: should be between") for line in found)
    assert any(line.startswith(".env:1:1:") for line in found)
    assert any(line.startswith("environment: RASID_HTTP__PORT:") for line in found)


def test_a_password_in_the_file_is_refused_and_not_repeated(config: Path) -> None:
    write(
        config, "database:\n  url: postgresql://rasid:geheim77@db/rasid\nfetch: {proxy: 'http://u:geheim78@p:3128'}\n"
    )
    found = problems(config)
    assert len(found) == 2
    assert "RASID_DATABASE_PASSWORD" in found[0]
    assert "RASID_FETCH__PROXY" in found[1]
    assert "geheim" not in "".join(found)


def test_secrets_come_from_the_environment_and_are_masked(config: Path) -> None:
    write(config, "database:\n  url: postgresql://rasid@db/rasid\n", "RASID_TELEGRAM_TOKEN=12345:geheim\n")
    found = settings.load(config, {"RASID_DATABASE_PASSWORD": "ge/h@im", "RASID_FETCH__PROXY": "http://u:geheim@p:1"})
    assert found.settings.database.url == "postgresql+psycopg://rasid:ge%2Fh%40im@db/rasid"
    assert found.environ["RASID_TELEGRAM_TOKEN"] == "12345:geheim"
    printed = " ".join(f"{row.name} {row.value} {row.origin}" for row in found.rows())
    assert "geheim" not in printed
    assert "ge%2Fh" not in printed
    assert "RASID_TELEGRAM_TOKEN ••• .env:1" in printed
    assert "geheim" not in repr(found)


def test_an_unknown_variable_is_warned_of_with_what_was_meant(config: Path) -> None:
    found = settings.load(config, {"RASID_LOG__LEVLE": "debug", "RASID_CONFIG": "x", "PATH": "/bin"})
    assert [(one.where, "RASID_LOG__LEVEL" in one.what) for one in found.warnings] == [("RASID_LOG__LEVLE", True)]


def test_an_empty_variable_does_not_hide_the_one_in_dotenv(config: Path) -> None:
    write(config, "", "RASID_LOG__LEVEL=debug\n")
    assert settings.load(config, {"RASID_LOG__LEVEL": ""}).settings.log.level == "debug"


def test_a_dotenv_that_everyone_may_read_is_warned_of(config: Path) -> None:
    write(config, "", "RASID_TELEGRAM_TOKEN=1\n")
    (config / ".env").chmod(0o644)
    assert "chmod 600" in settings.load(config, {}).warnings[0].what


def test_settings_that_contradict_each_other_are_refused(config: Path) -> None:
    write(config, "telegram:\n  total: 2m\n")
    assert "delivery.lease" in problems(config)[0]
    write(config, "stories:\n  window: 10d\nretention:\n  keep: 2d\n")
    assert "stories.window" in problems(config)[0]


@pytest.mark.parametrize(
    ("yaml", "mend"),
    [
        ("timezone: Riyadh", "Asia/Riyadh"),
        ("database: {url: rasid.db}", "sqlite:///rasid.db"),
        ("database: {url: mysql://x/y}", "only SQLite and Postgres"),
        ("fetch: {proxy: 'ftp://x'}", "socks5://"),
        ("fetch: {extra_ports: [70000]}", "1 to 65535"),
        ("fetch: {user_agent: 'راصد'}", "ASCII"),
        ("fetch: {max_bytes: much}", "15MB"),
        ("polling: 5m", "lines of `key: value`"),
        ("- a\n- b", "lines of `key: value`"),
        ("http: {host: 300.1.1.1}", "127.0.0.1"),
    ],
)
def test_a_wrong_value_is_told_with_the_mend(config: Path, yaml: str, mend: str) -> None:
    assert mend in "\n".join(problems(write(config, yaml)))


def test_off_and_forever_are_words(config: Path) -> None:
    found = settings.load(write(config, "http: {port: off}\nfetch: {proxy: off}\nretention: {keep: forever}\n"), {})
    assert (found.settings.http.port, found.settings.fetch.proxy, found.settings.retention.keep) == (None, None, None)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    assert "rasid init" in problems(tmp_path / "none")[0]


def test_dotenv_reads_quotes_comments_and_refuses_what_a_shell_would_change() -> None:
    found = dotenv.parse("# c\nexport A=1 # one\nB='a #b'\nC=\"x\\ny\"\nD=a b\nA=2\nE=$(id)\nF='x\n", "f")
    assert {name: value for name, (value, _) in found.values.items()} == {"A": "1", "B": "a #b", "C": "x\ny"}
    assert [one.line for one in found.problems] == [5, 6, 7, 8]


def test_sizes_and_passwords_survive_the_round_trip() -> None:
    assert [show_size(int(str(parse_size(text)))) for text in ("15 MB", "500k", "123")] == ["15MB", "500kB", "123"]
    assert password_of(with_password("postgresql://u@h/d", "p")) == "p"
    assert masked("postgresql://h/d?password=x&a=1") == "postgresql://h/d?password=•••&a=1"
    assert masked("sqlite:////a/b.db") == "sqlite:////a/b.db"


def test_the_documented_table_is_that_of_the_models() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.+?) \| (.+) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    table = {name: (default, about) for name, default, about in rows}
    known = dict(settings.fields())
    plain = settings.Settings()
    for name, one in known.items():
        value: object = plain
        for part in name.split("."):
            value = getattr(value, part)
        default = "the machine's" if name == "timezone" else f"`{settings.shown(value)}`"
        assert table.get(name) == (default, one.description), name
    sections = {name.partition(".")[0] for name in known}
    assert {name for name in table if name.partition(".")[0] in sections and "." in name} <= set(known)

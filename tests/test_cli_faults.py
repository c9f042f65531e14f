"""What a command says when something is wrong: words on standard error and a true exit code, never a traceback."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import typer

from monitor.faces.cli.app import COMMANDS, load
from monitor.faces.cli.last_words import last_words
from tests.command import rasid
from tests.feed_server import Route
from tests.living import ROOT, RULES, Living, living, rss
from tests.postgres import PostgresServer
from tests.test_end_to_end import STRIKE, TALKS, VIDEO

LATIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    """Two outlets, three articles, all polled."""
    folder = tmp_path_factory.mktemp("faults")
    with living(folder, f"sqlite:///{folder / 'rasid.db'}") as found:
        found.feeds.set("/anba", rss("anba", STRIKE, VIDEO, TALKS))
        found.feeds.set("/sada", rss("sada", STRIKE))
        found.outlets("anba", "sada")
        found.rasid("run", "--once")
        yield found


def bytes_of(here: Living, *words: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    return python(here, "-m", "monitor", *words, **environ)


def python(here: Living, *words: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=here.folder,
        env=here.environ() | environ,
        capture_output=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("hits --since someday", 2, "write 7d"),
        ("hits --since=", 2, "is no time"),
        ("hits --text=", 2, "at least one word"),
        ("hits --since 1d --until 2d", 2, "nothing lies between"),
        ("hits --story 99999999999999999999", 2, "less than or equal"),
        ("hits --before 0", 2, "greater than or equal"),
        ("hits --rule shahd", 0, "did you mean shahed?"),
        ("alerts --outlet anbaa", 0, "did you mean anba?"),
        ("hits -c none", 2, "rasid init"),
        ("rules list -c none", 2, "rasid init"),
        ("rules test shahd", 2, "did you mean shahed?"),
        ("rules backfill shahd", 2, "did you mean shahed?"),
        ("match كلمة --rule shahd", 2, "did you mean shahed?"),
        ("match كلمة --file none.txt", 2, "a text, --file or --url"),
        ("match --file none.txt", 2, "give the path of a text file"),
        ("match --file config", 2, "directory"),
        ("match --url http://127.0.0.1:1/", 2, "extra_ports"),
        ("channels test mian", 2, "did you mean main?"),
        ("feeds test nobody", 2, "neither a feed's id nor an address"),
        ("feeds test anbaa", 2, "did you mean anba?"),
        ("feeds test http://127.0.0.1:1/", 1, "extra_ports"),
        ("feeds add --untested https://a.example/rss --country Lebanon", 2, "country"),
        ("feeds add --untested https://a.example/rss --outlet A!", 2, "is no id"),
        ("feeds add --opml none.opml", 2, "give the path of an OPML file"),
        ("db prune --yes --keep 1h", 2, "at least 7d"),
        ("check -c none", 2, "rasid init"),
        ("run -c none", 2, "rasid init"),
    ],
)
def test_a_wrong_command_is_answered_in_words(here: Living, words: str, code: int, told: str) -> None:
    done = here.rasid(*words.split(), check=False)
    said = " ".join((done.stdout + done.stderr).replace("│", " ").split())
    assert (done.returncode, told in said, "Traceback" in said) == (code, True, False), said


def test_what_nobody_foresaw_is_told_with_its_place_and_without_secrets(here: Living) -> None:
    full = bytes_of(here, "hits", "--json")
    with Path("/dev/full").open("wb") as device:
        done = subprocess.run(
            [sys.executable, "-m", "monitor", "hits", "--json"],
            cwd=here.folder,
            env=here.environ(),
            stdout=device,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert full.returncode == 0 and done.returncode == 2
    assert b"No space left" in done.stderr and b"Traceback" not in done.stderr
    try:
        json.loads("{")
    except ValueError as error:
        said = last_words(
            ValueError("postgresql://u:geheim@h/d 123456789:abcdefghijklmnopqrstuvwxyz").with_traceback(
                error.__traceback__
            )
        )
    assert "defect of Rasid" in said and "geheim" not in said and "abcdefghij" not in said


def test_a_postgres_that_refuses_or_is_not_there_is_told_without_the_password(
    here: Living, postgres: PostgresServer
) -> None:
    admin = postgres.new_database()
    engine = sa.create_engine(admin, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text("CREATE ROLE reader LOGIN PASSWORD 'richtig'"))
        rules = postgres.folder / "data" / "pg_hba.conf"
        rules.write_text(f"local all reader scram-sha-256\n{rules.read_text()}")
        connection.execute(sa.text("SELECT pg_reload_conf()"))
    locked = admin.replace("postgres@", "reader@")
    for url, password, told in (
        (locked, "geheim", "the password is refused: correct RASID_DATABASE_PASSWORD"),
        (locked, "", "set RASID_DATABASE_PASSWORD"),
        (f"postgresql://reader@/none?host={postgres.folder}", "richtig", "create the database"),
        ("postgresql://reader@127.0.0.1:1/none", "geheim", "the server does not answer"),
        ("postgresql://reader@no-such-host.invalid/none", "geheim", "not known to DNS"),
    ):
        more = {"RASID_DATABASE__URL": url} | ({"RASID_DATABASE_PASSWORD": password} if password else {})
        status = rasid(here.folder, "status", environ=here.environ() | more)
        run = bytes_of(here, "run", **more)
        for code, said in (
            (status.returncode, status.stdout + status.stderr),
            (run.returncode, (run.stdout + run.stderr).decode()),
        ):
            assert (code, told in said, "Traceback" in said) == (2, True, False), said
            assert "geheim" not in said


@pytest.mark.parametrize("encoding", ["", "latin-1"])
def test_terminals_that_know_no_arabic_get_what_they_can_show_and_valid_json(here: Living, encoding: str) -> None:
    latin = LATIN | {"PYTHONIOENCODING": encoding}
    listed, as_json = bytes_of(here, "hits", **latin), bytes_of(here, "hits", "--json", **latin)
    assert (listed.returncode, listed.stderr) == (0, b"") and b"shahed" in listed.stdout
    assert {one["article"]["title"] for one in json.loads(as_json.stdout)["hits"]} >= {STRIKE.title}
    commands = ("--help", "rules list", "match --file config/rules.yaml", "config show")
    shown = python(here, "-c", SEVERAL, *commands, **latin)
    assert shown.stdout.count(b"\x1e") == len(commands) and b"Traceback" not in shown.stderr


def test_a_reader_that_goes_away_is_no_error(here: Living) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "monitor", "rules", "schema"],
        cwd=here.folder,
        env=here.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as done:
        assert done.stdout is not None and done.stderr is not None
        done.stdout.close()
        assert done.stderr.read() == b""
    assert done.returncode == 128 + signal.SIGPIPE  # as of any tool, and not the 1 of an answer that is no


SEVERAL = """
import sys
from monitor.__main__ import main
worst = 0
for command in sys.argv[1:]:
    sys.argv[1:] = command.split()
    try:
        main()
    except SystemExit as end:
        worst = max(worst, end.code or 0)
    print("\\x1e", flush=True)
sys.exit(worst)
"""


def terminal(here: Living, columns: int, *commands: str, **environ: str) -> list[str]:
    """What each of the commands shows on a terminal of that width, one after the other in one process."""
    child, handle = pty.fork()
    if child == 0:
        os.chdir(here.folder)
        more = {"COLUMNS": str(columns), "TERM": "xterm", "PYTHONPATH": str(ROOT)}
        os.execvpe(sys.executable, [sys.executable, "-c", SEVERAL, *commands], here.environ() | more | environ)
    shown = b""
    while True:
        try:
            part = os.read(handle, 65_536)
        except OSError:
            break
        if not part:
            break
        shown += part
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return shown.decode().split("\x1e")[:-1]


@pytest.mark.parametrize("columns", [200, 80, 40])
def test_no_line_of_a_list_leaves_an_isolate_open_before_another_column(here: Living, columns: int) -> None:
    commands = ("hits", "alerts", "stories list", "stories show 1", "feeds list", "rules list")
    for command, shown in zip(commands, terminal(here, columns, *commands, NO_COLOR="1"), strict=True):
        assert "\u2068" in shown, command
        for line in shown.splitlines():
            opened = line.rfind("\u2068")
            assert line.count("\u2069") - line.count("\u2068") in (-1, 0, 1), (command, line)
            if opened > line.rfind("\u2069"):  # it wraps: then nothing but its own text may follow
                assert "  " not in line[opened:].rstrip(), (command, line)


def test_colours_are_left_out_where_asked(here: Living) -> None:
    assert "\x1b[3" not in terminal(here, 80, "rules test", NO_COLOR="1")[0]
    assert "\x1b[3" in terminal(here, 80, "rules test")[0]


def test_ctrl_c_ends_a_command_at_once_with_130(here: Living) -> None:
    here.feeds.set("/hangs", Route(kind="hang"))
    heeding = (  # what a shell starts in the background ignores Ctrl-C, and so would we if this test is run there
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from monitor.__main__ import main; main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", heeding, "feeds", "test", here.feeds.url("/hangs")],
        cwd=here.folder,
        env=here.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as done:
        while not here.feeds.requests("/hangs"):
            time.sleep(0.1)
        done.send_signal(signal.SIGINT)
        _, said = done.communicate(timeout=20)
    assert done.returncode == 130 and "Traceback" not in said


def test_every_command_teaches_by_an_example() -> None:
    texts: dict[str, str] = {}
    for name in COMMANDS:
        command = load(name)
        inner = command.commands if isinstance(command, typer.core.TyperGroup) else {"": command}
        texts |= {f"rasid {name} {one}".rstrip(): each.help or "" for one, each in inner.items()}
    assert len(texts) >= 20
    assert [name for name, text in texts.items() if name not in text] == []


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("rasid rules test sh", "shahed"),
        ("rasid hits --rule cau", "caucasus"),
        ("rasid alerts --outlet sa", "sada"),
        ("rasid feeds test an", "anba"),
        ("rasid channels test ma", "main"),
        ("rasid match --rule zz", ""),
    ],
)
def test_the_shell_is_offered_names_of_the_configuration(here: Living, words: str, offered: str) -> None:
    count = str(len(words.split()) - 1)
    done = bytes_of(here, _RASID_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=count)
    assert done.stdout.decode().split() == offered.split()


def test_a_broken_configuration_offers_nothing_and_says_nothing(here: Living) -> None:
    here.write("rules.yaml", "rules: [")
    try:
        done = bytes_of(here, _RASID_COMPLETE="complete_bash", COMP_WORDS="rasid rules test s", COMP_CWORD="3")
        assert (done.stdout.strip(), done.stderr) == (b"", b"")
    finally:
        here.write("rules.yaml", RULES)

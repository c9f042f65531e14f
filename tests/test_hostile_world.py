"""A daemon among feeds that hang, flood, explode or lead astray: each is refused or bounded, and the others go on.

The daemon may not connect to this machine. What is to be had is had through a proxy, which is the feed server itself;
what the daemon must not reach is the same server, asked directly.
"""

from collections.abc import Iterator
from html import escape
from pathlib import Path

import pytest

from monitor.feeds.entry import MAX_ENTRIES
from tests.feed_server import Route
from tests.living import Item, Living, living, rss

STRIKE = Item("إسقاط عشرين طائرة شاهد فوق كييف", "أعلنت القوات الجوية أنها أسقطت عشرين طائرة شاهد.", "strike")
SECOND = Item("هجوم بطائرات شاهد على مرفأ أوديسا", "قال الحاكم إن الهجوم أصاب صوامع الحبوب في المرفأ.", "second")
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
MB = 1024 * 1024


def feed(items: str, doctype: str = "") -> bytes:
    return f'{HEAD}{doctype}<rss version="2.0"><channel><title>أ</title>{items}</channel></rss>'.encode()


def entry(title: str, guid: str = "1", more: str = "") -> str:
    return f"<item><title>{title}</title><guid>{guid}</guid>{more}</item>"


def laughs() -> str:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE rss [<!ENTITY l0 "ها">{levels}]>'


# What a feed answers, and what becomes of it: a number of articles, or words of its error.
BODIES: dict[str, tuple[Route, int | str]] = {
    "hang": (Route(kind="hang"), "no complete answer"),
    "hang-body": (Route(feed(entry("نصف")), kind="hang_body"), "no complete answer"),
    "trickle": (Route(feed(entry("قطرة")), kind="trickle"), "no complete answer"),
    "endless": (Route(b"x" * 65_536, kind="endless"), "larger than 15 MB"),
    "gzip-bomb": (Route(b"<rss>", kind="bomb", encoding="gzip"), "larger than 15 MB"),
    "deflate-bomb": (Route(b"<rss>", kind="bomb", encoding="raw-deflate"), "larger than 15 MB"),
    "brotli-bomb": (Route(kind="bomb", encoding="br"), "cannot be read"),
    "claims-a-terabyte": (Route(b"<rss/>", content_length=1 << 40), "larger than 15 MB"),
    "reset": (Route(kind="reset"), "reset"),
    "no-http": (Route(kind="garbage"), "connection broke"),
    "laughs": (Route(feed(entry("&l9;"), laughs())), 1),
    "quadratic": (Route(feed(entry("&a;" * 50_000), f'<!DOCTYPE rss [<!ENTITY a "{"ه" * 50_000}">]>')), 1),
    "external": (Route(feed(entry("&a;"), '<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]>')), 0),
    "million-lines": (Route(feed("\n" * 1_000_000 + entry("سطر واحد"))), 1),
    "many-entries": (Route(feed("".join(entry(f"خبر رقم {n}", str(n)) for n in range(100_000)))), MAX_ENTRIES),
    "long-title": (Route(feed(entry("طائرة شاهد " * (14 * MB // 20)))), 1),
    "too-long-title": (Route(feed(entry("طائرة شاهد " * (16 * MB // 20)))), "larger than 15 MB"),
    "long-author": (Route(feed(entry("كاتب", more=f"<author>{'(' * 40_000}</author>"))), 1),
    "deep": (Route(feed(entry("عمق", more="<description>" + escape("<div>" * 60_000) + "</description>"))), 1),
    "deep-xml": (Route(feed("<a>" * 200_000)), 0),
    "lying-encoding": (Route(feed(entry("إضراب المعلمين في المدينة")).decode().encode("cp1256")), 1),
    "utf-16": (Route(feed(entry("ثلوج على الجبل")).decode().replace("UTF-8", "UTF-16").encode("utf-16")), 1),
    "nul-bytes": (Route(feed(entry("خبر\0 فيه\0 أصفار")) + b"\0" * 1_000), 1),
    "only-nul": (Route(b"\0" * 1_000_000), "empty"),
    "noise": (Route(bytes(range(256)) * 4_000), "no feed"),
    "circle": (Route(status=302, location="/circle"), "circle"),
    "chain": (Route(status=302, location="/chain0"), "more than 5 redirects"),
}
# Where a feed redirects to, and why nobody follows.
ASTRAY = {
    "http://127.0.0.1/secret": "loopback",
    "http://127.0.0.1:{port}/secret": "loopback",
    "http://127.1/secret": "in disguise",
    "http://2130706433/secret": "in disguise",
    "http://0x7f000001/secret": "in disguise",
    "http://0177.0.0.1/secret": "in disguise",
    "http://[::1]:{port}/secret": "loopback",
    "http://[::ffff:127.0.0.1]/secret": "loopback",
    "http://[64:ff9b::7f00:1]/secret": "NAT64",
    "http://[2002:7f00:1::1]/secret": "6to4",
    "http://169.254.169.254/latest/meta-data/": "metadata",
    "http://10.0.0.8/secret": "private network",
    "http://0.0.0.0:{port}/secret": "this network",
    "http://anba.example:22/secret": "port 22",
    "file:///etc/passwd": "only http and https",
    "ftp://127.0.0.1/secret": "only http and https",
    "gopher://127.0.0.1:{port}/_secret": "only http and https",
    "javascript:alert(1)": "only http and https",
}
# Names as an attacker's name server answers them, asked without the proxy.
REBOUND = {
    "rebound.example": ("127.0.0.1", "loopback"),
    "inside.example": ("10.0.0.8", "private network"),
    "cloud.example": ("169.254.169.254", "metadata"),
    "mapped.example": ("::ffff:127.0.0.1", "loopback"),
    "translated.example": ("64:ff9b::7f00:1", "NAT64"),
}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Living]:
    with living(tmp_path, f"sqlite:///{tmp_path / 'rasid.db'}") as found:
        yield found


def write_feeds(here: Living, proxied: list[str], direct: dict[str, str]) -> None:
    proxy = f"http://127.0.0.1:{here.feeds.port}"
    rows = [f"      - {{id: {name}, url: 'http://{name}.example/{name}', proxy: '{proxy}'}}" for name in proxied]
    rows += [f"      - {{id: {name}, url: '{url}'}}" for name, url in direct.items()]
    head = "outlets:\n  - id: anba\n    name: {ar: أنباء, en: Anba}\n    country: LB\n    feeds:\n"
    here.write("feeds.yaml", head + "\n".join(rows) + "\n")


def test_every_misbehaving_feed_is_bounded_and_the_others_go_on(here: Living) -> None:
    settings = (here.config / "rasid.yaml").read_text(encoding="utf-8")
    settings = settings.replace("allow_loopback: true", "allow_loopback: false, total_seconds: 4")
    here.write("rasid.yaml", settings.replace("tick: 1s", "tick: 1s, concurrency: 100") + "parsing: {idle: 2s}\n")
    port = here.feeds.port
    for name, (route, _) in BODIES.items():
        here.feeds.set(f"/{name}", route)
    for number in range(8):
        here.feeds.set(f"/chain{number}", Route(status=307, location=f"/chain{number + 1}"))
    astray = {f"astray-{number}": where for number, where in enumerate(ASTRAY)}
    for name, where in astray.items():
        here.feeds.set(f"/{name}", Route(status=302, location=where))
    here.feeds.set("/anba", rss("anba", STRIKE))
    here.feeds.set("/sada", rss("sada", SECOND))
    direct = {host.partition(".")[0]: f"http://{host}:{port}/secret" for host in REBOUND}
    direct |= {"loopback": f"http://127.0.0.1:{port}/secret", "localhost": f"http://localhost:{port}/secret"}
    proxied = [*BODIES, *astray]
    write_feeds(here, [*proxied, "anba"], direct)

    names = [f"{host}={address}" for host, (address, _) in {**REBOUND, "localhost": ("127.0.0.1", "")}.items()]
    here.start(*(word for name in names for word in ("--name", name)))
    here.wait(lambda: any("إسقاط عشرين" in one["text"] for one in here.messages()))
    here.wait(lambda: here.rows("select count(*) from feeds where last_polled is null") == [(0,)], seconds=120)

    errors = dict(here.rows("select feed_id, last_error from feeds"))
    articles = dict(here.rows("select feed_id, count(*) from articles group by feed_id"))
    wanted: dict[str, int | str] = {name: said for name, (_, said) in BODIES.items()}
    wanted |= {name: ASTRAY[where] for name, where in astray.items()}
    wanted |= {host.partition(".")[0]: why for host, (_, why) in REBOUND.items()}
    wanted |= {"loopback": "loopback", "localhost": "loopback"}
    for name, said in wanted.items():
        if isinstance(said, int):
            assert (articles.get(name, 0), errors[name]) == (said, None), name
        else:
            assert said in str(errors[name]) and name not in articles, (name, errors[name])
    assert here.feeds.requests("/secret") == []
    longest = here.rows("select max(length(title)), max(length(body)), max(length(author)) from articles")[0]
    assert all(number <= 200_000 for number in longest), longest

    write_feeds(here, [*proxied, "anba", "sada"], direct)
    here.wait(lambda: any("أوديسا" in one["text"] for one in here.messages()))
    here.wait(lambda: here.children() == [])
    print(here.memory())
    assert here.memory() < 300
    assert "failed unexpectedly" not in here.log()
    assert here.stop() == 0

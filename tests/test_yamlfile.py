"""YAML files: strings stay strings, every problem has its place and its mend."""

from __future__ import annotations

import os
import pathlib
from datetime import timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from monitor import yamlfile
from monitor.errors import ConfigError


class Phone(yamlfile.Strict):
    number: str
    tries: int = 3
    wait: yamlfile.Duration = timedelta(seconds=30)


class Desk(yamlfile.Strict):
    name: str = ""
    kind: Literal["console", "telegram"] = "console"
    open: bool = False
    share: float = Field(default=0.5, ge=0, le=1)
    phones: tuple[Phone, ...] = ()
    by_name: dict[str, Phone] = Field(default_factory=dict)
    tags: yamlfile.Strings = ()
    night: Phone | None = None
    size: int | Literal["auto"] = "auto"


def refusal(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        yamlfile.validate(yamlfile.parse(text, "desk.yaml"), Desk)
    return [str(problem) for problem in caught.value.problems]


def test_every_scalar_stays_the_text_it_was_written_as() -> None:
    document = yamlfile.parse("a: no\nb: 012\nc: 2024-01-01\nd: ~\ne: null\nf: 1e3\ng: باكو\nh:\n", "x.yaml")
    assert document.data == {
        **{"a": "no", "b": "012", "c": "2024-01-01", "d": "~"},
        **{"e": "null", "f": "1e3", "g": "باكو", "h": ""},
    }


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("match: *باغ\n", "1:9", "starts with * or &"),
        ("match: *name\n", "1:8", "alias"),
        ("match: &name x\n", "1:8", "anchor"),
        ('match: "a b" OR c\n', "1:14", "after the closing quotation mark"),
        ('any:\n  - "a b" OR c\n', "2:11", "after the closing quotation mark"),
        ("match: !x y\n", "1:8", "tag"),
        ("match: @x\n", "1:8", "cannot start with this character"),
        ("match: (a OR b): c\n", "1:16", "second key"),
        ("match: [a] OR b\n", "1:12", "wrap the text in '…' or write it after |"),
        ("match: | text\n", "1:10", "starts on the next line"),
        ("match: 'x\n", "1:8", "not closed"),
        ("a: [1, 2\n", "1:4", "not closed"),
        ("a:\n\t- b\n", "2:1", "tab"),
        ("a: 1\nb: 2\na: 3\n", "3:1", "is given twice (first on line 1)"),
        ("? [a]\n: b\n", "1:3", "a key must be a word"),
        ("---\na: 1\n---\nb: 1\n", "3:1", "second document"),
        ("a: \x07\n", "1:4", "control character"),
    ],
)
def test_where_yaml_stumbles_the_error_names_the_place_and_the_mend(text: str, place: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        yamlfile.parse(text, "rules.yaml")
    assert str(caught.value).startswith(f"rules.yaml:{place}: ")
    assert words in str(caught.value)


def test_alias_bombs_and_deep_nesting_are_refused_at_once() -> None:
    bomb = "a: &a [x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)},*{chr(97 + i)}]\n" for i in range(9)
    )
    with pytest.raises(ConfigError, match="anchor"):
        yamlfile.parse(bomb, "x.yaml")
    for deep in ("[" * 100_000, "- " * 5_000 + "x", "{a: " * 10_000):
        with pytest.raises(ConfigError, match="nested deeper than 20 levels"):
            yamlfile.parse(deep, "x.yaml")


def test_all_problems_of_a_file_come_at_once_in_file_order_with_places() -> None:
    text = (
        "nmae: أخبار\n"
        "kind: telegrm\n"
        "open: maybe\n"
        "share: 1.5\n"
        "phones:\n"
        "  - number: '1'\n"
        "    tires: 4\n"
        "    wait: 30\n"
        "  - tries: many\n"
        "by_name:\n"
        "  main: {number: '2', wait: soon}\n"
    )
    assert refusal(text) == [
        "desk.yaml:1:1: nmae: there is no such key: did you mean name?",
        'desk.yaml:2:7: kind: "telegrm" is not one of console, telegram: did you mean telegram?',
        'desk.yaml:3:7: open: should be true or false; here is "maybe"',
        'desk.yaml:4:8: share: should be at most 1.0; here is "1.5"',
        "desk.yaml:7:5: phones.0.tires: there is no such key: did you mean tries?",
        "desk.yaml:8:11: phones.0.wait: a duration needs its unit: write 30s, 30m, 30h or 30d",
        "desk.yaml:9:5: phones.1.number: is required",
        'desk.yaml:9:12: phones.1.tries: should be a whole number; here is "many"',
        'desk.yaml:11:29: by_name.main.wait: "soon" is no duration: write it like 30s, 5m, 1h30m or 2d',
    ]


def test_an_unknown_key_that_resembles_nothing_lists_the_known_ones() -> None:
    assert refusal("night:\n  number: '1'\n  zzz: 1\n") == [
        "desk.yaml:3:3: night.zzz: there is no such key: known here are number, tries, wait"
    ]


def test_wrong_shapes_are_said_in_words() -> None:
    assert refusal("phones: {a: b}\nnight: late\ntags: {a: b}\nname: [a]\nsize: big\n") == [
        "desk.yaml:1:9: phones: should be a list, each entry on a line that starts with -; here is keys with values",
        'desk.yaml:2:8: night: should be lines of `key: value`; here is "late"',
        "desk.yaml:3:7: tags: should be a list, each entry on a line that starts with -; here is keys with values",
        "desk.yaml:4:7: name: should be text; here is a list",
        'desk.yaml:5:7: size: should be a whole number; here is "big" or "big" is not one of auto',
    ]
    assert refusal("just words\n")[0].startswith("desk.yaml:1:1: should be lines of `key: value`")


def test_empty_values_count_as_absent_where_there_is_a_default() -> None:
    text = "name: ''\nkind:\nphones:\nnight:\nopen:\nby_name:\n  a:\n    number: '7'\n    wait:\n"
    desk = yamlfile.validate(yamlfile.parse(text, "desk.yaml"), Desk)
    assert desk == Desk(by_name={"a": Phone(number="7")})
    assert yamlfile.validate(yamlfile.parse("# nothing\n", "desk.yaml"), Desk) == Desk()
    assert refusal("phones:\n  - \n") == [
        "desk.yaml:2:4: phones.0: should be lines of `key: value`; here is nothing",
    ]


def test_a_value_that_yaml_took_for_a_comment_is_explained() -> None:
    document = yamlfile.parse("match: #وسم\nany:\n  - حرب #أوكرانيا\n  - سلام\n", "rules.yaml")
    assert document.comment_after(("match",)) == "#وسم"
    assert document.comment_after(("any", 0)) == "#أوكرانيا"
    assert document.comment_after(("any", 1)) == ""
    assert document.comment_after(("nowhere",)) == ""


def test_one_text_stands_for_a_list_of_one() -> None:
    assert yamlfile.validate(yamlfile.parse("tags: اقتصاد\n", "x"), Desk).tags == ("اقتصاد",)
    assert yamlfile.validate(yamlfile.parse("tags: [a, b]\n", "x"), Desk).tags == ("a", "b")


def test_the_style_of_a_value_is_known_because_quotes_may_have_been_meant() -> None:
    document = yamlfile.parse("a: \"طائرات شاهد\"\nb: 'x'\nc: |\n  y\nd: z\ne: []\n", "x.yaml")
    assert [document.style((key,)) for key in "abcdef"] == ['"', "'", "|", "", "", ""]


def test_an_offset_points_inside_a_query() -> None:
    text = "a: باكو OR x\nb: 'it''s OR x'\nc: |\n    شاهد\n    OR x\nd: \"p OR x\"\ne: >\n  p\n  x\n"
    document = yamlfile.parse(text, "x.yaml")
    lines = text.splitlines()
    for key, row in (("a", 1), ("b", 2), ("c", 5), ("d", 6)):
        value = document.value((key,))
        assert isinstance(value, str)
        assert document.place((key,), offset=value.index("OR x")) == (row, lines[row - 1].index("OR x") + 1)
    assert document.place(("e",), offset=2) == (7, 4)


def test_a_problem_without_a_place_of_its_own_points_to_its_nearest_parent() -> None:
    document = yamlfile.parse("rules:\n  - id: a\n    match: b\n", "rules.yaml")
    assert str(document.problem(("rules", 0, "name"), "is required")) == "rules.yaml:2:5: rules.0.name: is required"
    assert document.problem(("rules", 0, "match"), "x", key=True).column == 5
    assert document.problem(("rules", 0, "match"), "x").column == 12
    assert document.problem((), "x", severity="warning").severity == "warning"
    with pytest.raises(KeyError):
        document.value(("rules", 1))


def test_files_that_cannot_be_read_say_why(tmp_path: pathlib.Path) -> None:
    big, latin, marked = (tmp_path / name for name in ("big.yaml", "latin.yaml", "marked.yaml"))
    big.write_text("a: " + "x" * 1_000_000)
    latin.write_bytes("a: 1\nb: باكو\n".encode("cp1256"))
    marked.write_bytes(b"\xef\xbb\xbfa: 1\n")
    for path, words in (
        (tmp_path / "none.yaml", "no such file"),
        (tmp_path, "folder"),
        (big, "larger than 1 MB"),
        (latin, "latin.yaml:2:1: is not UTF-8 text"),
    ):
        with pytest.raises(ConfigError, match=words):
            yamlfile.read(path)
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "link.yaml").symlink_to("/dev/zero")
    for name in ("pipe.yaml", "link.yaml"):
        with pytest.raises(ConfigError, match=f"{name}: this is a pipe or a device, not a file"):
            yamlfile.read(tmp_path / name)
    assert yamlfile.read(marked, shown="marked.yaml").data == {"a": "1"}
    assert yamlfile.read(marked, shown="marked.yaml").path == "marked.yaml"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("1h30m", 5400),
        ("2d", 172800),
        ("1w", 604800),
        ("0", 0),
        ("1.5h", 5400),
        ("1h 5m", 3900),
    ],
)
def test_durations_carry_their_unit(text: str, seconds: int) -> None:
    assert yamlfile.parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["5", "5x", "", "-5m", "m", "1h30", "999999999d", "٥", "5 min"])
def test_what_is_no_duration_is_refused_with_the_mend(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|unit"):
        yamlfile.parse_duration(text)


@given(st.integers(min_value=0, max_value=10**9))
def test_a_shown_duration_reads_back_as_itself(seconds: int) -> None:
    assert yamlfile.parse_duration(yamlfile.show_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@given(st.text(max_size=200))
def test_any_text_is_either_a_document_or_a_refusal_with_places(text: str) -> None:
    try:
        document = yamlfile.parse(text, "x.yaml")
    except ConfigError as error:
        assert error.problems
        assert all(problem.file == "x.yaml" and problem.what for problem in error.problems)
    else:
        assert isinstance(document.data, (dict, list, str))

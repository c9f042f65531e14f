"""The compiled kernel: built where a compiler is, it answers what pure Python answers, whatever the text."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.watched import articles
from hatch_build import build
from monitor.arabic.dictionary import Dictionary
from monitor.arabic.function_words import is_function_word
from monitor.arabic.tokens import tokenise
from monitor.matching import kernel
from monitor.matching.examples import article
from monitor.matching.matcher import Matcher
from monitor.matching.query import parse
from monitor.matching.tree import Node
from monitor.model import Article, Rule
from monitor.runtime import words
from tests.small_dictionary import SMALL

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "monitor" / "matching" / "kernel.c"
needs_compiler = pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler here")

QUERIES = [
    *("شاهد AND (مسيرة OR طائرة) NOT عيان", '"جنوب القوقاز"', "~كاراباخ", "~نتنياهو", "=شاهد", "^قصف", "روس*", "*غراد"),
    *("أوكرانيا", "title:(صاروخ OR مسيرة)", "lead:قصف", '"بحر قزوين" OR lead:"بحر أسود"', "NOT شاهد", "author:ليلى"),
    *("صاروخ NEAR/3 قصف", '"شاهد 136"~2', "ATLEAST/2 قصف", "قصف SENTENCE شاهد", "/شا.?هد/", "م*غا"),
    *("SCORE/2 [1 صاروخ, 1 مسيرة]", "صاروخ AND /قص+ف/", "شاهد OR (قصف NEAR/2 عنيف)", "سيف بن ذي يزن", "أبوظبي"),
    *("nato", "2024 OR 3.5", "رئيس", "^كتب", "^ألمع", "سلام", "إعداد", "قاض", "مدرسة"),
]
TEXTS = [
    "شاهد عيان: مسيرات وطائرات فوق جنوبِ القوقاز، وبجنوب القوقاز أيضا",
    "نتانياهوفي قاراباخ وناتنياهو وكراباخ؛ قصفوا بصواريخهم أوكرانيا",
    "غزةفي «شاهد‑136» شاهد136 و136 الشاهد_136 #جنوب_القوقاز",
    "ستالينغراد روسيا وروسياالتي بروسهم قصفني قصفتهم سيقصفون قصف عنيف. شاهد قصف",
    "الصـــاروخ مُسَيَّرة ﺷﺎﻫﺪ abc A.B.C ١٣٦ 3.5 ..., ـ ـــ «»",
    "",
    " \n\t_",
    "NATO Nato nat NATO2024 2024 20245 ٢٠٢٤ 3.5 a1b2 Ａ１ ﻻ",
    "الرؤساء ورئيسهم وللرئيسة كتبوها يكتبني والكاتبة السلامة بسلامهما أعداد أعد القضاة القاضي قاضيهم مدارسنا ولمدرستي",
    "\u200fرئيس\u200f وَرَئِيس\u0640ـ رئي\u200cس ٌرئيس رئيسٌ رئيس\u200e. قاضٍ مدرسةٌ",
    "المعنى والمعنى ألمعني قصفنى كتبتنى",
    "رئي" + "\u064b" * 2_000 + "س",
    "شاهد\ud800قصف \U0001f600 عيان",
    "قصف " * 300 + "صاروخ",
    "ش" * 5_000 + " شاهد",
    "شاهد-" * 2_000,
    "كلمة " * 49 + "قصف بحر أسود",
    "كلمة " * 49 + "بحر أسود قصف",
]


def rules(queries: Sequence[str] = QUERIES) -> list[tuple[Rule, Node]]:
    return [(Rule(f"r{number}", "ق", "r"), parse(query)) for number, query in enumerate(queries)]


def read() -> list[Article]:
    return [dataclasses.replace(article(one), body=other, author="ليلى") for one in TEXTS for other in TEXTS]


@needs_compiler
def test_where_a_compiler_is_the_kernel_was_built() -> None:
    assert kernel.library() is not None


@needs_compiler
@pytest.mark.parametrize("dictionary", [None, SMALL])
def test_it_answers_what_python_answers(dictionary: Dictionary | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it forgets chunks after every article."""
    pure = Matcher(rules(), dictionary=dictionary, kernel=False)
    expected = [(one, pure.match(one)) for one in read()]
    assert sum(len(match.spans) for _, matches in expected for match in matches) > 1_000
    for kept, passes in ((2_000_000, 2), (50, 1)):
        monkeypatch.setattr(kernel, "_KEPT", kept)
        compiled = Matcher(rules(), dictionary=dictionary, kernel=True)
        for _ in range(passes):
            for one, matches in expected:
                assert compiled.match(one) == matches, one.title


@needs_compiler
@pytest.mark.parametrize("dictionary", [None, SMALL])
def test_it_does_so_for_each_query_alone(dictionary: Dictionary | None) -> None:
    """Some queries make it ask of every word; without them it passes over most."""
    for query in QUERIES:
        compiled, pure = (Matcher(rules([query]), dictionary=dictionary, kernel=use) for use in (True, False))
        for text in TEXTS:
            one = article(text)
            assert compiled.match(one) == pure.match(one), (query, text)


@needs_compiler
def test_words_that_a_later_matcher_added_are_none_of_its_own() -> None:
    first = Matcher(rules(), dictionary=SMALL)
    later = Matcher([*rules(), (Rule("new", "ق", "r"), parse("بركان OR كلمة"))], dictionary=SMALL, before=first)
    text = article("بركان وكلمة قرب شاهد")
    assert [match.rule_id for match in first.match(text)] == [
        match.rule_id for match in later.match(text) if match.rule_id != "new"
    ]


@needs_compiler
@pytest.mark.parametrize("letters", ["إسرائيل", "بالقصف", "ومن", "مسيرتهما", "كاراباغ", "للروس", "ألفغراد", "رضاني"])
def test_a_word_is_only_passed_over_where_no_rule_means_it(letters: str) -> None:
    """Every beginning and end of a word, with every proclitic: none is lost."""
    compiled, pure = (Matcher(rules(), dictionary=SMALL, kernel=use) for use in (True, False))
    parts = {letters[start:end] for start in range(len(letters)) for end in range(start + 1, len(letters) + 1)}
    for part in sorted(parts):
        for before in ("", "و", "ب", "ال", "وبال", "لل"):
            for behind in ("", "ة", "ه", "هما", "ني", "في"):
                one = article(before + part + behind)
                assert compiled.match(one) == pure.match(one), one.title


def test_without_a_compiler_nothing_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    assert not build(SOURCE, tmp_path / "libkernel.so")
    monkeypatch.setenv("CC", "false")
    assert not build(SOURCE, tmp_path / "libkernel.so")
    assert "matching is slower" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@needs_compiler
def test_a_library_of_another_source_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It may speak another language: its answers, and this process, would be lost."""
    source = tmp_path / "kernel.c"
    shutil.copy(SOURCE, source)
    assert build(source, tmp_path / "libkernel.so")
    monkeypatch.setattr(kernel, "FILE", tmp_path / "libkernel.so")
    monkeypatch.setattr(kernel, "SOURCE", source)
    kernel.library.cache_clear()
    try:
        assert kernel.library() is not None
        source.write_text(source.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        kernel.library.cache_clear()
        assert kernel.library() is None
    finally:
        kernel.library.cache_clear()


def test_without_the_kernel_the_matcher_is_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kernel, "FILE", tmp_path / "libkernel.so")
    kernel.library.cache_clear()
    try:
        matcher = Matcher(rules())
        assert "r0" in [match.rule_id for match in matcher.match(article("مسيرة شاهد"))]
        with pytest.raises(OSError, match="was not built"):
            kernel.Kernel(matcher._lexicon, [])
    finally:
        kernel.library.cache_clear()


@pytest.mark.soak
@needs_compiler
def test_it_answers_what_python_answers_on_real_articles() -> None:
    """Six thousand words and phrases of theirs as queries, sixty at a time, with the whole dictionary."""
    read, dictionary, rng = articles(None), words.dictionary(lambda _: None), random.Random(7)
    found = 0
    for _ in range(100):
        some = rng.sample(read, 300)
        queries = []
        for one in rng.sample(some, 60):
            text = [token.soft for token in tokenise(f"{one.title} {one.body[:500]}") if len(token.soft) > 2]
            text = [word for word in text if not is_function_word(word)]
            at = rng.randrange(len(text))
            phrase = " ".join(text[at : at + 2])
            queries.append(rng.choice((text[at], f"^{text[at]}", f"~{text[at]}", f"={text[at]}", f'"{phrase}"')))
        pure = Matcher(rules(queries), dictionary=dictionary, kernel=False)
        compiled = Matcher(rules(queries), dictionary=dictionary, before=pure)
        for one in some:
            expected = pure.match(one)
            assert compiled.match(one) == expected, (one.title, queries)
            found += len(expected)
    assert found > 10_000


@pytest.mark.soak
@needs_compiler
def test_no_sanitizer_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests above and the random ones, with every access to memory looked at."""
    monkeypatch.setenv("CFLAGS", "-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all")
    built = tmp_path / "libkernel.so"
    assert build(SOURCE, built)
    found = subprocess.run(["cc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    env = os.environ | {"LD_PRELOAD": found.stdout.strip(), "ASAN_OPTIONS": "detect_leaks=0", "PYTHONMALLOC": "malloc"}
    script = (
        "import sys, pathlib, pytest; from monitor.matching import kernel; "
        "kernel.FILE = pathlib.Path(sys.argv[1]); assert kernel.library(); sys.exit(pytest.main(sys.argv[2:]))"
    )
    tests = ["tests/test_kernel.py", "tests/test_matching_at_random.py", "-s", "-k", "not without"]
    ended = subprocess.run(
        [sys.executable, "-c", script, str(built), *tests], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout[-3_000:] + ended.stderr[-3_000:]

"""The dictionary file: built once by another process, replaced when damaged, done without if a package is missing."""

import os
from importlib import metadata
from pathlib import Path

import pytest

from monitor.arabic import dictionary_file
from monitor.arabic.dictionary import Dictionary
from monitor.arabic.forms import expand, explain
from monitor.arabic.normalise import fold, soft
from monitor.arabic.tokens import AL, BARE
from monitor.matching.lexicon import Lexicon, Word
from monitor.runtime import words


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    said: list[str] = []
    found = words.dictionary(said.append)
    assert found is not None, said
    return found


@pytest.mark.parametrize(
    ("term", "found", "not_found"),
    [
        ("صاروخ", "صواريخ صاروخا صاروخان", "صاروخية"),
        ("هجوم", "هجمات هجوما", "هاجم"),
        ("الأوضاع", "وضع أوضاع", ""),
        ("طبيب", "أطباء طبيبة", "طب"),
        ("روسي", "روسية روسيون الروس", "روسيا"),
        ("بحر", "بحار بحور", ""),
        ("طائرة", "طائرات طائرتان طائرتي طائره", "طائر"),
        ("بوتين", "بوتين", "بوت"),
        ("إيران", "إيران", "إيراني إيرانات"),
        ("التزام", "التزامات", "تزامات"),
        ("صحفي", "صحفية صحفيون", ""),
        ("عملي", "عملي", "عملية"),
        ("دوري", "دوري", "دورية دوريات"),
        ("محافظ", "محافظون", "محافظة محافظات"),
        ("نقاب", "", "نقابة نقابات"),
        ("ربيع", "", "أربعاء"),
        ("أسود", "سوداء", "سودان"),
        ("طالب", "طلاب طلبة طالبين", "طالبان"),
        ("دعم", "", "داعم"),
        ("كشف", "", "كشفت تكشف"),
        ("شكل", "أشكال شكلين", ""),
        ("موزع", "موزعة موزعون", ""),
        ("تحتي", "تحتية", ""),
    ],
)
def test_a_term_has_the_forms_of_its_word(term: str, found: str, not_found: str, dictionary: Dictionary) -> None:
    modes = expand(term, dictionary=dictionary).modes
    missing = [
        form for form in found.split() if not modes.get(fold(form)) and not modes.get(fold(form.removeprefix("ال")))
    ]
    assert not missing
    assert not [form for form in not_found.split() if fold(form) in modes]


def test_a_country_is_no_form_of_a_common_word(dictionary: Dictionary) -> None:
    assert not expand("بحر", dictionary=dictionary).modes.get("بحرين", BARE) & AL
    assert not expand("جزيرة", dictionary=dictionary).modes.get("جزائر", BARE) & AL
    assert set(expand("يريفان", dictionary=dictionary).modes) == {"يريفان"}  # and not ريف, the countryside


@pytest.mark.parametrize(
    ("term", "text", "held"),
    [
        ("علم", "رفع أعلام البلدين", True),  # flags
        ("علم", "وسائل الإعلام", False),
        ("علم", "وسائل الاعلام", False),  # without its hamza the media still
        ("إعلام", "وسائل الاعلام", True),
        ("لسان", "في السنة المقبلة", False),  # and not ألسنة, tongues
        ("حدث", "الاحداث الاخيرة", True),
        ("إخلاء", "صديق وخليل", False),
        ("وزير", "لقاء وزيري الخارجية", True),
        ("مصرف", "القطاع المصرفي", False),
    ],
)
def test_a_spelling_is_read_as_a_reader_of_news_does(term: str, text: str, held: bool, dictionary: Dictionary) -> None:
    lexicon = Lexicon(dictionary)
    atom = lexicon.atom(Word(term, "word", "auto", later=False))
    assert any(atom in lexicon.look_up(soft(word), fold(soft(word))) for word in text.split()) == held


def test_a_verb_asked_for_is_found_whatever_the_dictionary_files_it_under(dictionary: Dictionary) -> None:
    lexicon = Lexicon(dictionary)
    atom = lexicon.atom(Word("استهدف", "verb", "auto", later=False))
    for text in ("استهدفنا", "يستهدفون", "واستهدفت", "سيستهدفها"):
        assert atom in lexicon.look_up(text, fold(text)), text


def test_every_form_says_which_rule_gave_it(dictionary: Dictionary) -> None:
    forms = explain("صاروخ", dictionary=dictionary)
    assert forms[0].text == "صاروخ" and forms[0].why == "as typed"
    assert {"صواريخ": "listed under صاروخ"}.items() <= {one.text: one.why for one in forms}.items()
    assert {fold(one.text) for one in forms} == set(expand("صاروخ", dictionary=dictionary).modes)


def test_a_damaged_file_is_built_anew_and_only_what_nobody_uses_is_removed(tmp_path: Path) -> None:
    current, other, old = (
        tmp_path / name for name in (dictionary_file.file_name(), "arabic-2-0.trie", "arabic-1-0.trie")
    )
    current.write_bytes(b"no trie")
    other.write_bytes(b"of another version that this user has too")
    old.write_bytes(b"of a version long gone")
    half_built = tmp_path / ".building-killed"
    half_built.mkdir()
    (half_built / current.name).write_bytes(b"half")
    for one in (half_built, old):
        os.utime(one, (0, 0))
    assert dictionary_file.is_built(tmp_path)
    assert dictionary_file.open_dictionary(tmp_path).lemmas("صواريخ") == {"صاروخ"}
    assert current.stat().st_size > 1_000_000
    assert {path.name for path in tmp_path.iterdir()} == {current.name, other.name}


def test_a_folder_that_may_not_be_looked_into_is_no_error(tmp_path: Path) -> None:
    assert not dictionary_file.is_built(tmp_path / ("x" * 300))  # refused to root too, whom no permission stops


def test_without_the_packages_it_is_said_what_is_lost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert dictionary_file.is_built(tmp_path)
    with pytest.raises(dictionary_file.Unavailable, match="broken plurals"):
        dictionary_file.open_dictionary(tmp_path)

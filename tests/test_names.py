"""Names in all the ways they are written: together, apart, run together with another word, with dots, with digits."""

import pytest

from monitor.arabic.compounds import spellings
from monitor.arabic.run_on import hidden
from monitor.arabic.tokens import tokenise


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("شاهد136 وإف16", "شاهد 136 وإف 16"),
        ("F16 H1N1", "f 16 h 1 n 1"),
        ("ال24 و136 بـ3.5%", "ال24 و136 ب3.5"),
        ("1436هـ", "1436 ه"),
        ("غزةفي الدولةالإسلامية", "غزة في الدولة الإسلامية"),
        ("إلىروسيا علىالرغم", "إلى روسيا على الرغم"),
        ("الطوارىء مفاجىء بالإضافىة مصطفىّ", "الطوارىء مفاجىء بالإضافىة مصطفى"),
        ("مدرسةٌ قرىً", "مدرسة قرى"),
        ("مستشفىهـ مستشـفىـه مستشفىـفي", "مستشفىه مستشفىه مستشفى في"),
    ],
)
def test_letters_and_digits_are_cut_apart_and_lost_spaces_found(text: str, words: str) -> None:
    tokens = tokenise(text)
    assert [token.soft for token in tokens] == words.split()
    assert all(text[token.start : token.end].strip() == text[token.start : token.end] for token in tokens)


def ways(*typed: str) -> set[str]:
    return {" ".join(typed[piece] if isinstance(piece, int) else piece for piece in way) for way in spellings(typed)}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("عبد الفتاح السيسي", {"عبد الفتاح السيسي", "عبدالفتاح السيسي"}),
        ("عبدالله", {"عبدالله", "عبد الله"}),
        ("أبوظبي", {"أبوظبي", "أبو ظبي"}),
        ("نصر الله", {"نصر الله", "نصرالله"}),
        ("صلاحالدين", {"صلاحالدين", "صلاح الدين"}),
        ("إسلام اباد", {"إسلام اباد", "إسلامآباد"}),
        ("محمد بن سلمان", {"محمد بن سلمان", "محمد ابن سلمان"}),
        ("ابن", {"ابن"}),  # the son, whose plural is أبناء
        ("U S", {"U S", "us"}),
        ("UAV", {"UAV", "u a v"}),
        *((word, {word}) for word in ("أبواب", "أباطرة", "الوالدين", "طائرة", "والله", "عبد", "Shahed", "us")),
    ],
)
def test_a_name_stands_for_its_other_spellings(typed: str, expected: set[str]) -> None:
    assert ways(*typed.split()) == expected


def test_a_long_row_of_names_stands_for_eight_rows_at_most() -> None:
    assert len(spellings(["عبد", "الله"] * 40)) == 8
    assert spellings(["عبد", "الله"] * 10_000) == [tuple(range(20_000))]


@pytest.mark.parametrize(
    ("word", "parts"),
    [("نتنياهوفي", {"نتنياهو"}), ("وأنروسيا", {"روسيا"}), ("مصرفي", set()), ("غزة", set()), ("معاديا", set())],
)
def test_a_word_of_grammar_may_hang_on_a_name(word: str, parts: set[str]) -> None:
    assert set(hidden(word)) == parts

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.arabic import language
from monitor.arabic.function_words import is_function_word
from monitor.arabic.normalise import fold, fold_text, plain, soft
from monitor.arabic.tokens import AL, BARE, candidates, index_text, tokenise, words


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("المُسيَّرة", "المسيرة"),
        ("الـمـسـيـرة", "المسيرة"),
        ("ﺷﺎﻫﺪ", "شاهد"),
        ("کابل", "كابل"),
        ("١٣٦", "136"),
        ("۱۳۶", "136"),
        ("Café", "cafe"),
        ("شا\u200cهد", "شاهد"),
        ("ا\u0654خبار", "أخبار"),
    ],
)
def test_one_spelling_for_many_ways_of_typing(typed: str, expected: str) -> None:
    assert soft(typed) == expected


def test_folding_keeps_length_and_ta_marbuta() -> None:
    assert fold("أإآىؤة") == "اااية".replace("ية", "يئة")


def test_spans_of_folded_text_lead_back_to_the_original() -> None:
    text = "هجوم بطائرات «شَاهِد» المُسيَّرة"
    folded = fold_text(text)
    at = folded.text.index("شاهد")
    start, end = folded.original(at, at + 4)
    assert text[start:end].startswith("شَاهِد")
    assert "»" not in text[start:end]


@given(st.text(max_size=200))
def test_folding_never_raises_and_its_places_lie_inside(text: str) -> None:
    folded = fold_text(text)
    for i in range(len(folded.text)):
        start, end = folded.original(i, i + 1)
        assert 0 <= start <= end <= len(text)


@given(st.text(alphabet=st.sampled_from('شاهد وال\u064e\u0640\u200c.؟\n12,A-"«ﷺ'), max_size=80))
def test_tokens_lie_in_the_text_in_order(text: str) -> None:
    tokens = tokenise(text)
    places = [(t.start, t.end) for t in tokens]
    assert all(0 <= s < e <= len(text) for s, e in places)
    assert all(a[1] <= b[0] for a, b in pairwise(places))
    assert all(t.folded == fold(t.soft) for t in tokens)


def test_sentences_and_paragraphs_are_counted() -> None:
    tokens = tokenise("قصف الجيش. رد الثوار؟ نعم\nبلغ السعر 3.5 دولار")
    assert [(t.folded, t.sentence, t.paragraph) for t in tokens] == [
        ("قصف", 0, 0),
        ("الجيش", 0, 0),
        ("رد", 1, 0),
        ("الثوار", 1, 0),
        ("نعم", 2, 0),
        ("بلغ", 3, 1),
        ("السعر", 3, 1),
        ("3.5", 3, 1),
        ("دولار", 3, 1),
    ]


def test_clitics_are_split_off_without_a_dictionary() -> None:
    assert ("جنوب", BARE) in candidates("بجنوب")
    assert ("جنوب", BARE) in candidates("وبجنوب") or ("بجنوب", BARE) in candidates("وبجنوب")
    assert ("مسيرة", AL) in candidates("بالمسيرة")
    assert ("مسيرة", AL) in candidates("للمسيرة")
    assert ("شاهد", BARE) in candidates("شاهد")
    assert candidates("iran") == (("iran", BARE),)


def test_a_model_number_is_two_tokens() -> None:
    assert words("Shahed-136 و«شاهد-136»") == ["shahed", "136", "و", "شاهد", "136"]


def test_search_finds_a_word_behind_its_clitics() -> None:
    assert {"بالمسيره", "مسيرة"} & set(index_text("بالمسيرة").split()) == {"مسيرة"}


def test_function_words_are_known_after_a_conjunction() -> None:
    assert is_function_word("من") and is_function_word("ومن") and is_function_word("فيها")
    assert not is_function_word("شاهد")


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("أعلنت وزارة الدفاع الروسية إسقاط طائرات مسيرة", "ar"),
        ("وزارت دفاع روسیه اعلام کرد که پهپادها سرنگون شده است", "fa"),
        ("وزارت دفاع نے کہا ہے کہ ڈرون مار گرائے گئے ہیں", "ur"),
        ("Russia says it shot down drones", "en"),
        ("", "und"),
        ("12:30", "und"),
    ],
)
def test_language_by_letters(text: str, tag: str) -> None:
    assert language.guess(text) == tag


def test_a_flood_of_letters_or_marks_is_cut() -> None:
    assert max(len(t.soft) for t in tokenise("ا" * 1_000_000)) <= 100
    assert len(plain("ا" + "\u064b" * 100_000)) >= 1

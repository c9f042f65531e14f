"""The regular inflections of Arabic nouns and adjectives by their ending, as data: each with a name and an example.

A generated form that happens to be another word of the dictionary is dropped, unless the rule says it is stronger.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from monitor.arabic.corrections import NOUNS_IN_TA
from monitor.arabic.dictionary import Owner
from monitor.arabic.tokens import AL, BARE

ANY = BARE | AL
_ANALYSED = 3  # a lemma with as many forms or more is a word that the dictionary knows well


class Form(NamedTuple):
    """One form (soft), how it may stand (BARE | AL), and the name of the rule that gave it."""

    text: str
    modes: int
    why: str


class Inflection(NamedTuple):
    """Words that end in one of `ends` lose `cut` letters and take one of `endings`.

    least: letters of the word. when: a condition by name, see `applies`. against: what of the dictionary forbids the
    form: any other word, only nouns that it knows well, only those of `corrections.NOUNS_IN_TA`, or nothing.
    """

    name: str
    example: str
    ends: tuple[str, ...]
    cut: int
    endings: tuple[str, ...]
    modes: int = ANY
    least: int = 3
    when: str = ""
    against: str = "any"

    def applies(self, word: str, listed: Collection[str]) -> bool:
        """listed: the forms that a dictionary has of the word, and the word without its ة if it knows that."""
        if len(word) < self.least or not word.endswith(self.ends):
            return False
        match self.when:
            case "masculine plural":
                return word + "ون" in listed or (word + "ين" in listed and bool(_PARTICIPLE(word)))
            case "no masculine":  # كتابه is «his book» where كتاب is a word
                return word[:-1] not in listed
            case "defective":
                return is_defective(word)
            case "three letters":  # that a dictionary knows
                return len(word) == 3 and bool(listed)
            case "participle":
                return bool(_PARTICIPLE(word)) or word + "ون" in listed
        return True

    def forms(self, word: str) -> Iterator[Form]:
        head = word[: -self.cut] if self.cut else word
        for ending in self.endings:
            yield Form(head + ending, self.modes, self.name)

    def yields_to(self, owner: Owner) -> bool:
        """Whether a form of this rule is dropped because it belongs to another lemma."""
        match self.against:
            case "nothing":
                return False
            case "nouns in ة":
                return owner.lemma in NOUNS_IN_TA
            case "nouns":
                return not owner.verb and owner.size >= _ANALYSED
        return True

    @staticmethod
    def by_name(name: str) -> Inflection | None:
        return _BY_NAME.get(name)


_CONSONANTS = tuple("بتثجحخدذرزسشصضطظعغفقكلمنهئؤأ")
_DEFECTIVE = re.compile(".ا.ي|م.ا.ي").fullmatch
_PARTICIPLE = re.compile("م[^اوي]..+|.ا[^اوي].").fullmatch

WORD_INFLECTIONS = (
    Inflection("ه for ة, after the article", "الدولة → الدوله", ("ة",), 1, ("ه",), AL),
    Inflection("ه for ة", "دولة → دوله", ("ة",), 1, ("ه",), BARE, when="no masculine", against="nothing"),
    Inflection("plural and dual of ة", "طائرة → طائرات", ("ة",), 1, ("ات", "تان", "تين"), against="nothing"),
    Inflection("dual of ة before its owner", "طائرة → طائرتا", ("ة",), 1, ("تا", "تي"), BARE, against="nothing"),
    Inflection("ة for ه", "دوله → دولة", ("ه",), 1, ("ة",)),
    Inflection("accusative of a nisba", "روسي → روسيا", ("ي",), 0, ("ا",), BARE, against="nouns"),
    Inflection("feminine of a nisba", "روسي → روسية", ("ي",), 0, ("ة",), against="nouns in ة"),
    Inflection("numbers of a nisba", "روسي → روسيون", ("ي",), 0, ("ات", "تان", "تين", "ان", "ين", "ون")),
    Inflection("numbers of اء", "لقاء → لقاءات", ("اء",), 0, ("ات", "ان", "ين")),
    Inflection("dual of اء", "لقاء → لقائين", ("اء",), 1, ("ئان", "ئين")),
    Inflection("dual of اء before its owner", "ميناء → مينائي", ("اء",), 1, ("ئي",), BARE),
    Inflection("indefinite of ي", "قاضي → قاض", ("ي",), 1, ("",), BARE, least=4, when="defective"),
    Inflection("accusative of اء", "لقاء → لقاءا", ("اء",), 0, ("ا",), BARE),
    Inflection("accusative", "خطاب → خطابا", _CONSONANTS, 0, ("ا",), BARE, against="nouns"),
    Inflection("accusative of و", "نمو → نموا", ("و",), 0, ("ا",), BARE, when="three letters", against="nouns"),
    Inflection("numbers", "مهندس → مهندسون", _CONSONANTS, 0, ("ات", "ان", "ين", "ون"), least=4),
    Inflection("dual of three letters", "شكل → شكلين", _CONSONANTS, 0, ("ان", "ين"), when="three letters"),
    Inflection("feminine", "منتظم → منتظمة", _CONSONANTS, 0, ("ة",), least=4, when="participle"),
    Inflection("before its owner", "مقاتل → مقاتلو", _CONSONANTS, 0, ("و", "ي"), BARE, 4, when="masculine plural"),
    Inflection("ء written beside its seat", "شاطئ → شاطىء", ("ئ",), 1, ("يء",)),
)
_BY_NAME = {rule.name: rule for rule in WORD_INFLECTIONS}

# Shapes that common words have and foreign names hardly: إنجاز, تعميم, استقبال, اقتراح, متضرر.
_COMMON = re.compile("إ..ا.|ت..ي.|است..ا.|[اإ].ت.ا.|ان..ا.|مست...|مت....?|من...|م.ت..").fullmatch


def is_defective(word: str) -> bool:
    """Whether it is like قاضي and محامي, whose ي is only written with the article or before the owner."""
    return bool(_DEFECTIVE(word))


def looks_common(word: str) -> bool:
    """Whether a word that no dictionary lists is rather a common word than a name."""
    of_nisba = len(word) > 5 and word.endswith(("يون", "يين"))  # الحوثيون
    return (word[-1] in "ةي" and len(word) > 4) or of_nisba or bool(_COMMON(word))


def singulars(word: str) -> set[str]:
    """What an unknown word typed in the plural, dual or feminine may come from (طائرات → طائرة, روسية → روسي)."""
    if len(word) >= 6 and word.endswith("تين"):
        return {word[:-3] + "ة", word[:-2]}
    if len(word) >= 6 and word.endswith(("ين", "ون")):
        return {word[:-2]}
    if len(word) >= 6 and word.endswith("ية"):
        return {word[:-1]}
    if len(word) >= 5 and word[-1] == "ة" and _PARTICIPLE(word[:-1]):
        return {word[:-1]}
    if word[-1] == "ي" and len(word) > 5 and word[0] == "م":  # مقاتلي, the fighters of
        return {word[:-1]}
    return {word[:-2] + "ة"} if len(word) >= 5 and word.endswith("ات") else set()

"""simplemma's list of Arabic forms (form → lemma, 300,000 of them) → the table that `dictionary` reads.

The list files each form under one lemma only, and some wrongly; what is known to be wrong is left out here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from monitor.arabic.corrections import NEVER_MEANT, NOUNS_IN_TA, ON_THEIR_OWN, REFILED, WITH_FEMININE, WOMEN
from monitor.arabic.dictionary import Owner, entry
from monitor.arabic.inflections import is_defective
from monitor.arabic.names import LIKE_WORDS, territories
from monitor.arabic.normalise import bare_alef, fold, soft
from monitor.arabic.plurals import PLURALS
from monitor.arabic.pronouns import strip_pronoun
from monitor.arabic.tokens import candidates

_WELL_KNOWN = 3  # forms of a lemma
_HAMZA = frozenset("أإآ")
# The shapes of broken plurals, by which a plural is told from the other nouns of a verb: أسعار, أندية, عقود, رجال.
_BROKEN = re.compile("[أا].{1,2}ا.|[أا]...ة|..ا.|.وا..|..ا...?|..اء").fullmatch
_PLURAL = re.compile("[أا].{1,2}ا.|[أا]...ة|..و.|..ا.|.وا..|..ا...?|..اء|.+(?:ات|ان|ين|ون|ا)").fullmatch
_VERBAL_NOUN = re.compile("إ..ا.").fullmatch  # إيقاف, of أوقف
_VERBAL_NOUN_IN_TA = re.compile("ت..ي.").fullmatch  # تمرير, of مرر
_PLURAL_IN_YA = re.compile("..ا.ي").fullmatch  # نواحي, without the article نواح
_PLURAL_IN_M = re.compile("م.ا..").fullmatch
_PAST_ENDINGS = ("ت", "تا", "تما", "تم", "تن", "ن", "نا", "وا", "تي")
_NOMINAL_ENDINGS = ("ان", "ين", "ون", "ات")
# Listed as words of their own, but no more than a preposition and a noun: باسم is «in the name of».
_PREPOSITION_AND_NOUN = (
    *("باسم", "بسبب", "بالفعل", "بمناسبة", "للغاية", "بواسطة", "بموجب", "بفضل", "بجانب", "بحسب", "بشأن", "بشكل"),
    *("بصورة", "برغم", "بكثير", "بدعوى", "بصدد", "بوجه", "بحق", "بعدم", "بناء", "والله"),
)


class Lexicon:
    """The list, both ways."""

    def __init__(self, listed: Mapping[str, str]) -> None:
        pairs = ((soft(form), soft(lemma)) for form, lemma in listed.items())
        self.lemma_of = {form: lemma for form, lemma in pairs if len(form) > 1 and len(lemma) > 1}
        self._correct()
        self.forms_of: dict[str, set[str]] = defaultdict(set)
        for form, lemma in self.lemma_of.items():
            self.forms_of[lemma].add(form)
        self.verbs = {
            lemma
            for lemma, forms in self.forms_of.items()
            if lemma[:1] != "ي" and any(f[:1] == "ي" or f == "ت" + lemma for f in forms)
        }

    def _correct(self) -> None:
        """Put right what `corrections` says; only what the list has, also spelled with the article or without hamza."""
        right = {word: word for word in (*ON_THEIR_OWN, *LIKE_WORDS)}
        verbal_nouns = {word for word, lemma in self.lemma_of.items() if _of_verb(word, lemma)}
        for word in (ON_THEIR_OWN | verbal_nouns) & self.lemma_of.keys():
            inflected = (word + ending for ending in ("", "ا", "ات", "ان", "ين"))
            right |= {form: word for form in inflected if self.lemma_of.get(form) == self.lemma_of[word]}
            right[word + "ا"] = word
        for noun in NOUNS_IN_TA & self.lemma_of.keys():
            right |= {noun[:-1] + ending: noun for ending in ("ة", "ات", "تان", "تين", "تا", "تي")}
        right |= {word + ending: word for word in WITH_FEMININE for ending in ("", "ة", "تان", "تين", "ات")}
        right |= {form: lemma for lemma, forms in REFILED.items() for form in (lemma, *forms)}
        for form, lemma in right.items():
            for spelled in self._listed_as(form):
                self.lemma_of[spelled] = lemma
        for form in NEVER_MEANT:
            wrong = self.lemma_of.get(form)
            for spelled in _spellings(form):
                if self.lemma_of.get(spelled) == wrong:
                    self.lemma_of.pop(spelled, None)
            if wrong and form[0] == "أ":
                self.lemma_of[form] = form  # the hamza, where it is written, still tells it from the common word

    def _listed_as(self, form: str) -> set[str]:
        """How the list has a form: not without the hamza where that is rather another (اشخاص is أشخاص, not إشخاص)."""
        plural = "أ" + form[1:]
        another = form[0] == "إ" and plural in self.lemma_of and plural not in NEVER_MEANT
        return ({form, "ال" + form} if another else _spellings(form)) & self.lemma_of.keys()

    def owner(self, form: str) -> Owner:
        lemma = self.lemma_of[form]
        return Owner(form, lemma, lemma in self.verbs, len(self.forms_of[lemma]))

    def spelled(self, lemma: str) -> set[str]:
        """The forms of a lemma, without the spellings that only leave out the hamza of another."""
        best: dict[str, str] = {}
        for form in sorted(self.forms_of[lemma]):
            known = best.get(fold(form))
            if known is None or _hamzas(form) > _hamzas(known):
                best[fold(form)] = form
        return set(best.values())

    def nominal(self, lemma: str) -> set[str]:
        """The forms of a lemma that are nouns or adjectives. Where the list has one with the article only, that shows
        another form of the word (السكان of ساكن); but الدفع is no form of دفعة without the article too."""
        forms = self.spelled(lemma)
        if lemma in self.verbs:
            forms = {f for f in forms if f == lemma or _definite(f) or "ال" + f in forms or not _verbal(f, lemma)}
        forms = {f for f in forms if not _derived(f, lemma)}
        kept = lemma[:-1] if lemma[-1] == "ة" else ""
        if _definite(lemma):  # التزام
            return forms
        return {form[2:] if _definite(form) and form[2:] != kept and form[-1] not in "ىا" else form for form in forms}

    def lemmas(self, word: str) -> set[str]:
        """What a typed word stands for: itself, where it is a lemma, and the lemmas it may rightly be filed under.

        The list knows one lemma for each form, but the form with the article may show a second: أسعار is filed as a
        word of its own, الأسعار under سعر.
        """
        if fold("ال" + word) in territories():  # جزائر is the country rather than islands
            return set()
        found = {self.lemma_of[form] for form in (word, "ال" + word) if form in self.lemma_of}
        return {lemma for lemma in found if lemma == word or self._rightly(word, lemma)}

    def defective_participles(self) -> set[str]:
        """منتمي, of انتمى: its ي is only written with the article, before the owner and in the feminine."""
        return {
            form
            for form, lemma in self.lemma_of.items()
            if form[0] == "م" and form[-1] == "ي" and lemma[-1] == "ى" and self.lemma_of.get(form[:-1]) == lemma
            if not self.lemmas(form) and not self.lemmas(form[:-1])
        }

    def _rightly(self, word: str, lemma: str) -> bool:
        if word in REFILED.get(lemma, ()):
            return True
        if not set(_consonants(fold(word))) & set(_consonants(fold(lemma))):  # يان under إلى
            return False
        if (word[0] == "م" and lemma[0] != "م") or _acting(word, lemma):  # a participle under its verb
            return False
        if word in WOMEN and word != lemma:
            return False
        if word == lemma + "ي" and is_defective(word):  # قاضي, filed as قاض
            return True
        if word[-1] == "ي" and lemma[-1] not in "ىي":  # a nisba, or the word without it before its owner
            return False
        if lemma[-1] == "ي" and word == lemma[:-1]:  # a people under the adjective: روس, روسي
            return False
        if lemma[0] in "أآا" and fold(lemma[1:]) == fold(word[:-1]):  # كبرى under أكبر: to a reader another word
            return False
        if word in self.forms_of or lemma in self.verbs:
            if len(word) == 3:  # كتب of كتاب; but دفع is no plural of دفعة
                return len(lemma) > 3 and lemma != word + "ة" and _consonants(lemma) == _consonants(word)
            nominal = lemma not in self.verbs or any(map(_definite, self.forms_of[lemma]))
            return nominal and bool((_BROKEN if word in self.forms_of else _PLURAL)(word))
        return True


def tables(listed: Mapping[str, str]) -> dict[str, list[str]]:
    """All rows: key → values."""
    lexicon = Lexicon(listed)
    found: dict[str, list[str]] = defaultdict(list)
    for form in sorted(lexicon.lemma_of):
        owner = lexicon.owner(form)
        found["o" + fold(form)].append(entry(owner))
        _looks_like(form, owner, found)
    for name in LIKE_WORDS:
        if name not in lexicon.lemma_of:
            owner = Owner(name, name, verb=False, size=_WELL_KNOWN)
            found["o" + fold(name)].append(entry(owner))
            _looks_like(name, owner, found)
    for word in sorted({form[2:] if _definite(form) else form for form in lexicon.lemma_of}):
        lemmas = sorted(lexicon.lemmas(word))
        found["t" + word] += lemmas
        if bare_alef(word) not in lexicon.lemma_of and word not in NEVER_MEANT:
            found["t" + bare_alef(word)] += lemmas
    _list_forms(lexicon, found)
    _list_plurals(lexicon, found)
    return {key: values for key, values in found.items() if values}


def _list_forms(lexicon: Lexicon, found: dict[str, list[str]]) -> None:
    for lemma in sorted(lexicon.forms_of):
        found["f" + lemma] += sorted(lexicon.nominal(lemma))
        if _VERBAL_NOUN_IN_TA(lemma):
            found["f" + lemma].append(lemma + "ات")  # the list has تعليقات under تعليقة
        for plural in filter(_PLURAL_IN_YA, lexicon.nominal(lemma) - {lemma}):
            if plural[:-1] not in lexicon.lemma_of and lemma[-1] != "ي":
                found["f" + lemma].append(plural[:-1])
                found["t" + plural[:-1]].append(lemma)
    for participle in sorted(lexicon.defective_participles()):
        stem = participle[:-1]
        forms = (participle, stem, stem + "ون", stem + "ين")
        found["f" + participle] += forms
        for typed in forms:
            found["t" + typed] = [participle]


def _list_plurals(lexicon: Lexicon, found: dict[str, list[str]]) -> None:
    """What `plurals` has, and feminines."""
    for singular, plurals in (*PLURALS.items(), *((word, (word + "ة",)) for word in sorted(WITH_FEMININE))):
        lemmas = sorted(lexicon.lemmas(singular))
        if not lemmas:  # مليشيا
            lemmas = found["t" + singular] = [singular]
        for lemma in lemmas:
            found["f" + lemma] += plurals
        for plural in plurals:
            if plural in ON_THEIR_OWN:
                continue
            if len(lexicon.forms_of.get(plural, ())) < _WELL_KNOWN or plural in lexicon.verbs:
                found["t" + plural] += lemmas


def _looks_like(form: str, owner: Owner, found: dict[str, list[str]]) -> None:
    if (owner.size < 2 and owner.lemma != form) or form.startswith(_PREPOSITION_AND_NOUN):
        return
    for remainder, _ in candidates(form)[1:]:
        if form[: -len(remainder)] not in ("ال", "وال", "فال") and remainder not in LIKE_WORDS:  # لبوتين is «to Putin»
            found["c" + fold(remainder)].append(entry(owner))
    for remainder in strip_pronoun(fold(form)):
        if len(remainder) > 1:
            found["p" + remainder].append(entry(owner))


def _spellings(form: str) -> set[str]:
    return {spelled for one in (form, "ال" + form) for spelled in (one, bare_alef(one))}


def _definite(form: str) -> bool:
    return form.startswith("ال") and len(form) > 4


def _of_verb(word: str, lemma: str) -> bool:
    """Whether a word is the verbal noun of its lemma: إيقاف of أوقف, تمرير of مرر."""
    if _VERBAL_NOUN(word):
        return lemma[0] == "أ"
    return bool(_VERBAL_NOUN_IN_TA(word)) and len(lemma) == 3 and _consonants(lemma) == _consonants(word[1:])


def _acting(word: str, lemma: str) -> bool:
    """Whether a word is the active participle of its lemma: رابح, of ربح."""
    return len(word) == 4 and word[1] == "ا" and lemma == word[0] + word[2:]


def _derived(form: str, lemma: str) -> bool:
    """Whether a form is rather another word of its lemma's root: a participle, a verbal noun of أفعل, a verb."""
    form = form[2:] if _definite(form) else form
    if _acting(form, lemma):
        return True
    if form[0] == "إ":
        return lemma[0] == "أ"
    if _VERBAL_NOUN(lemma) and form[0] in "أاتين" and "ا" not in form[1:-1]:  # أوقف and توقف, under إيقاف
        return True
    if form[-1] == "ت" and form[-2] != "ا" and not set("تة") & set(lemma[-2:]):  # كشفت, under the noun كشف
        return True
    if form.endswith("وا") and lemma[-1] != "و":
        return True
    return form[0] == "م" != lemma[0] and not _PLURAL_IN_M(form)


def _consonants(word: str) -> str:
    return "".join(letter for letter in word if letter not in "اوية")


def _hamzas(form: str) -> int:
    return sum(letter in _HAMZA for letter in form)


def _verbal(form: str, lemma: str) -> bool:
    """Whether a form of a lemma that is also a verb is conjugated (يكتب), and no broken plural (أعمال of عمل)."""
    if form[0] in "يتنم" and form[0] != lemma[0]:
        return True
    if lemma[0] == "ت" and form[:2] in ("تت", "يت", "نت"):
        return True
    if form[0] in "أاإآ" and form[0] != lemma[0]:
        rest = form[1:]
        if rest == lemma or (rest.startswith(lemma[:2]) and not ("ا" in rest[1:-1] and "ا" not in lemma)):
            return True
    if form.startswith(lemma) and form[len(lemma) :] in _PAST_ENDINGS:
        return True
    ends = form.endswith(("وا", "تما", "تم", "ت", "نا", "ن")) and not form.endswith(_NOMINAL_ENDINGS)
    return ends and fold(form)[:2] == fold(lemma)[:2]

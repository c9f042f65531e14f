"""The conjugated forms of a verb typed in its dictionary form (^قصف), by regular paradigms; no dictionary.

Weak verbs are conjugated by their shape: قال, باع and خاف look alike, so all three presents are given. A form that does
not exist costs nothing: it does not occur. The first person of a verb of three letters is left out, where it looks
like another verb's past: أسقط is «shot down» in the news, not «I fall».
"""

from __future__ import annotations

from functools import lru_cache

from monitor.arabic.normalise import fold, soft
from monitor.arabic.pronouns import PRONOUNS

_PAST = ("", "ت", "ا", "تا", "وا", "نا", "ن", "تم", "تما", "تن")
_BEFORE_VOWEL = ("", "ت", "ا", "تا", "وا")
_PRESENT_ENDINGS = ("", "ون", "وا", "ان", "ا", "ين", "ن")
_WEAK_PRESENT_ENDINGS = ("", "ون", "وا", "ان", "ا", "ين")
OBJECTS = (*PRONOUNS, "ني")
_PRESENT = ("ي", "ت", "ن", "ا")


def verb_forms(term: str) -> frozenset[str]:
    """Folded forms of a verb: past, present, future with س, each also with an object pronoun."""
    forms = conjugations(term)
    return forms | {opened(form) + pronoun for form in forms for pronoun in OBJECTS}


@lru_cache(256)
def conjugations(term: str) -> frozenset[str]:
    """The same without object pronouns: some hundred forms instead of a thousand."""
    typed = soft(term)
    verb = fold(typed)
    if len(verb) < 2 or not "\u0621" <= verb[0] <= "\u064a":
        return frozenset()
    hamza = typed[-1] in "أئءؤ"
    stems = {verb[1 if verb[0] == "ا" and len(verb) > 3 else 0 : -1] + seat for seat in "ائء"} if hamza else set[str]()
    present = {
        person + stem + ending
        for stem in stems or _present_stems(verb)
        for person in _PRESENT
        if person != "ا" or len(verb) > 3 or "و" in stem
        for ending in (_WEAK_PRESENT_ENDINGS if stem[-1] in "يوا" and not hamza else _PRESENT_ENDINGS)
    }
    present |= {form[:-3] + ending for form in present if form.endswith("يون") for ending in ("ون", "وا")}
    past = _past_of_hamza(verb[:-1]) if hamza else _past(verb)
    return frozenset(past | present | {"س" + form for form in present})


def opened(form: str) -> str:
    """As it is written before a pronoun: the silent ا of وا goes."""
    return form[:-1] if form.endswith("وا") else form


def _past_of_hamza(stem: str) -> set[str]:
    """بدأ بدأت بدأوا, also بدؤوا; passive أنشئ أنشئت."""
    return {stem + "ا" + end for end in _PAST} | {stem + "ئ" + end for end in ("", "ت", "وا")} | {stem + "ءوا"}


def _past(verb: str) -> set[str]:
    if len(verb) == 2:  # شن شنت شنوا, but شننت
        return {verb + end for end in _BEFORE_VOWEL} | {verb + verb[-1] + end for end in ("ت", "نا", "ن", "تم")}
    if verb[-1] in "ياى":  # رمى رمت رموا رمينا; دعا دعوت دعوا
        stem = verb[:-1]
        return {verb, stem + "ا"} | {stem + end for end in ("ت", "تا", "وا", "يا", "ينا", "يت", "ونا", "وت", "يتم")}
    if _hollow(verb):  # قال قالوا, but قلت
        short = verb[:-2] + verb[-1]
        return {verb + end for end in _BEFORE_VOWEL} | {short + end for end in ("ت", "نا", "تم", "ن")}
    return {verb + end for end in _PAST}


def _hollow(verb: str) -> bool:
    return len(verb) > 2 and verb[-2] == "ا" and (len(verb) == 3 or verb[0] == "ا")


def _present_stems(verb: str) -> set[str]:
    stems = {verb}
    if verb[0] == "ا" and len(verb) >= 4:
        stems = {verb[1:]}  # أعلن يعلن, انفجر ينفجر, استهدف يستهدف
    elif verb[0] == "ا" or (verb[0] == "و" and len(verb) == 3):
        stems = {verb, verb[1:]} if verb[0] == "و" else {verb, "ئ" + verb[1:]}  # وصل يصل, أخذ يأخذ, أكد يؤكد
    if _hollow(verb):
        stems = {stem[:-2] + vowel + stem[-1] for stem in stems for vowel in ("اوي" if len(verb) == 3 else "اي")}
        stems |= {stem[:-2] + stem[-1] for stem in stems}  # لم يقل
    elif verb[-1] in "ياى":
        stems = {stem[:-1] + end for stem in stems for end in ("ي", "و", "ا", "")}
    return {stem for stem in stems if stem}

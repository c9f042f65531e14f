"""A term → the surface forms it may take in a text. The query side does this once; texts are only cut (tokens.py).

Without a dictionary the rules of `inflections` decide by the ending alone: a *word* inflects and takes pronouns, a
*name* hardly does. A dictionary, where there is one, adds the forms of the word's lemmas (broken plurals above all)
and knows which generated forms, and which words of a text, are other words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from monitor.arabic.corrections import NOUNS_IN_TA, SHORT_ADJECTIVES, UNMARKED
from monitor.arabic.dictionary import Dictionary, Owner
from monitor.arabic.inflections import ANY, WORD_INFLECTIONS, Form, Inflection, is_defective, looks_common, singulars
from monitor.arabic.names import ALSO_BARE, IN_TA, IN_YA, PARTS, WITHOUT_ARTICLE, territories
from monitor.arabic.normalise import bare_alef, fold, soft
from monitor.arabic.tokens import AL, BARE

Kind = Literal["auto", "name", "word"]
# Broken plurals that take the ا of the accusative: عروضا, أضرارا, رجالا, دولا.
_BROKEN = re.compile("[^اوي].[^اوي]|..و[^اوي]|[^ا].ا[^اويء]|أ..ا[^اويء]").fullmatch
_MEANT = {bare_alef(word): word for word in UNMARKED}  # اعلام, typed so, is إعلام
_AFTER_YA = ("يا", "يان", "ية")  # of a word that loses its ي: ناد, ناديا, ناديان
_NUMBERED = ("ان", "ين", "ون")


@dataclass(frozen=True, slots=True)
class Forms:
    """What a term may look like. modes: folded form → BARE | AL; hosts: the folded forms that take a pronoun too.

    typed is the term's soft form: a function word matches only a term typed just so. stem is the term without a typed
    article (of a country the article is otherwise required). Other words, as a dictionary knows them, in soft form:
    refused are whole words of a text, proclitic and all; barred is what is left of one without its proclitics. later:
    what else may stand for it behind another word of a phrase, as modes.
    """

    typed: str
    stem: str
    kind: Literal["name", "word"]
    modes: Mapping[str, int]
    refused: frozenset[str] = field(default_factory=frozenset)
    barred: frozenset[str] = field(default_factory=frozenset)
    hosts: frozenset[str] = field(default_factory=frozenset)
    later: Mapping[str, int] = field(default_factory=dict)

    @property
    def rigid(self) -> bool:
        """Whether it is a name, or a word that the dictionary has only as typed (نتنياهو)."""
        return self.kind == "name" or len(self.modes) == 1


def expand(term: str, kind: Kind = "auto", *, dictionary: Dictionary | None = None) -> Forms:
    """All forms of one word (any spelling of it); a term in Latin letters or digits has only itself."""
    typed = soft(term)
    if not _arabic(typed):
        return Forms(typed, typed, "name", {fold(typed): ANY})
    stem = _stem(typed, dictionary)
    lemmas = _lemmas(typed, stem, dictionary)
    sort = _kind(typed, stem, lemmas, dictionary) if kind == "auto" else kind
    found: dict[str, int] = {}
    for form in _forms(typed, stem, sort, kind == "auto", lemmas, dictionary):
        found[form.text] = found.get(form.text, 0) | form.modes
    modes: dict[str, int] = {}
    for text, allowed in found.items():
        modes[fold(text)] = modes.get(fold(text), 0) | allowed
    hosts = _hosts(found, typed, stem) if sort == "word" else frozenset[str]()
    refused = barred = frozenset[str]()
    if dictionary:
        own = lemmas | {typed, stem}
        refused = _refused(found, own, dictionary)
        if sort == "word":
            barred = _barred(_MEANT.get(stem, stem), found, hosts, own, dictionary)
            verbs = {other for other in barred if other[-1] == "ى" and not _takes_article(other, dictionary)}
            barred -= verbs  # التوالى is التوالي; and a participle is hardly ever meant, مفتى is مفتي
            refused |= {before + verb for verb in verbs if verb[0] != "م" for before in ("", "و", "ف")}
    later = dict(_later(stem, sort, modes, dictionary))
    return Forms(typed, stem, sort, modes, refused, barred, frozenset(map(fold, hosts)), later)


def explain(term: str, kind: Kind = "auto", *, dictionary: Dictionary | None = None) -> list[Form]:
    """Every form of a word with the rule that gives it, as `expand` has them; pronouns apart."""
    typed = soft(term)
    if not _arabic(typed):
        return [Form(typed, ANY, "as typed")]
    stem = _stem(typed, dictionary)
    lemmas = _lemmas(typed, stem, dictionary)
    sort = _kind(typed, stem, lemmas, dictionary) if kind == "auto" else kind
    return list(_forms(typed, stem, sort, kind == "auto", lemmas, dictionary))


def _arabic(word: str) -> bool:
    return bool(word) and "\u0621" <= word[-1] <= "\u064a"


def _stem(typed: str, dictionary: Dictionary | None) -> str:
    if not typed.startswith("ال") or len(typed) < 5 or typed == "الله":
        return typed
    rest = typed[2:]
    if dictionary and not any(one.soft == rest == one.lemma and not one.verb for one in dictionary.owners(rest)):
        known = {one.soft: one.lemma for one in dictionary.owners(typed)}
        if typed not in known and any(spelled[0] != "ا" for spelled in known):
            return typed  # الغام, of ألغام
        if rest[0] == "ت" and known.get(typed, rest)[:3] == "الت":
            return typed  # التزام
    return rest


def _lemmas(typed: str, stem: str, dictionary: Dictionary | None) -> frozenset[str]:
    if not dictionary:
        return frozenset()
    stem = _MEANT.get(stem, stem)
    return dictionary.lemmas(stem) or (dictionary.lemmas(typed) if typed != stem else frozenset())


def _kind(typed: str, stem: str, lemmas: frozenset[str], dictionary: Dictionary | None) -> Literal["name", "word"]:
    if _territory(typed) or _territory(stem) or typed in PARTS or typed in WITHOUT_ARTICLE:
        return "name"
    if lemmas or not dictionary:
        return "word"  # measured without a dictionary: lemma F1 .88 against .82, and names lose nothing
    listed = any(owner.soft == stem and (owner.verb or owner.size > 4) for owner in dictionary.owners(stem))
    adjective = stem in SHORT_ADJECTIVES or (stem[-1] == "ي" and _territory(stem + "ا"))  # كيني, of كينيا
    return "word" if listed or adjective or looks_common(stem) else "name"


def _territory(word: str) -> bool:
    return fold(word) in territories()


def _forms(
    typed: str, stem: str, kind: str, guessed: bool, lemmas: frozenset[str], dictionary: Dictionary | None
) -> Iterator[Form]:
    country = _territory(typed) or _territory(stem)
    if typed != stem:
        yield Form(typed, ANY, "as typed")  # also with an article: التزام has none of its own
        definite = country and stem not in ALSO_BARE
        yield Form(stem, AL if definite else ANY, "with or without the article")
    else:
        bare = stem in WITHOUT_ARTICLE or (stem in IN_TA and kind == "name")
        yield Form(stem, BARE if bare else ANY, "as typed")
        if stem == "الله":
            yield Form("لله", BARE, "ل and الله")
    for part in PARTS.get(typed, ()):
        yield Form(part, ANY, "in a name")
    if kind == "name":
        yield from _of_name(stem, guessed and not country)
        return
    own = lemmas | {typed, stem}
    for form in _of_word(stem, lemmas, dictionary):
        allowed = _allowed(form, own, dictionary) if dictionary else form.modes
        if allowed and form.text not in (typed, stem):
            yield form._replace(modes=allowed)


def _of_name(stem: str, guessed: bool) -> Iterator[Form]:
    if stem[-1] in "ةه" and len(stem) > 2:
        yield Form(stem[:-1] + ("ه" if stem[-1] == "ة" else "ة"), ANY, "ه for ة")
    elif guessed and len(stem) >= 4 and stem[-1] not in "اويىء":
        yield Form(stem + "ات", ANY, "plural in ات")  # an unknown word may be a common one after all


def _of_word(stem: str, lemmas: frozenset[str], dictionary: Dictionary | None) -> Iterator[Form]:
    listed: set[str] = set()
    bases = {stem, *lemmas}
    if dictionary:
        for lemma in sorted(lemmas):
            texts = dictionary.forms(lemma)
            if _loses_ya(lemma, texts):
                bases.add(lemma + "ي")
                yield Form(lemma + "ي", ANY, "with its ي")
            yield from _listed(lemma, texts, listed)
    if not lemmas:
        found = {text for text in singulars(stem) if not (dictionary and _is_another(text, dictionary))}
        bases |= found
        for text in found:
            yield Form(text, ANY, "singular")
    elif dictionary and _is_of_masculine(stem, lemmas, dictionary):
        bases.add(stem[:-2])
        yield Form(stem[:-2], ANY, "singular")
    if dictionary and is_defective(stem + "ي") and _noun(stem + "ي", dictionary) and not _noun(stem, dictionary):
        bases.add(stem + "ي")
        yield Form(stem + "ي", ANY, "with its ي")
    for base in sorted(bases):
        if dictionary and base.endswith("ة") and _noun(base[:-1], dictionary):
            listed.add(base[:-1])
        for rule in WORD_INFLECTIONS:
            if rule.applies(base, listed):
                yield from rule.forms(base)


def _is_of_masculine(word: str, lemmas: frozenset[str], dictionary: Dictionary) -> bool:
    """Whether a plural in ات may be that of the word without it, like قرارات; مكتبات is one of مكتبة."""
    if not word.endswith("ات") or len(word) < 6 or word[:-2] + "ة" in lemmas:
        return False
    return _noun(word[:-2], dictionary)


def _loses_ya(lemma: str, texts: Sequence[str]) -> bool:
    """Whether a word is like متوال, which is المتوالي with the article. Of three letters with ا too many are names."""
    if len(lemma) == 3 and lemma[1] == "ا":
        return False
    return sum(lemma + ending in texts for ending in _AFTER_YA) > 1


def _listed(lemma: str, texts: Sequence[str], listed: set[str]) -> Iterator[Form]:
    """The forms that the dictionary has of a lemma; `listed` gathers them."""
    for text in texts:
        definite = text.startswith("ال") and len(text) > 4 and not lemma.startswith("ال")
        bare = text[2:] if definite else text
        listed.add(bare)
        ending = bare.removeprefix(lemma)
        construct = ending in ("ا", "و", "ي") and not is_defective(bare)  # وزيري takes no article, القاضي does
        yield Form(bare, BARE if construct else AL if definite else ANY, f"listed under {lemma}")
        if bare != lemma and _BROKEN(bare):
            yield Form(bare + "ا", BARE, f"accusative of {bare}")


def _is_another(word: str, dictionary: Dictionary) -> bool:
    """Whether the dictionary knows it as another noun, or as a form of one: مظاهر, of مظهر, is no مظاهرة."""
    return _noun(word, dictionary) or any(
        one.soft == word != one.lemma and not one.verb for one in dictionary.owners(word)
    )


def _noun(word: str, dictionary: Dictionary) -> bool:
    """Whether the dictionary knows it well, as a lemma and not only as a form."""
    return any(owner.soft == word == owner.lemma and owner.size >= 3 for owner in dictionary.owners(word))


def _allowed(form: Form, own: frozenset[str], dictionary: Dictionary) -> int:
    """The modes in which a form is not another word's."""
    modes = form.modes
    rule = Inflection.by_name(form.why)
    if rule is None or rule.against != "nothing":
        if _territory(form.text):  # ليبيا is no accusative of ليبي
            return 0
        if _territory("ال" + form.text):  # الجزائر is no plural of جزيرة, nor البحرين a dual of بحر
            modes &= ~AL
    if rule is None:  # listed under a lemma of the term
        return modes
    bare = _others(form.text, own, dictionary)
    if any(rule.yields_to(owner) for owner in bare):
        modes &= ~BARE
    if modes & AL and any(rule.yields_to(owner) for owner in (*bare, *_others("ال" + form.text, own, dictionary))):
        modes &= ~AL
    return modes


def _others(form: str, own: frozenset[str], dictionary: Dictionary) -> list[Owner]:
    """Whose form this is, if only of other lemmas. The exact spelling counts, where the dictionary has it."""
    owners = dictionary.owners(form)
    different = {one.lemma for one in owners if {form[0], one.soft[0]} == {"أ", "إ"}}  # إيمانا is not أيمانا
    owners = [one for one in owners if one.soft == form] or [one for one in owners if one.lemma not in different]
    return [] if any(one.lemma in own for one in owners) else owners


def _later(stem: str, kind: str, modes: Mapping[str, int], dictionary: Dictionary | None) -> Iterator[tuple[str, int]]:
    """Inside a phrase the article may come and go, but of a name that never has one (ماكرون); and adjectives agree:
    «الصواريخ الروسية», «صاروخ روسي»."""
    folded, masculine = fold(stem), stem[:-1]
    if kind == "word" or modes.get(folded) != BARE:
        yield folded, ANY
    nisba = kind == "word" and len(stem) > 4 and stem.endswith("ية") and stem not in NOUNS_IN_TA
    known = dictionary.owners(masculine) if dictionary and nisba and not _territory(masculine) else ()
    if any(one.soft == masculine and not one.verb for one in known):
        for ending in ("", "ين", "ون", "ان"):
            yield fold(masculine + ending), ANY


def _hosts(found: Mapping[str, int], typed: str, stem: str) -> frozenset[str]:
    """ة opens to ت, ى to ا or ي, the hamza of اء also sits on ي; duals and sound plurals lose their ن instead."""
    hosts: set[str] = set()
    for form, modes in found.items():
        if not modes & BARE or (form == typed and typed != stem):
            continue
        if form[-1] == "ة":
            hosts.add(form[:-1] + "ت")
        elif form[-1] == "ى":
            hosts |= {form[:-1] + "ا", form[:-1] + "ي"}
        elif form == stem or not (form.endswith(_NUMBERED) and form[:-1] in found):
            hosts.add(form)
            if form.endswith("اء"):
                hosts.add(form[:-1] + "ئ")
    return frozenset(hosts)


def _refused(found: Iterable[str], own: frozenset[str], dictionary: Dictionary) -> frozenset[str]:
    """Words of a text that only look like a proclitic and a form."""
    refused: set[str] = set()
    for form in found:
        for other in dictionary.with_proclitic(form):
            if other.lemma not in own:
                for whole in {other.soft, bare_alef(other.soft)}:
                    refused |= {whole} if whole[0] in "وف" else {whole, "و" + whole, "ف" + whole}
    return frozenset(refused - set(found))


def _takes_article(word: str, dictionary: Dictionary) -> bool:
    """Whether a word in ى is a noun (المبنى) and no verb (توالى), which never has an article."""
    return any(one.soft[-1] == "ى" for one in dictionary.owners("ال" + word))


def _reads_otherwise(form: str) -> bool:
    """Whether a form without its hamza is to a reader another word: اعلام is إعلام, not أعلام; امن is أمن, not آمن."""
    return form not in UNMARKED and form[0] in "أإآ" and any(sign + form[1:] in UNMARKED for sign in "أإآ")


def _unmarked(one: str, other: str) -> bool:
    """Whether two spellings are the same, or differ as newspapers do: no hamza on the first letter, القاضى."""
    if (is_defective(one) or one in IN_YA) and other == one[:-1] + "ى":
        return True
    return one == other or (one[1:] == other[1:] and "ا" in (one[0], other[0]) and "آ" not in (one[0], other[0]))


def _barred(
    stem: str, found: Iterable[str], hosts: Iterable[str], own: frozenset[str], dictionary: Dictionary
) -> frozenset[str]:
    """Spellings that only look like a form: with another hamza (إعداد for أعداد), or like a form and a pronoun."""
    barred = {bare_alef(form) for form in found if (form != stem or form[0] == "آ") and _reads_otherwise(form)}
    for form in found:
        for other in dictionary.owners(form):
            if other.lemma not in own and not any(_unmarked(one, other.soft) for one in (form, stem)):
                barred |= {other.soft, bare_alef(other.soft)} - {bare_alef(form)}
    for host in hosts:
        for other in dictionary.with_pronoun(host):
            if other.lemma not in own:
                barred |= {other.soft, bare_alef(other.soft)}
    return frozenset(barred - set(found))

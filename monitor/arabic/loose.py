"""Spellings of a foreign name that sound alike (~كاراباخ): one skeleton of consonant classes, nearly the same vowels.

A skeleton has four consonants or more. What may differ has a price, and a longer name may spend more: a long vowel
written or left out costs 1 (زيلينسكي, زلنسكي), another sibilant 2 (غوتيريش, غوتيريس), so does ب for v, ج for ز or
another vowel 3 (بريغوجين, بريغوزين). A name of five consonants or more may lose one within, if all else is the same
(ناريندرا, ناريندا); إبراهيموفيتش is not أبراموفيتش. How a name begins and ends, with a vowel or a consonant, never
differs: هولاند is not هولندا. What a dictionary knows as a common word is none of a name's spellings: مقارنة, يغامرون.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from monitor.arabic.dictionary import Dictionary
from monitor.arabic.names import territories
from monitor.arabic.normalise import fold
from monitor.arabic.pronouns import strip_pronoun

_LEAST = 4  # consonants, as typed
_BUDGET = {3: 1, 4: 2, 5: 3}  # consonants → what may be spent; 4 where there are more
_OTHER, _NEVER = 3, 99  # of another vowel; of another consonant
# Of other consonants that a sound is also written with. At 3 no name has two of these: `keys` gives one.
_SWAPS = {
    **dict.fromkeys(map(frozenset, ("خك", "خغ", "خق", "كغ")), 1),
    **dict.fromkeys(map(frozenset, ("كج", "خج", "سش", "سز")), 2),
    frozenset("فب"): 2,
    frozenset("جز"): 3,
    frozenset("شز"): _NEVER,
}
_OTHER_CLASS = {"ج": "س", "ز": "ك", "ف": "ب", "ب": "ف"}  # by which a spelling may differ
_MAY_DROP = 5  # consonants, of which a spelling may have lost one
_WELL_KNOWN = 3  # forms of a lemma: fewer, and the dictionary knows no more than that it occurs
_SHORT = 5  # letters
_VOWELS = frozenset("اويء")
# Of letters that Arabic writes one sound with, one stands for all; then what `_SWAPS` joins, for the look-up.
_SOUNDS = str.maketrans("صثذضظط", "سسزززت")
_CLASSES = str.maketrans("غجقخشز", "ككككسس")
_CONSONANTS = "بتثجحخدذرزسشصضطظعغفقكلمنه"
_PAIRS = (("تش", "ش"), ("دج", "ج"), ("ينهو", "ينيو"))  # تشيلسي, دجوكوفيتش, كوتينهو
_ARTICLES = ("ال", "بال", "وال", "كال", "فال", "لل")


class Skeleton(NamedTuple):
    """classes: the consonants, sibilants as one; letters: the same finer; vowels: before, between and after them."""

    classes: str
    letters: str
    vowels: tuple[str, ...]


def skeleton(folded: str) -> Skeleton:
    """Of a word. تش and دج count as one letter; a final ة or ه is the vowel that it sounds like."""
    for pair, one in _PAIRS:
        folded = folded.replace(pair, one)
    if len(folded) > 2 and folded[-1] in "ةه" and not folded.endswith("ية"):
        folded = folded[:-1] + "ا"
    letters: list[str] = []
    vowels = [""]
    for letter in folded.replace("ئ", "ي"):  # مائير, مايير
        if letter in _VOWELS or letter == "ة":
            vowels[-1] += letter
        else:
            letters.append(letter)
            vowels.append("")
    return _skeleton("".join(letters).translate(_SOUNDS), vowels)


def _skeleton(letters: str, vowels: Sequence[str]) -> Skeleton:
    return Skeleton(letters.translate(_CLASSES), letters, tuple(vowels))


def single(name: Skeleton) -> Skeleton:
    """With letters that are written double once: فالنسسيا. But فايننشال only leaves out a vowel of فاينانشال."""
    letters, vowels = name.letters, name.vowels
    kept = [at for at, letter in enumerate(letters) if letter != letters[at + 1 : at + 2] or vowels[at + 1]]
    if len(kept) == len(letters):
        return name
    return _skeleton("".join(letters[at] for at in kept), [vowels[0], *(vowels[at + 1] for at in kept)])


def is_loose(folded: str) -> bool:
    """Whether the term is long enough to be matched by its skeleton; shorter ones match by their forms only."""
    bones = skeleton(fold(folded))
    pairs = sum(folded.count(pair) for pair, one in _PAIRS if len(one) == 1)  # two letters that count as one
    return len(bones.letters) + pairs >= _LEAST


def keys(name: Skeleton) -> set[str]:
    """The classes under which spellings of a name are looked for: ج may be the k of غ or the z of French, ف a b."""
    found: set[str] = set()
    for one in {name, single(name)}:
        classes = one.classes
        found |= {classes, *(_without(one, at).classes for at in _dropped(one))}
        for at, letter in enumerate(one.letters):
            if letter in _OTHER_CLASS:
                found.add(classes[:at] + _OTHER_CLASS[letter] + classes[at + 1 :])
    return found


def gist(letters: str) -> str:
    """What all words share that one look-up finds, and others too: told letter by letter, from a word (folded) or from
    the classes of its skeleton. Without vowels, repeats, and the letters that `skeleton` may swallow."""
    sounds = [one for one in map(sound, letters) if one]
    return "".join(one for at, one in enumerate(sounds) if at == 0 or one != sounds[at - 1])


def sound(letter: str) -> str:
    """The class of a letter; "" of those that a gist leaves out."""
    found = letter.translate(_SOUNDS).translate(_CLASSES)
    return found if found in _CONSONANTS and found not in "تده" else ""


def openings(name: Skeleton) -> set[str]:
    """The letters that a spelling of the name may begin with: asked first, it spares most words their skeleton."""
    if name.vowels[0]:
        return {*_VOWELS, "ئ"}
    classes = {key[0] for key in keys(name)}
    found = {letter for letter in _CONSONANTS if letter.translate(_SOUNDS).translate(_CLASSES) in classes}
    return found | {pair[0] for pair, one in _PAIRS if one in found}


def sounds_like(one: Skeleton, other: Skeleton) -> bool:
    """Whether two words are spellings of one name."""
    return any(_alike(mine, theirs) for mine in {one, single(one)} for theirs in {other, single(other)})


def _dropped(name: Skeleton) -> range:
    """Which consonants a spelling may have lost: neither the first nor what the name ends with."""
    size = len(name.letters)
    return range(1, size if name.vowels[-1] else size - 1) if size >= _MAY_DROP else range(0)


def _without(name: Skeleton, at: int) -> Skeleton:
    vowels = name.vowels
    together = (*vowels[:at], vowels[at] + vowels[at + 1], *vowels[at + 2 :])
    return _skeleton(name.letters[:at] + name.letters[at + 1 :], together)


def _alike(one: Skeleton, other: Skeleton) -> bool:
    """Whether a word (other) is a spelling of the name (one)."""
    size = len(one.letters)
    budget = _BUDGET.get(size, 4)
    if size == _LEAST and one.letters[0] == "م" and not one.vowels[-1]:
        budget = 0  # the shape of many Arabic words: محمد, محمود
    if size == len(other.letters) + 1:
        return any(_price(_without(one, at), other) == 0 for at in _dropped(one))
    return size == len(other.letters) and _price(one, other) <= budget


def _price(one: Skeleton, other: Skeleton) -> int:
    """What the differences between skeletons of one length cost."""
    size = len(one.letters)
    spent = sum(map(_consonant, one.letters, other.letters))
    if spent and size < _LEAST:
        return _NEVER
    for at, (mine, theirs) in enumerate(zip(one.vowels, other.vowels, strict=True)):
        if mine == theirs:
            continue
        if at in (0, size) and (not mine or not theirs or (at == size and mine[-1] != theirs[-1])):
            return _NEVER
        spent += _vowel(mine, theirs)
    return spent


def _consonant(one: str, other: str) -> int:
    if one == other:
        return 0
    same = one.translate(_CLASSES) == other.translate(_CLASSES)
    return _SWAPS.get(frozenset((one, other)), 0 if same else _NEVER)


def _vowel(one: str, other: str) -> int:
    """What a difference of the vowels in one place costs: by the letter where one only has more, else once."""
    short, long = sorted((one, other), key=len)
    if len(short) == len(long) == 2 and short[0] == long[0] == "ي":  # دانيال, دانييل
        return 1
    rest = iter(long)
    return len(long) - len(short) if all(letter in rest for letter in short) else _OTHER


def is_common(word: str, dictionary: Dictionary | None) -> bool:
    """Whether a word (folded) is a common one, or a country, with an article before it or a pronoun behind it.

    Of words with another proclitic only short ones count (بسقف): كامرون is not «like آمرون».
    """
    heads = [word, *(word.removeprefix(article) for article in _ARTICLES if word.startswith(article))]
    if not territories().isdisjoint(heads):
        return True
    if dictionary is None:
        return False
    if word[0] in "وفبكل" and len(word) <= _SHORT:
        heads.append(word[1:])
    return any(
        owner.size >= _WELL_KNOWN
        for head in heads
        for whole in (head, *strip_pronoun(head))
        if len(whole) > 2
        for owner in dictionary.owners(whole)
    )

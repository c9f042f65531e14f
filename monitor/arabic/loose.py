"""Spellings of a foreign name that sound alike (~كاراباخ): one skeleton of consonant classes, nearly the same vowels.

A skeleton has four consonants or more. What may differ has a price, and a longer name may spend more: a long vowel
written or left out costs 1 (زيلينسكي, زلنسكي), another sibilant 2 (غوتيريش, غوتيريس), ج for ز or another vowel 3
(بريغوجين, بريغوزين). How a name begins and ends, with a vowel or a consonant, never differs: هولاند is not هولندا. What
a dictionary knows as a common word is none of a name's spellings: مقارنة, يغامرون.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from monitor.arabic.dictionary import Dictionary
from monitor.arabic.names import territories
from monitor.arabic.normalise import fold
from monitor.arabic.pronouns import strip_pronoun

_LEAST = 4  # consonants, as typed
_BUDGET = {3: 1, 4: 2, 5: 3}  # consonants → what may be spent; 4 where there are more
_OTHER, _NEVER = 3, 99  # of another vowel; of another consonant
# At 3 no name has two of these: `keys` gives one.
_SWAPS = {frozenset("سش"): 2, frozenset("سز"): 2, frozenset("جز"): 3}
_WELL_KNOWN = 3  # forms of a lemma: fewer, and the dictionary knows no more than that it occurs
_VOWELS = frozenset("اويء")
# Sounds that Arabic writes in several ways; of a class one stands for all.
_SOUNDS = str.maketrans("غجقخصثذضظط", "ككككسسزززت")
_SIBILANTS = str.maketrans("شز", "سس")
_PAIRS = (("تش", "ش"), ("دج", "ج"), ("ينهو", "ينيو"))  # تشيلسي, دجوكوفيتش, كوتينهو
_ARTICLES = ("ال", "بال", "وال", "كال", "فال", "لل")


class Skeleton(NamedTuple):
    """classes: the consonants, sibilants as one; letters: the same finer; vowels: before, between and after them."""

    classes: str
    letters: str
    vowels: tuple[str, ...]


def skeleton(folded: str) -> Skeleton:
    """Of a word. Doubled letters count once, and so do تش and دج; a final ة or ه is the vowel that it sounds like."""
    for pair, one in _PAIRS:
        folded = folded.replace(pair, one)
    if len(folded) > 2 and folded[-1] in "ةه" and not folded.endswith("ية"):
        folded = folded[:-1] + "ا"
    letters: list[str] = []
    vowels = [""]
    for letter in folded.replace("ئ", "ي"):  # مائير, مايير
        if letter in _VOWELS or letter == "ة":
            vowels[-1] += letter
        elif letters and letter == letters[-1] and not vowels[-1]:
            continue
        else:
            letters.append(letter)
            vowels.append("")
    spelled = "".join(letters)
    return Skeleton(spelled.translate(_SOUNDS).translate(_SIBILANTS), spelled, tuple(vowels))


def is_loose(folded: str) -> bool:
    """Whether the term is long enough to be matched by its skeleton; shorter ones match by their forms only."""
    bones = skeleton(fold(folded))
    pairs = sum(folded.count(pair) for pair, one in _PAIRS if len(one) == 1)  # two letters that count as one
    return len(bones.letters) + pairs >= _LEAST


def keys(name: Skeleton) -> Iterator[str]:
    """The classes under which spellings of a name are looked for: ج may be the k of غ or the z of French."""
    yield name.classes
    for at, letter in enumerate(name.letters):
        if letter == "ج" or letter.translate(_SOUNDS) == "ز":
            yield name.classes[:at] + ("س" if letter == "ج" else "ك") + name.classes[at + 1 :]


def sounds_like(one: Skeleton, other: Skeleton) -> bool:
    """Whether two words are spellings of one name."""
    if len(one.letters) != len(other.letters):
        return False
    size = len(one.letters)
    budget = _BUDGET.get(size, 4)
    if size == _LEAST and one.letters[0] == "م" and not one.vowels[-1]:
        budget = 0  # the shape of many Arabic words: محمد, محمود
    spent = 0
    for mine, theirs in zip(one.letters, other.letters, strict=True):
        spent += _consonant(mine, theirs)
    for at, (mine, theirs) in enumerate(zip(one.vowels, other.vowels, strict=True)):
        if mine == theirs:
            continue
        if at in (0, size) and (not mine or not theirs or (at == size and mine[-1] != theirs[-1])):
            return False
        spent += _vowel(mine, theirs)
    return spent <= budget


def _consonant(one: str, other: str) -> int:
    if one == other:
        return 0
    sound, heard = one.translate(_SOUNDS), other.translate(_SOUNDS)
    if sound == heard:
        return 0
    return _SWAPS.get(frozenset((one if one == "ج" else sound, other if other == "ج" else heard)), _NEVER)


def _vowel(one: str, other: str) -> int:
    """What a difference of the vowels in one place costs: by the letter where one only has more, else once."""
    short, long = sorted((one, other), key=len)
    rest = iter(long)
    return len(long) - len(short) if all(letter in rest for letter in short) else _OTHER


def is_common(word: str, dictionary: Dictionary | None) -> bool:
    """Whether a word (folded) is a common one, or a country, with an article before it or a pronoun behind it."""
    heads = [word, *(word.removeprefix(article) for article in _ARTICLES if word.startswith(article))]
    if not territories().isdisjoint(heads):
        return True
    if dictionary is None:
        return False
    return any(
        owner.size >= _WELL_KNOWN
        for head in heads
        for whole in (head, *strip_pronoun(head))
        if len(whole) > 2
        for owner in dictionary.owners(whole)
    )

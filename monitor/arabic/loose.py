"""Spellings of a foreign name that sound alike (~كاراباخ): one skeleton of consonant classes, nearly the same vowels.

Guards against merging names (محمود, محمد): a skeleton has four consonants or more, and at most two long vowels differ.
"""

from __future__ import annotations

from monitor.arabic.normalise import fold

_MIN_CONSONANTS = 4
_MAX_EDITS = 2
_VOWELS = frozenset("اويء")
_CLASSES = str.maketrans("غجقخطصذضظ", "ككككتسززز")
_ENDINGS = ("ة", "ه", "ي")  # of a name's last vowel: أنقرة, أنقره, أنقرا


def skeleton(folded: str) -> tuple[str, tuple[str, ...]]:
    """The consonant classes of a word, and the long vowels before, between and after them. Doubles count once."""
    if len(folded) > 2 and folded.endswith(_ENDINGS):
        folded = folded[:-1] + "ا"
    consonants: list[str] = []
    vowels = [""]
    for letter in folded.replace("ئ", "ء").translate(_CLASSES):
        if letter in _VOWELS:
            vowels[-1] += letter
        elif consonants and letter == consonants[-1] and not vowels[-1]:
            continue
        else:
            consonants.append(letter)
            vowels.append("")
    return "".join(consonants), tuple(vowels)


def is_loose(folded: str) -> bool:
    """Whether the term is long enough to be matched by its skeleton; shorter ones match by their forms only."""
    return len(skeleton(fold(folded))[0]) >= _MIN_CONSONANTS


def sounds_like(consonants: str, one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether the vowels of two words with one skeleton differ by two edits at most; those of محمد, محمود by none."""
    if one == other:
        return True
    most = 0 if consonants[0] == "م" and len(consonants) == _MIN_CONSONANTS else _MAX_EDITS
    edits = 0
    for mine, theirs in zip(one, other, strict=True):
        if mine != theirs:
            edits += _distance(mine[:4], theirs[:4])
            if edits > most:
                return False
    return True


def _distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, mine in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, theirs in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (mine != theirs))
    return row[-1]

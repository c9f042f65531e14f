"""What a headline says, word by word: what it is about, which numbers it gives of what, which side it takes. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import pairwise

from monitor.arabic import names
from monitor.stories import wordlists
from monitor.stories.evidence import spelling
from monitor.stories.signature import spelled, stem, term

FRAME = 2  # content words at least that two titles begin or end with alike …
FRAMED = 3  # … around so many others at most

_FIGURE = re.compile(r"[^\W\d]{0,3}(\d+(?:\.\d+)?)")  # with the proclitics before it: و1200, ب4
# Two of what ends in ة: طائرتين, سنتان; without the plurals in اتين (بساتين) and what ends in ستان.
_DUAL = re.compile(r"(?!ال|.?بوتين)[^\W\d]{2,}(?<![اس])ت(?:ين|ان)")


def _poles() -> dict[str, set[tuple[int, bool]]]:
    poles: dict[str, set[tuple[int, bool]]] = {}
    for pair, sides in enumerate(wordlists.OPPOSITES):
        for side, listed in enumerate(sides):
            for word in spelled(listed):
                poles.setdefault(stem(word), set()).add((pair, bool(side)))
    return poles


def _stems(listed: str) -> frozenset[str]:
    return frozenset(map(stem, spelled(listed)))


POLES = _poles()
FILLER = frozenset(spelled(wordlists.FILLERS + " " + wordlists.PARTICLES))
_NEGATIVE = _stems(wordlists.PARTICLES + " " + wordlists.DENIALS)
_FLAT_DENIALS = _stems(wordlists.FLAT_DENIALS)
_CORRECTIONS = _FLAT_DENIALS | _stems(wordlists.CORRECTIONS)
_WITHDRAWALS = _stems(wordlists.WITHDRAWALS)
_NUMERALS = {stem(word): float(value) for listed, value in wordlists.NUMERALS for word in spelled(listed)}
_ORDINALS = {stem(word): value for listed, value in wordlists.ORDINALS for word in spelled(listed)}
_MULTIPLIERS = _stems(wordlists.MULTIPLIERS)
_DEEDS = _stems(wordlists.DEEDS)
_FORMULAS = _stems(wordlists.FORMULAS)
_COLUMNS = _FORMULAS | _stems(wordlists.COLUMNS)
_HARMS = ((_stems(wordlists.DEAD), "dead"), (_stems(wordlists.HURT), "hurt"))


@dataclass(frozen=True, slots=True)
class Count:
    """A number of a headline. unit: the stem of what is counted; harm: whether it counts the dead, the hurt, both."""

    value: float
    words: tuple[str, ...]  # as the headline gives it, without «ألف» and «مليون» beside a figure
    unit: str
    harm: frozenset[str]

    def differs(self, other: Count) -> bool:
        """Whether the values are not one and the same, rounded: 64.6 and 64 million, 677 thousand and 676,962."""
        less, more = sorted((self.value, other.value))
        if more < 10_000 or less < 0.95 * more:
            return less != more
        digits = min(_digits(less), _digits(more))
        return not {f"{less:.{digits - 1}e}", _cut(less, digits)} & {f"{more:.{digits - 1}e}", _cut(more, digits)}

    def other_kind(self, other: Count) -> bool:
        """Whether one counts the dead and the other the dead and hurt together: «يقتل 4», «يقتل ويصيب 7»."""
        return bool(self.harm and other.harm) and self.harm != other.harm

    def same_kind(self, other: Count) -> bool:
        """Whether the two count the same: «9 جنود» and «31 جنديا»."""
        if self.harm and other.harm:
            return self.harm == other.harm
        return bool(self.unit) and self.unit[:3] == other.unit[:3]


def _digits(value: float) -> int:
    """How many digits of a number say something: 2 of 350,000."""
    return len(f"{value:.11e}".partition("e")[0].replace(".", "").rstrip("0"))


def _cut(value: float, digits: int) -> str:
    """The number with so many digits, the others cut off: 64.6 is also given as 64."""
    figures, _, power = f"{value:.11e}".partition("e")
    return f"{figures[: digits + 1] if digits > 1 else figures[0]}e{power}"


@lru_cache(maxsize=65536)
def number(word: str) -> float | None:
    """The number that a folded word is, None if it is none."""
    figure = _FIGURE.fullmatch(word)
    if figure:
        return float(figure[1])
    known = _NUMERALS.get(stem(word))
    return 2.0 if known is None and _DUAL.fullmatch(word) and not is_place(word) else known


@lru_cache(maxsize=1024)
def counts(title: str) -> tuple[Count, ...]:
    """The numbers of a title. «ثلاثة آلاف», «خمسة وعشرون» and «6.5 مليار» are one number each."""
    said, found = title.split(), []
    place, free = 0, 0  # free: where the words begin that no number has had yet
    while place < len(said):
        value = number(said[place])
        if value is None:
            place += 1
            continue
        start = place
        place += 1
        while place < len(said) and (more := number(said[place])) is not None:
            if stem(said[place]) in _MULTIPLIERS:
                value *= more
            elif said[place][0] == "و" and more > value:
                value += more
            else:
                break
            place += 1
        found.append(_count(said, value, start, place, free))
        free = place
    if len(found) == 1 and not found[0].harm:  # «ارتفاع قتلى الانهيار إلى 19»
        found = [replace(found[0], harm=_harms(stemmed(title)))]
    return tuple(found)


def _count(said: Sequence[str], value: float, start: int, end: int, free: int) -> Count:
    """The count that the words from `start` to `end` tell; those from `free` on may say of what."""
    given = [word for word in said[start:end] if stem(word) not in _MULTIPLIERS] or said[start:end]
    after = next((word for word in said[end : end + 2] if word not in FILLER and number(word) is None), "")
    before = said[max(free, start - 3) : start]
    unit = after or next((word for word in reversed(before) if word not in FILLER), said[start])
    return Count(value, tuple(given), stem(unit), _harms(map(stem, (*before, *said[start:end], unit))))


def _harms(stems: Iterable[str]) -> frozenset[str]:
    said = set(stems)
    return frozenset(name for listed, name in _HARMS if said & listed)


@lru_cache(maxsize=1024)
def stemmed(title: str) -> tuple[str, ...]:
    """The stems of a title's words."""
    return tuple(map(stem, title.split()))


def ordinals(title: str) -> set[int]:
    """Which ones of a series a title speaks of: «الدفعة الثالثة» is {3}."""
    return {_ORDINALS[word] for word in stemmed(title) if word in _ORDINALS}


@lru_cache(maxsize=1024)
def content(title: str) -> tuple[str, ...]:
    """The stems of a title's words that say something."""
    return tuple(stem(word) for word in title.split() if word not in FILLER)


def shared(one: str, other: str) -> float:
    """The part of the shorter title's words that the other says too, in whatever form: 1.0 where it adds nothing."""
    mine, yours = sorted((content(one), content(other)), key=len)
    if not mine:
        return 0.0
    return sum(word in yours or any(alike(word, their) for their in yours) for word in mine) / len(mine)


def framed(one: str, other: str) -> bool:
    """Whether two titles are one sentence but for one place in it, where each has up to three words of its own."""
    mine, yours = content(one), content(other)
    shorter = min(len(mine), len(yours))
    head = next((at for at in range(shorter) if not alike(mine[at], yours[at])), shorter)
    tail = next((at for at in range(shorter - head) if not alike(mine[-1 - at], yours[-1 - at])), shorter - head)
    return head + tail >= FRAME and shorter - head - tail > 0 and max(len(mine), len(yours)) - head - tail <= FRAMED


def sides(stems: Collection[str]) -> dict[tuple[int, bool], str]:
    """The sides that words take, as (pair of opposites, which side) → the word."""
    return {side: word for word in stems for side in POLES.get(word, ())}


def turned_round(one: str, other: str) -> bool:
    """Whether two titles are the same but for two words that changed places around a deed: who won against whom."""
    mine, yours = one.split(), other.split()
    if len(mine) != len(yours) or not _DEEDS.intersection(content(one)):
        return False
    moved = [place for place, (a, b) in enumerate(zip(mine, yours, strict=True)) if not alike(a, b)]
    if len(moved) != 2 or moved[1] == moved[0] + 1 or any(number(mine[place]) is not None for place in moved):
        return False
    (a, b), (c, d) = ((stem(title[moved[0]]), stem(title[moved[1]])) for title in (mine, yours))
    return a == d and b == c


def negations(title: str) -> int:
    """How many words of a title negate."""
    return sum(map(_NEGATIVE.__contains__, stemmed(title)))


def denies(title: str) -> bool:
    """Whether a title, or a word, flatly denies."""
    return not _FLAT_DENIALS.isdisjoint(stemmed(title))


def takes_back(title: str) -> bool:
    """Whether a title denies or corrects what was reported: «تنفي», «تصحيح», «تراجع عن»."""
    said = stemmed(title)
    withdrawn = any(one in _WITHDRAWALS and after == "عن" for one, after in pairwise(said))
    return withdrawn or not _CORRECTIONS.isdisjoint(said)


def change(earlier: str, later: str) -> str:
    """The number that changed between two titles of one story, as "4 → 7"; "" where none did."""
    before, after = counts(earlier), counts(later)
    values = {count.value for count in before} & {count.value for count in after}
    for old in before:
        for new in after:
            same = old.same_kind(new) or bool(old.harm & new.harm)
            if same and old.differs(new) and not {old.value, new.value} & values:
                return f"{old.value:g} → {new.value:g}"
    return ""


def gives(told: str, later: str, change: str) -> bool:
    """Whether a title that was told gave the number already that `later` changed: the 7 of "4 → 7"."""
    value = change.rpartition(" ")[2]
    new = [count for count in counts(later) if f"{count.value:g}" == value]
    same = [(old, one) for old in counts(told) for one in new if old.same_kind(one) or old.harm & one.harm]
    return any(not old.differs(one) for old, one in same)


def is_formula(title: str) -> bool:
    """Whether a title is that of a text by formula, whoever prints it: weather, greetings between heads of state."""
    return not _FORMULAS.isdisjoint(stemmed(title))


def is_column(title: str) -> bool:
    """Whether a title is that of a formula, or of an outlet's daily column: prices, match days."""
    return not _COLUMNS.isdisjoint(stemmed(title))


@lru_cache(maxsize=65536)
def is_place(word: str) -> bool:
    """Whether a folded word is a country, or says that someone or something is from there."""
    return any(form in _places() for form in (word, word.removeprefix("ال"), stem(word)))


@cache
def place_terms() -> frozenset[int]:
    """The hashes of all words that `is_place` knows."""
    return frozenset(map(term, _places()))


@cache
def _places() -> frozenset[str]:
    places = {name.removeprefix("ال") for name in spelled(" ".join(names.territories()))}
    roots = {re.sub("(يا|ا|ه)$", "", place) for place in places if len(place) > 3}
    return frozenset(places | {root + end for root in roots if len(root) > 2 for end in ("ي", "يه", "يين", "يون")})


@lru_cache(maxsize=16384)
def alike(one: str, other: str) -> bool:
    """Whether two folded words are inflections or spellings of each other."""
    a, b = stem(one), stem(other)
    if a == b or (len(a) > 3 and a[0] == b[0] and sorted(a) == sorted(b)):  # أميركي, أمريكي
        return True
    if a[0] != b[0]:
        a, b = _bare(a), _bare(b)
        if a == b:  # حسب, بحسب
            return True
    shorter = min(len(a), len(b))
    same = next((i for i in range(shorter) if a[i] != b[i]), shorter)
    if same >= 4 and same >= max(len(a), len(b)) - 3:
        return True
    return shorter >= 4 and a[0] == b[0] and spelling(a, b) >= 80  # بوينغ, بوينج; المصائف, المصايف


def _bare(word: str) -> str:
    for letter in "وبل":
        if len(word) > 3:
            word = word.removeprefix(letter)
    return word


@cache
def spellings(value: float) -> frozenset[int]:
    """The hashes of the words that say a number."""
    told = [word for word, named in _NUMERALS.items() if named == value and word != "اثنين"]  # which is Monday, too
    return frozenset(map(term, [f"{value:g}", *told]))

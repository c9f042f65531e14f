"""The other ways a name is written: together or apart (عبدالفتاح, عبد الفتاح), with dots or without (U.S., US).

The query side does it: `spellings` gives every row of words that stands for the one typed. To add a name, add a line to
a table: its spellings with = between, each as it is written in a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice

from monitor.arabic.alternates import ALTERNATES
from monitor.arabic.names import IN_TA
from monitor.arabic.normalise import fold, soft

# Names of which every spelling finds every other. أبو, عبد and الدين need no line, see below.
_NAMES = """
    أم درمان = أمدرمان
    بن غازي = بنغازي
    بو تفليقة = بوتفليقة
    بو رقيبة = بورقيبة
    بور سعيد = بورسعيد
    بور تسودان = بورتسودان
    بيت لحم = بيتلحم
    خان يونس = خانيونس
    دير الزور = ديرالزور
    تل أبيب = تلأبيب
    حضر موت = حضرموت
    بعل بك = بعلبك
    رام الله = رامالله
    شرم الشيخ = شرمالشيخ
    كفر شوبا = كفرشوبا
    مار مخايل = مارمخايل
    نيو يورك = نيويورك
    نيو جيرسي = نيوجيرسي
    نيو دلهي = نيودلهي
    لوس أنجلوس = لوسأنجلوس
    سان فرانسيسكو = سانفرانسيسكو
    سان بطرسبرغ = سانت بطرسبرغ
    هونغ كونغ = هونغكونغ
    بيونغ يانغ = بيونغيانغ
    كوالا لمبور = كوالالمبور
    إسلام آباد = إسلامآباد
    أحمد آباد = أحمدآباد
    عشق آباد = عشقآباد
    سري لانكا = سريلانكا
    بوركينا فاسو = بوركينافاسو
    غينيا بيساو = غينيابيساو
    كوت ديفوار = كوتديفوار
    قره باغ = قرهباغ = قرة باغ
    شي جين بينغ = شي جينبينغ
    كيم جونغ أون = كيم جونغأون
    أ ف ب = أف ب = أفب
    د ب أ = دب أ
"""
_HEADS = frozenset(("عبد", "أبو", "ابو", "أبا", "ابا", "أبي", "ابي", "ذو"))  # أبو مازن, أبومازن
_TAILS = frozenset(("الله", "الدين"))  # نصر الله, نصرالله; صلاح الدين
_JOINED_HEADS = ("عبدال", "أبو", "ابو", "ذوال")  # not أبا: أباطرة are emperors
_SON = ("بن", "ابن")  # within a name one stands for the other
_MOST = 8  # rows of one term
_MOST_WORDS = 100  # of a phrase that is asked for its names
_LONGEST = 4  # words of a name in the tables
_CAPITALS = re.compile("[A-Z]{2,5}").fullmatch
_CAPITAL = re.compile("[A-Z]").fullmatch

Piece = int | str  # the place of a typed word that stays, or a word in its place
_Table = Mapping[tuple[str, ...], tuple[tuple[str, ...], ...]]  # folded words → the other spellings of their line


def spellings(words: Sequence[str], *, loose: bool = False) -> list[tuple[Piece, ...]]:
    """The rows of words that a row of words (as typed) stands for, itself first; at most eight.

    loose: other names of the same too (alternates.py), and then some more rows.
    """
    if len(words) > _MOST_WORDS:
        return [tuple(range(len(words)))]
    return list(islice(_rows(words, 0, _loose_table() if loose else _table()), 2 * _MOST if loose else _MOST))


def _rows(words: Sequence[str], at: int, table: _Table) -> Iterator[tuple[Piece, ...]]:
    if at == len(words):
        yield ()
        return
    named = list(_named(words, at, table))
    if not named:
        for rest in _rows(words, at + 1, table):
            yield (at, *rest)
    for length, new in dict.fromkeys((*named, *_others(words, at))):
        for rest in _rows(words, at + length, table):
            yield (*new, *rest)


def _named(words: Sequence[str], at: int, table: _Table) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The spellings of a known name that begins at a word, as typed first: (how many words it takes, its words).

    These do not inflect: عبد الله is not عباد الله.
    """
    typed = [soft(one) for one in words[at : at + _LONGEST]]
    for length in range(len(typed), 0, -1):
        if others := table.get(_folded(tuple(typed[:length]))):
            yield length, tuple(typed[:length])
            yield from ((length, other) for other in others)
            return
    if typed[0] in _HEADS and len(typed) > 1 and len(typed[1]) > 2:
        yield 2, tuple(typed[:2])
        yield 2, (typed[0] + typed[1],)
    elif split := _apart(typed[0]):
        yield 1, (typed[0],)
        yield 1, split


def _others(words: Sequence[str], at: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Other words for those that begin at one: US and U.S.; سورية for سوريا; محمد ابن سلمان; حزبالله for حزب الله."""
    word = words[at]
    if country := IN_TA.get(soft(word)):
        yield 1, (country,)
    if len(words) > 1 and fold(soft(word)) in _SON:
        yield from ((1, (son,)) for son in _SON if son != fold(soft(word)))
    if _CAPITALS(word):
        yield 1, tuple(word.casefold())
    capitals = next((i for i, one in enumerate(words[at:]) if not _CAPITAL(one)), len(words) - at)
    if capitals >= 2:
        yield capitals, ("".join(words[at : at + capitals]).casefold(),)
    if at + 1 < len(words) and soft(words[at + 1]) in _TAILS and len(word) > 2:
        yield 2, (soft(word) + soft(words[at + 1]),)


def _apart(word: str) -> tuple[str, str] | None:
    """أبوظبي, عبدالله, نصرالله, صلاحالدين as two words."""
    for head in _JOINED_HEADS:
        rest = word[len(head) :]
        if word.startswith(head) and len(rest) > 2:
            return (head[:-2], "ال" + rest) if head.endswith("ال") else (head, rest)
    for tail in _TAILS:
        rest = word[: -len(tail)]
        if word.endswith(tail) and len(rest) > 2 and not rest.startswith("ال"):
            return rest, tail
    return None


@cache
def _table() -> _Table:
    return _read(_NAMES)


@cache
def _loose_table() -> _Table:
    return _read(_NAMES + ALTERNATES)


def _read(lines: str) -> _Table:
    """Lines that share a spelling are one."""
    groups: dict[tuple[str, ...], dict[tuple[str, ...], tuple[str, ...]]] = {}
    for line in lines.split("\n"):
        ways = {_folded(tuple(way.split())): tuple(soft(way).split()) for way in line.split("=") if way.strip()}
        for folded in list(ways):
            ways.update(groups.get(folded, {}))
        groups.update(dict.fromkeys(ways, ways))
    return {folded: tuple(other for key, other in ways.items() if key != folded) for folded, ways in groups.items()}


def _folded(way: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(fold(soft(word)) for word in way)

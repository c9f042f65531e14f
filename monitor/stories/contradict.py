"""What tells two like-worded reports apart: one denies what the other confirms, counts differ, names differ.

Law of this file: evidence has already said that the two articles are alike; here only objections are raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from monitor.stories import headline
from monitor.stories.evidence import Evidence
from monitor.stories.headline import Count
from monitor.stories.signature import Signature, stem, term, unpack

SURE = 0.7  # texts so alike that differing numbers are a new toll, not another event
COPY = 0.9
SAME_LEAD = 0.9  # one text printed again, its rest cut or lengthened
SAME_SENTENCE = 0.6  # of the shorter title's words in the other: what is left over was put in the place of something
DAILY = timedelta(hours=18)  # what one outlet words alike so much later is a column: weather, prices, prayer times
SHORT = 240  # shingles of a text whose beginning is the report, not its background

_POLES_BY_TERM = {term(word): sides for word, sides in headline.POLES.items()}


def objection(one: Signature, other: Signature, evidence: Evidence, apart: timedelta) -> str:
    """Why two articles that look alike are not the same event, "" if nothing says so."""
    body, lead, title = evidence.body, evidence.lead, evidence.title
    share = headline.shared(one.title, other.title)
    polarity = _polarity(one, other, body, title, share)
    if polarity:
        return polarity
    first, second = headline.ordinals(one.title), headline.ordinals(other.title)
    if first and second and not first & second:
        return f"one is number {min(first)}, the other number {min(second)}"
    column = one.outlet == other.outlet and apart > DAILY
    if apart > DAILY and body < SURE and lead < SAME_LEAD:
        formulas = headline.is_formula(one.title) and headline.is_formula(other.title)
        if formulas or (column and (headline.is_column(one.title) or headline.is_column(other.title))):
            return "a column of another day"
    return _numbers(one, other, share, tolls=body >= (COPY if column else SURE)) or _names(one, other, body, share)


def _polarity(one: Signature, other: Signature, body: float, title: float, share: float) -> str:
    mine, yours = set(headline.content(one.title)), set(headline.content(other.title))
    if body < SURE or title >= 65:
        opposites = _opposed(mine - yours, yours - mine, share)
        if opposites:
            return f"one says the opposite of the other: {opposites}"
    if headline.turned_round(one.title, other.title):
        return "who did it to whom is turned round"
    if share >= SAME_SENTENCE and headline.takes_back(one.title) != headline.takes_back(other.title):
        return "one title denies or takes back"
    if title >= (75 if body < SURE else 85):
        if (headline.negations(one.title) - headline.negations(other.title)) % 2:
            return "one title negates"
        if 0 < max(len(one.shingles), len(other.shingles)) <= 4 * SHORT and _opposed_leads(one, other):
            return "one text says the opposite of the other"
    return ""


def _opposed(mine: set[str], yours: set[str], share: float) -> str:
    """The first pair of words where one title says the opposite of the other, "" if none.

    A title that holds both sides of a pair (it confirms this and denies that) takes no side. Titles that have little
    else in common speak of different things, unless one of them flatly denies.
    """
    ours, theirs = headline.sides(mine), headline.sides(yours)
    for (pair, side), word in ours.items():
        against = theirs.get((pair, not side))
        if not against or (pair, not side) in ours or (pair, side) in theirs:
            continue
        if share >= 0.4 or headline.denies(word) or headline.denies(against):
            return f"{word} / {against}"
    return ""


def _opposed_leads(one: Signature, other: Signature) -> bool:
    """As `_opposed`, over the words that only one of the two leads has (only hashes of them are kept)."""
    mine, yours = set(one.lead), set(other.lead)
    ours = {side for hashed in mine - yours for side in _POLES_BY_TERM.get(hashed, ())}
    theirs = {side for hashed in yours - mine for side in _POLES_BY_TERM.get(hashed, ())}
    return any((pair, not side) in theirs - ours and (pair, side) not in theirs for pair, side in ours)


def _numbers(one: Signature, other: Signature, share: float, tolls: bool) -> str:
    """Numbers of each title that the other article has neither in its title nor in its text, as "5 / 7".

    Only numbers of the same things contradict each other, unless the titles are one sentence but for them. tolls: the
    texts are copies, in which a toll may have risen, and headlines may pick another number: there only one sentence
    with another number counts, which its own text repeats and which is no toll.
    """
    mine, yours = headline.counts(one.title), headline.counts(other.title)
    if mine == yours or (tolls and share < SAME_SENTENCE):
        return ""
    strange, other_strange = _strange(mine, yours, other), _strange(yours, mine, one)
    if tolls:
        strange, other_strange = _told(strange, one), _told(other_strange, other)
    for a in strange:
        for b in other_strange:
            rounded = not a.differs(b) and one.words and other.words
            if not rounded and not a.other_kind(b) and (share >= SAME_SENTENCE or a.same_kind(b)):
                return f"numbers differ: {a.value:g} / {b.value:g}"
    return ""


def _told(counts: Sequence[Count], own: Signature) -> list[Count]:
    """Those that are no tolls, and that the beginning of the own text repeats."""
    lead = set(own.lead)
    return [
        count
        for count in counts
        if not count.harm
        and (any(term(word) in lead for word in count.words) or lead & headline.spellings(count.value))
    ]


def _strange(mine: Sequence[Count], yours: Sequence[Count], other: Signature) -> list[Count]:
    values = {count.value for count in yours}
    known = {*unpack(other.words), *other.terms}
    strange = [count for count in mine if count.value not in values]
    if not other.words:
        return strange
    return [
        count
        for count in strange
        if not (count.value < 1000 and known & headline.spellings(count.value))
        and not all(term(word) in known for word in count.words)
    ]


def _names(one: Signature, other: Signature, body: float, share: float) -> str:
    """The same headline about somebody else: each has a word that the other article lacks.

    Countries count in any two headlines, other words only in two that are else the same sentence. In copies a word
    that is counted («جثتين», «جثث») may be a new toll.
    """
    formulas = body < SURE and headline.is_formula(one.title) and headline.is_formula(other.title)
    if formulas and _places(one) - set(unpack(other.words)) and _places(other) - set(unpack(one.words)):
        return "they name different countries"
    sentence = share >= SAME_SENTENCE or headline.framed(one.title, other.title)
    if not sentence and body >= SURE:
        return ""
    mine, yours = _strangers(one, other), _strangers(other, one)
    if not sentence and body >= 0:
        mine, yours = [*filter(headline.is_place, mine)], [*filter(headline.is_place, yours)]
    if body >= SURE:
        mine, yours = _uncounted(mine, one), _uncounted(yours, other)
    return f"words differ: {' '.join(mine[:3])} / {' '.join(yours[:3])}" if mine and yours else ""


def _uncounted(found: list[str], signature: Signature) -> list[str]:
    counted = {count.unit for count in headline.counts(signature.title)}
    return [word for word in found if stem(word) not in counted]


def _places(signature: Signature) -> set[int]:
    return set(signature.lead) & headline.place_terms()


def _strangers(one: Signature, other: Signature) -> list[str]:
    """Content words of one's title that the other article has nowhere, numbers aside.

    Where one has a text, only those that its lead repeats: a name does, the wording of a headline mostly does not.
    """
    theirs, run = other.title.split(), other.title.replace(" ", "")
    mine = [word for word in one.title.split() if word not in theirs]
    if not mine:
        return []
    known, own = {*unpack(other.words), *other.terms}, set(one.lead)
    return [
        word
        for word in mine
        if len(word) > (2 if own else 1)
        and word not in headline.FILLER
        and (hashed := term(word)) not in known
        and (not own or hashed in own)
        and headline.number(word) is None
        and not any(headline.alike(word, their) for their in theirs)
        and not (len(word) > 4 and word in run)  # فيس بوك, فيسبوك
    ]

"""Words of queries as *atoms* (small numbers), and which atoms a word of a text is. Every atom is one hash look-up.

What a word of a text is, is remembered: after some thousand articles nearly every word is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from monitor.arabic.dictionary import Dictionary
from monitor.arabic.forms import Forms, Kind, expand
from monitor.arabic.function_words import is_function_word, is_guarded
from monitor.arabic.inflections import ANY
from monitor.arabic.loose import Skeleton, gist, is_common, is_loose, keys, openings, single, skeleton, sounds_like
from monitor.arabic.normalise import INVISIBLE, MARKS, fold, soft
from monitor.arabic.pronouns import LAST_OF_PRONOUNS, strip_pronoun
from monitor.arabic.run_on import LEAST, hidden, is_known
from monitor.arabic.tokens import AL, BARE, candidates, places, runs, tokenise, trimmed, word
from monitor.arabic.verbs import conjugations, opened
from monitor.matching.tree import Mode, Term

_KEPT = 130_000  # twice this, young and old, is some 40 MB: the spellings of thousands of articles
_LONGEST_KEPT = 48
HOST, OBJECT, EXACT, LATER, ATOM = 4, 8, 16, 32, 64  # beside BARE and AL: see Vocabulary
PUNCTUATION = ".،,؛;:!؟?…()[]{}«»“”„‘’\"'-–—/|*#@%&+=<>"  # what never belongs to a word at its edges
is_plain = re.compile("[ء-بت-غف-وي]{1,90}[ةى]?").fullmatch  # one word, spelled as its soft form
# A word with stars, cut between letters and digits as a text is.
_STARRED = re.compile(rf"\**\d[\d*{MARKS}{INVISIBLE}]*|(?:[^\W\d]|[*{MARKS}{INVISIBLE}])+")


class Word(NamedTuple):
    """One word of a query. later: not the first of a phrase, so it takes the article but no other proclitic."""

    text: str
    mode: Mode
    kind: Kind
    later: bool


class _Entry:
    """One way an atom may stand in a text; shared by all forms that allow the same modes."""

    __slots__ = ("alone", "atom", "barred", "later", "modes", "name", "refused", "typed", "way")

    def __init__(self, atom: int, modes: int, word: Word, forms: Forms) -> None:
        self.atom = atom
        self.modes = modes
        self.later = word.later
        self.way = atom * ATOM | (LATER if word.later else 0)
        self.name = forms.rigid and word.mode != "verb"  # may be run together with a word of grammar
        # The function-word guard lets only the typed word pass; "": no guard.
        self.typed = "" if word.mode == "verb" else forms.typed
        # What a dictionary knows as another word than the noun may well be the verb: استهدفنا.
        self.refused = frozenset[str]() if word.mode == "verb" else forms.refused
        self.barred = frozenset[str]() if word.mode == "verb" else forms.barred
        self.alone = (self,)


class _Glob(NamedTuple):
    atom: int
    parts: tuple[str, ...]
    later: bool

    def fits(self, text: str) -> bool:
        first, last = self.parts[0], self.parts[-1]
        if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
            return False
        at, end = len(first), len(text) - len(last)
        for part in self.parts[1:-1]:
            at = text.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True


class Several(tuple[int, ...]):
    """All atoms of what stands between two spaces, where that is not just one word. words: the atoms of each."""

    words: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, words: tuple[tuple[int, ...], ...]) -> Several:
        made = cls(chain.from_iterable(words))
        made.words = words
        return made


class Vocabulary(NamedTuple):
    """What a word of plain letters must hold, folded, for an atom to be found in it: other words need no look-up.

    It holds a form, after proclitics and before a pronoun; three letters that a wildcard begins or ends with; or the
    gist of a loose name. anything: there are wildcards of less than three letters, so that every word needs one.
    forms: of each the atoms that it may be, times ATOM, and how: BARE, AL (after its proclitics), HOST (before a
    pronoun), OBJECT (before ني), EXACT (the whole word); LATER: no proclitic before it but the article. A word that
    is, or has after its proclitics, one of others (soft forms), may be refused nevertheless.
    """

    forms: dict[str, list[int]]
    prefixes: set[str]
    suffixes: set[str]
    gists: set[str]
    others: set[str]
    anything: bool


class Memory(dict[str, tuple[int, ...]]):
    """What stands between two spaces, punctuation and all → its atoms: of one word, else `Several`.

    Made when all words of the queries are in the lexicon; what is added later it may not know.
    When it is full it becomes the old memory, from which what is still in use comes back.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._old: dict[str, tuple[int, ...]] = {}
        self._alike: dict[tuple[int, ...], tuple[int, ...]] = {}  # one object for all that are equal

    def __missing__(self, chunk: str) -> tuple[int, ...]:
        found = self._old.get(chunk)
        if found is None:
            bare = chunk.strip(PUNCTUATION)  # the same words
            if len(bare) == len(chunk):
                found = self._look_up(chunk)
            else:
                found = self.get(bare)
                if found is None:
                    return self[bare]  # met for the first time: there may never be another
        if len(chunk) <= _LONGEST_KEPT:
            if len(self) >= _KEPT:
                self._old = self.copy()
                self.clear()
                self._alike.clear()
            self[chunk] = found
        return found

    def _look_up(self, chunk: str) -> tuple[int, ...]:
        if is_plain(chunk):
            found = self._lexicon.look_up(chunk, fold(chunk))
        else:
            words = tuple(self._lexicon.look_up(*known) for known in map(word, runs(chunk)) if known)
            if len(words) != 1:
                return Several.of(words)
            found = words[0]
        return self._alike.setdefault(found, found)


def words_of(term: Term, *, later: bool = False) -> list[Word]:
    """The words of a term as a text would be cut: Shahed-136 is two, the second one `later`."""
    if term.mode == "wildcard":
        texts = _STARRED.findall(term.text.replace("_", " "))
        modes: list[Mode] = ["wildcard" if "*" in text else "exact" for text in texts]
    else:
        texts = [token.soft for token in tokenise(term.text)]
        modes = [term.mode] * len(texts)
    return [Word(t, m, term.kind, later or i > 0) for i, (t, m) in enumerate(zip(texts, modes, strict=True))]


def _passes(entry: _Entry, spelled: str, remainder: str) -> bool:
    """Words of grammar match only what was typed just so; a dictionary may know the word as another one."""
    if entry.typed and is_guarded(spelled, entry.typed):
        return False
    return spelled not in entry.refused and remainder not in entry.barred


def _hosts(entry: _Entry, spelled: str, remainder: str) -> bool:
    """Whether what stands before a pronoun passes: in أعدادهم no إعداد, in ولايته (و, ل, آيته) no آية."""
    return remainder not in entry.barred and (spelled[-1] != "ت" or spelled[:-1] + "ة" not in entry.refused)


def _insert(table: dict[str, tuple[_Entry, ...]], form: str, entry: _Entry) -> None:
    known = table.get(form)
    table[form] = entry.alone if known is None else (*known, entry)


class Lexicon:
    """All words of all queries. Add each with `atom`, then ask a Memory for every chunk of `text.split()`.

    Words may be added while another thread looks up: their numbers are new, and it has no use for those.
    """

    def __init__(self, dictionary: Dictionary | None = None) -> None:
        self.dictionary = dictionary
        self.words: list[Word] = []
        self._expanded: dict[tuple[str, Kind], Forms] = {}
        self._atoms: dict[Word, int] = {}
        self._exact: dict[str, list[int]] = {}
        self._forms: dict[str, tuple[_Entry, ...]] = {}
        self._hosts: dict[str, tuple[_Entry, ...]] = {}  # forms that take a pronoun
        self._objects: dict[str, tuple[_Entry, ...]] = {}  # forms that take ني too
        self._loose: dict[str, list[tuple[Skeleton, _Entry]]] = {}
        self._openings: set[str] = set()  # the letters that spellings of loose names may begin with
        self._prefixes: dict[str, list[_Glob]] = {}
        self._suffixes: dict[str, list[_Glob]] = {}
        self._globs: list[_Glob] = []
        self._any_glob = False

    def atom(self, word: Word) -> int:
        """The number of a word; equal words have one."""
        known = self._atoms.get(word)
        if known is not None:
            return known
        atom = self._atoms[word] = len(self.words)
        self.words.append(word)
        if word.mode == "exact":
            self._exact.setdefault(fold(soft(word.text)), []).append(atom)
        elif word.mode == "wildcard":
            self._add_glob(atom, word)
        else:
            self._add_forms(atom, word)
        return atom

    def settle(self) -> None:
        """Let go of what only helps to add more words."""
        self._expanded.clear()

    def vocabulary(self) -> Vocabulary:
        """Of all words that were added until now."""
        forms = {form: [one.way | one.modes for one in entries] for form, entries in self._forms.items()}
        for way, table in ((HOST, self._hosts), (OBJECT, self._objects)):
            for form, entries in table.items():
                forms.setdefault(form, []).extend([one.way | way for one in entries])
        for form, atoms in self._exact.items():
            forms.setdefault(form, []).extend([atom * ATOM | EXACT for atom in atoms])
        of_entries = (one for entries in self._forms.values() for one in entries)
        sets = {id(words): words for one in of_entries for words in (one.refused, one.barred)}  # many share theirs
        others = set().union(*sets.values())
        others |= {f"{one[:-1]}ت" for one in others if one[-1:] == "ة"}  # before a pronoun
        return Vocabulary(
            forms=forms,
            prefixes=set(self._prefixes),
            suffixes=set(self._suffixes),
            gists=set(map(gist, self._loose)),
            others=others,
            anything=bool(self._globs),
        )

    def _add_forms(self, atom: int, word: Word) -> None:
        kind = "name" if word.mode == "loose" else word.kind
        forms = self._expanded.get((word.text, kind))
        if forms is None:
            forms = self._expanded[word.text, kind] = expand(word.text, kind, dictionary=self.dictionary)
        entry = {modes: _Entry(atom, modes, word, forms) for modes in (BARE, AL, ANY)}
        modes = dict(forms.modes)
        for form, allowed in forms.later.items() if word.later else ():
            modes[form] = modes.get(form, 0) | allowed
        hosts = dict.fromkeys(forms.hosts, entry[BARE])
        if word.mode == "verb":
            for form in conjugations(word.text):
                modes[form] = modes.get(form, 0) | BARE
                hosts[opened(form)] = entry[BARE]
                _insert(self._objects, opened(form), entry[BARE])
        for form, allowed in modes.items():
            _insert(self._forms, form, entry[allowed])
        for host, kept in hosts.items():
            _insert(self._hosts, host, kept)
        name = fold(forms.stem)
        if word.mode == "loose" and is_loose(name):
            bones = skeleton(name)
            self._openings |= openings(bones)
            for key in keys(bones):
                self._loose.setdefault(key, []).append((bones, entry[ANY]))

    def _add_glob(self, atom: int, word: Word) -> None:
        glob = _Glob(atom, tuple(fold(soft(part)) for part in word.text.split("*")), word.later)
        first, last = glob.parts[0], glob.parts[-1]
        self._any_glob = True
        if len(first) >= 3:
            self._prefixes.setdefault(first[:3], []).append(glob)
        elif len(last) >= 3:
            self._suffixes.setdefault(last[-3:], []).append(glob)
        else:
            self._globs.append(glob)

    def words_in(self, chunk: str) -> list[tuple[int, int, tuple[int, ...]]]:
        """The words of what stands between two spaces: [start, end) in code points, and the atoms."""
        if is_plain(chunk):
            return [(0, len(chunk), self.look_up(chunk, fold(chunk)))]
        return [
            (start, trimmed(chunk, end), self.look_up(*known))
            for start, end in places(chunk)
            if (known := word(chunk[start:end]))
        ]

    def look_up(self, spelled: str, folded: str) -> tuple[int, ...]:
        """The atoms that a word of a text (soft, folded) is, without asking the memory."""
        found = set(self._exact.get(folded, ()))
        size = len(folded)
        unusual = self._unusual if self._objects or self._loose else None
        for remainder, mode in candidates(spelled):
            left = len(remainder)
            rest = folded if left == size else folded[size - left :]
            entries = self._forms.get(rest, ())
            if mode == BARE and rest[-1:] in LAST_OF_PRONOUNS:
                for host in strip_pronoun(rest):
                    if hosted := self._hosts.get(host):
                        cut = len(host) - left  # from the end
                        entries += tuple(one for one in hosted if _hosts(one, spelled[:cut], remainder[:cut]))
            if unusual:
                entries += unusual(rest, mode)
            if not entries and not self._any_glob:
                continue
            plain = left == size or (left + 2 == size and folded.startswith("ال"))
            for entry in entries:
                if entry.modes & mode and (plain or not entry.later) and _passes(entry, spelled, remainder):
                    found.add(entry.atom)
            found.update(glob.atom for glob in self._fitting(rest) if plain or not glob.later)
        for part in hidden(spelled):
            found.update(self._run_on(spelled, part))
        return tuple(sorted(found)) if found else ()

    def _run_on(self, spelled: str, part: str) -> Iterator[int]:
        """The names in what a word is without a word of grammar that lost its space to it."""
        for remainder, mode in candidates(part):
            if len(remainder) < LEAST:
                continue
            plain = remainder in (part, part.removeprefix("ال"))
            for entry in self._forms.get(fold(remainder), ()):
                fits = entry.name and entry.modes & mode and (plain or not entry.later)
                if fits and not is_known(spelled, self.dictionary):
                    yield entry.atom

    def _unusual(self, rest: str, mode: int) -> tuple[_Entry, ...]:
        """Verbs with «me» behind them, and names that sound like it."""
        entries: tuple[_Entry, ...] = ()
        if mode == BARE and rest.endswith("ني"):
            entries += self._objects.get(rest[:-2], ())
        if rest[0] in self._openings:
            bones = skeleton(rest)
            near = {one: None for key in {bones.classes, single(bones).classes} for one in self._loose.get(key, ())}
            if near and not is_common(rest, self.dictionary):
                entries += tuple(entry for theirs, entry in near if sounds_like(theirs, bones))
        return entries

    def _fitting(self, rest: str) -> list[_Glob]:
        if not self._any_glob:
            return []
        globs = [*self._globs, *self._prefixes.get(rest[:3], ()), *self._suffixes.get(rest[-3:], ())]
        return [glob for glob in globs if glob.fits(rest)]

    def rarity(self, atom: int) -> float:
        """A guess at how often an atom occurs, for want of counts: short words and grammar do most."""
        found = self.words[atom]
        if is_function_word(soft(found.text)):
            return 1e6
        return 1e5 / 2.0 ** min(len(found.text.strip("*")), 12) * (4 if found.mode == "wildcard" else 1)

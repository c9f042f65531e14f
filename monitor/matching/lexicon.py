"""Words of queries as *atoms* (small numbers), and which atoms a word of a text is. Every atom is one hash look-up.

What a word of a text is, is remembered: after some thousand articles nearly every word is known.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from monitor.arabic.forms import ANY, Kind, expand
from monitor.arabic.function_words import is_function_word
from monitor.arabic.loose import is_loose, skeleton, sounds_like
from monitor.arabic.normalise import INVISIBLE, MARKS, fold, soft
from monitor.arabic.tokens import BARE, candidates, tokenise, word
from monitor.arabic.verbs import verb_forms
from monitor.matching.tree import Mode, Term

SKIP = (-1,)  # the atoms of a run of letters that is no word
_KEPT = 60_000
_LONGEST_KEPT = 48
_STARRED = re.compile(rf"[\w{MARKS}{INVISIBLE}*]+")


class Word(NamedTuple):
    """One word of a query. later: not the first of a phrase, so it takes the article but no other proclitic."""

    text: str
    mode: Mode
    kind: Kind
    later: bool


class _Entry(NamedTuple):
    atom: int
    modes: int
    later: bool
    typed: str  # the function-word guard lets only this pass; "": no guard
    refused: frozenset[str]


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


class _Memory(dict[str, tuple[int, ...]]):
    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    def __missing__(self, raw: str) -> tuple[int, ...]:
        atoms = self._lexicon.look_up(raw)
        if len(raw) <= _LONGEST_KEPT:
            if len(self) >= _KEPT:
                self.clear()
            self[raw] = atoms
        return atoms


def words_of(term: Term, *, later: bool = False) -> list[Word]:
    """The words of a term as a text would be cut: Shahed-136 is two, the second one `later`."""
    if term.mode == "wildcard":
        texts = _STARRED.findall(term.text.replace("_", " "))
        modes: list[Mode] = ["wildcard" if "*" in text else "exact" for text in texts]
    else:
        texts = [token.soft for token in tokenise(term.text)]
        modes = [term.mode] * len(texts)
    return [Word(t, m, term.kind, later or i > 0) for i, (t, m) in enumerate(zip(texts, modes, strict=True))]


class Lexicon:
    """All words of all queries. Add every word with `atom` first; then ask `memory[run of letters]`."""

    def __init__(self) -> None:
        self.memory = _Memory(self)
        self.words: list[Word] = []
        self._atoms: dict[Word, int] = {}
        self._exact: dict[str, list[int]] = {}
        self._forms: dict[str, list[_Entry]] = {}
        self._loose: dict[str, list[tuple[tuple[str, ...], _Entry]]] = {}
        self._prefixes: dict[str, list[_Glob]] = {}
        self._suffixes: dict[str, list[_Glob]] = {}
        self._globs: list[_Glob] = []

    def atom(self, word: Word) -> int:
        """The number of a word; equal words have one."""
        known = self._atoms.get(word)
        if known is not None:
            return known
        atom = self._atoms[word] = len(self.words)
        self.words.append(word)
        self.memory.clear()
        if word.mode == "exact":
            self._exact.setdefault(fold(soft(word.text)), []).append(atom)
        elif word.mode == "wildcard":
            self._add_glob(atom, word)
        else:
            self._add_forms(atom, word)
        return atom

    def _add_forms(self, atom: int, word: Word) -> None:
        forms = expand(word.text, word.kind)
        modes = dict(forms.modes)
        typed = forms.typed
        if word.later:  # inside a phrase the article may come and go
            modes[fold(forms.stem)] = ANY
        if word.mode == "verb":
            typed = ""
            for form in verb_forms(word.text):
                modes[form] = modes.get(form, 0) | BARE
        for form, allowed in modes.items():
            self._forms.setdefault(form, []).append(_Entry(atom, allowed, word.later, typed, forms.refused))
        name = fold(forms.stem)
        if word.mode == "loose" and is_loose(name):
            consonants, vowels = skeleton(name)
            entry = _Entry(atom, ANY, word.later, typed, forms.refused)
            self._loose.setdefault(consonants, []).append((vowels, entry))

    def _add_glob(self, atom: int, word: Word) -> None:
        glob = _Glob(atom, tuple(fold(soft(part)) for part in word.text.split("*")), word.later)
        first, last = glob.parts[0], glob.parts[-1]
        if len(first) >= 3:
            self._prefixes.setdefault(first[:3], []).append(glob)
        elif len(last) >= 3:
            self._suffixes.setdefault(last[-3:], []).append(glob)
        else:
            self._globs.append(glob)

    def look_up(self, raw: str) -> tuple[int, ...]:
        """The atoms that a run of letters is, without asking the memory."""
        known = word(raw)
        if known is None:
            return SKIP
        spelled, folded = known
        found = set(self._exact.get(folded, ()))
        grammar: bool | None = None
        for remainder, mode in candidates(spelled):
            rest = fold(remainder)
            plain = len(rest) == len(folded) or (len(rest) + 2 == len(folded) and folded.startswith("ال"))
            for entry in self._entries(rest):
                if not entry.modes & mode or (entry.later and not plain) or entry.atom in found:
                    continue
                if entry.typed:
                    grammar = is_function_word(spelled) if grammar is None else grammar
                    if grammar and entry.typed not in (spelled, spelled[1:]):
                        continue
                if folded not in entry.refused:
                    found.add(entry.atom)
            found.update(glob.atom for glob in self._fitting(rest) if plain or not glob.later)
        return tuple(sorted(found))

    def _entries(self, rest: str) -> list[_Entry]:
        entries = self._forms.get(rest, [])
        if self._loose:
            consonants, vowels = skeleton(rest)
            near = self._loose.get(consonants, ())
            return entries + [entry for theirs, entry in near if sounds_like(consonants, theirs, vowels)]
        return entries

    def _fitting(self, rest: str) -> list[_Glob]:
        globs = [glob for glob in self._globs if glob.fits(rest)] if self._globs else []
        globs += [glob for glob in self._prefixes.get(rest[:3], ()) if glob.fits(rest)]
        return globs + [glob for glob in self._suffixes.get(rest[-3:], ()) if glob.fits(rest)]

    def rarity(self, atom: int) -> float:
        """A guess at how often an atom occurs, for want of counts: short words and grammar do most."""
        found = self.words[atom]
        if is_function_word(soft(found.text)):
            return 1e6
        return 1e5 / 2.0 ** min(len(found.text.strip("*")), 12) * (4 if found.mode == "wildcard" else 1)

"""What a dictionary of Arabic forms says of a term: its lemmas, their forms, and which spellings are other words.

Answers come from one table of byte strings (`dictionary_build` makes it), so that a compact file serves without being
read into memory. Keys: "t" + soft form → lemmas a typed word stands for; "f" + lemma → its nominal forms;
"o" + folded form → every soft form folded so, with the lemmas that own it; "c" or "p" + folded form → the words that
look like a proclitic before it, or like a pronoun behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from monitor.arabic.normalise import bare_alef, fold


class Table(Protocol):
    """Byte strings by text key; marisa_trie.BytesTrie is one."""

    def get(self, key: str, default: list[bytes], /) -> list[bytes] | None:
        """The values of a key."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A spelling that the dictionary lists: its soft form, the lemma it is filed under, and what is known of that.

    verb: the lemma is conjugated. size: how many forms the lemma has; a lemma of one or two is often no more than a
    form that nobody analysed.
    """

    soft: str
    lemma: str
    verb: bool
    size: int


class Dictionary:
    """A dictionary over a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def lemmas(self, word: str) -> frozenset[str]:
        """The lemmas a term stands for (soft form, without the article); empty where the word is unknown.

        A hamza may be missing, or be one too many (أنتخاب); but إخلاء, if unknown, is not أخلاء.
        """
        found = self._texts("t" + word)
        if not found and not self._begins_otherwise(word):
            found = self._texts("t" + bare_alef(word)) or self._texts("t" + fold(word))
        return frozenset(found)

    def _begins_otherwise(self, word: str) -> bool:
        """Whether a word that begins with a hamza is known only with another."""
        return word[0] in "أإآ" and all(one.soft[0] not in (word[0], "ا") for one in self.owners(word))

    def forms(self, lemma: str) -> tuple[str, ...]:
        """The nominal forms of a lemma; those with the article occur only with it."""
        return tuple(self._texts("f" + lemma))

    def owners(self, form: str) -> list[Owner]:
        """Every spelling of the same folded form that the dictionary lists, with its lemma."""
        return list(self._owners("o" + fold(form)))

    def with_proclitic(self, form: str) -> list[Owner]:
        """The words that look like و ف ب ك ل and this form, and are none (باسل for ب + اسل)."""
        return list(self._owners("c" + fold(form)))

    def with_pronoun(self, form: str) -> list[Owner]:
        """The words that look like this form and a pronoun, and are none."""
        return list(self._owners("p" + fold(form)))

    def _texts(self, key: str) -> Iterable[str]:
        found = self._table.get(key, [])
        return found[0].decode().split("\t") if found else ()

    def _owners(self, key: str) -> Iterator[Owner]:
        for entry in self._texts(key):
            soft, lemma, verb, size = entry.split("=")
            yield Owner(soft, lemma, verb == "v", int(size))


def entry(owner: Owner) -> str:
    """An owner as the table holds it."""
    return f"{owner.soft}={owner.lemma}={'v' if owner.verb else 'n'}={owner.size}"


def rows(texts: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, bytes]]:
    """Keys and values as a table takes them."""
    for key, values in texts.items():
        yield key, "\t".join(dict.fromkeys(values)).encode()

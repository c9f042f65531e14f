"""What is kept of an article to recognise its story again: about 2.5 KB for a long one, no set, no list of words.

Texts are compared by the hashes of their words (folded, and without a leading wa- and article) and of every run of
four words (a shingle). The hashes are 32 bits of xxh3, the same in every process, so figures and tests repeat.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from xxhash import xxh3_64_intdigest, xxh32_intdigest

from monitor.arabic.tokens import words
from monitor.model import Article
from monitor.stories.wordlists import RANKS

SHINGLE = 4  # words in a shingle
SHINGLES_KEPT = 480  # of the text's beginning: two copies of a long report are told by its first 480 words
BODY_KEYS = 10  # smallest shingle hashes of the text in its sketch
LEAD_KEYS = 6  # … and of its first LEAD_SHINGLES, so that a summary meets the body it was taken from
LEAD_SHINGLES = 40
LEAD_TERMS = 45  # different words, those of the first sixty or so
BODY_WORDS = 12  # a text with fewer words is no evidence: the title alone decides
CONTENT_WORDS = 5  # title and text together; below this equal content («عاجل») says nothing
TEXT_LIMIT = 20_000  # code points of a text that are looked at; the words kept fill a fraction of it

_LENIENT = "surrogatepass"  # a lone surrogate in hostile text must not stop the poll
# The article's own number, as most sites write it: at the head of a segment of the path, or at the end of the last.
_NUMBER = re.compile(r"(?:/|[-_](?=\d+(?:\.\w+)?$))(\d{5,12})(?=[-_./]|$)(?!.*[/_-]\d{5})")
_DATE = re.compile(
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])?"  # 20180501, 201805
    r"|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d|\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"  # 010518, 180501
)
# A shingle with three words or more of rank and kinship is no evidence; one byte a word, 1 for a rank.
_ONLY_RANKS = re.compile(rb"(?=\x01\x01\x01[\0\x01]|\x01\x01\0\x01|\x01\0\x01\x01|\0\x01\x01\x01)")
_STEM_PREFIXES = ("وال", "بال", "فال", "كال", "ولل", "ال", "لل")


@dataclass(frozen=True, slots=True)
class Signature:
    """An article as the story index keeps it. `words`, `shingles` and `sketch` are packed 32-bit hashes."""

    outlet: str
    title: str  # words as `spelled` gives them, one space between
    words: bytes  # hashes of the text's words, in order, without repeats
    shingles: bytes  # of the text's beginning, in order, without repeats
    sketch: bytes  # those of them under which the index files the text
    url: int  # 64-bit hashes of the exact keys; 0 where the article has none that identifies it
    key: int
    content: int

    @property
    def terms(self) -> tuple[int, ...]:
        """The hashes of the title's words, in order."""
        return _terms(self.title)

    @property
    def lead(self) -> memoryview[int]:
        """The hashes of the text's first words."""
        return unpack(self.words)[:LEAD_TERMS]


def sign(article: Article) -> Signature:
    """The signature of an article: pure, and never raises for text of any kind."""
    title = spelled(article.title[:TEXT_LIMIT])
    text = spelled(max(article.body, article.summary, key=len)[:TEXT_LIMIT])[: SHINGLES_KEPT + SHINGLE - 1]
    runs = [*shingles(text)]
    return Signature(
        outlet=article.outlet_id,
        title=" ".join(title),
        words=pack(dict.fromkeys(map(term, text))),
        shingles=pack(runs),
        sketch=pack(_sketch(runs)),
        url=_hash("url", _page(article.canonical_url)),
        key=_hash("key", article.outlet_id, article.key) if len(article.key) > 3 else 0,
        content=_hash("content", article.content_hash) if len(title) + len(text) >= CONTENT_WORDS else 0,
    )


def spelled(text: str) -> list[str]:
    """The folded words of a text, with ه for ة: many write it so, and the two forms of a word are one here."""
    return " ".join(words(text)).replace("ة", "ه").split()


def pack(hashes: Sequence[int] | dict[int, None]) -> bytes:
    """Hashes as bytes, four each."""
    return array("I", hashes).tobytes()


def unpack(packed: bytes) -> memoryview[int]:
    """The hashes of `pack`, without a copy."""
    return memoryview(packed).cast("I")


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A folded word without its leading wa- and article, where three letters remain. Crude, alike for both sides."""
    for prefix in _STEM_PREFIXES:
        if word.startswith(prefix) and len(word) >= len(prefix) + 3:
            return word[len(prefix) :]
    return word[1:] if word[0] == "و" and len(word) > 4 else word


@lru_cache(maxsize=65536)
def term(word: str) -> int:
    """The 32-bit hash of a folded word's stem."""
    return xxh32_intdigest(stem(word).encode("utf-8", _LENIENT))


@lru_cache(maxsize=1024)
def _terms(title: str) -> tuple[int, ...]:
    return tuple(map(term, title.split()))


_RANKS = frozenset(spelled(RANKS))


@lru_cache(maxsize=65536)
def _hashed(word: str) -> int:
    return xxh32_intdigest(word.encode("utf-8", _LENIENT))


def shingles(text: Sequence[str]) -> dict[int, None]:
    """The hashes of every run of four words, but those that only say who somebody is («صاحب السمو الملكي الأمير»)."""
    if len(text) < BODY_WORDS:
        return {}
    packed, size = pack([_hashed(word) for word in text]), 4 * SHINGLE
    runs = [xxh32_intdigest(packed[at : at + size]) for at in range(0, len(packed) - size + 4, 4)]
    for found in reversed([*_ONLY_RANKS.finditer(bytes(map(_RANKS.__contains__, text)))]):
        del runs[found.start()]
    return dict.fromkeys(runs)


def _sketch(runs: Sequence[int]) -> dict[int, None]:
    """The smallest hashes of a whole text and of its lead: two texts that share much share one of them, most likely."""
    smallest = [*sorted(runs[:LEAD_SHINGLES])[:LEAD_KEYS], *sorted(runs)[:BODY_KEYS]]
    return dict.fromkeys(smallest)


def _hash(*parts: str) -> int:
    if not parts[-1]:
        return 0
    return xxh3_64_intdigest("\0".join(parts).encode("utf-8", _LENIENT))


def _page(url: str) -> str:
    """What of a URL names its article: host and the article's number where it has one (the headline beside it changes
    with every edit), else all of it; "" for an outlet's front page, which careless feeds link to."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if len(parts.path.strip("/")) <= 2 and not parts.query:
        return ""
    number = None if parts.query else _NUMBER.search(parts.path)
    return f"{parts.netloc}#{number[1]}" if number and not _DATE.fullmatch(number[1]) else url

"""What the matcher is measured on: real articles (invented ones where there are none), and rules made of their words.

A rule is what a desk writes: two to four phrases of one to three words, of which one must occur, with two or three
words of company, of which one must occur, and one word that must not. Phrases stand in some article and hold one of
its rare words, rare whatever its ending; so at 10,000 rules an article has about one hit. The same seed gives the same
rules.
"""

from __future__ import annotations

import gzip
import itertools
import json
import random
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from monitor.arabic.function_words import is_function_word
from monitor.arabic.normalise import fold
from monitor.arabic.tokens import runs, word
from monitor.model import Article

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "articles.jsonl.gz"
RARE = (2, 10)  # articles of 10,000 that hold a word worth watching for, in whatever form
COMPANY = (50, 300)  # … and one that tells what it is about
_PLAIN = re.compile("[\u0621-\u064a]{3,}").fullmatch
_ENDING = re.compile("(?<=...)(ات|ان|ين|ون|ية|ها|هم|نا|تي|ة|ه|ي|ا)+$")
_SHORTEST_WATCHED = 4
_LETTERS = "ابتجحدرزسشصضطعغفقكلمنهوي"
_WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def article(title: str, body: str) -> Article:
    """An article of an outlet like any other."""
    return Article(
        feed_id="f", outlet_id="o", key=title, url="", canonical_url="", title=title, summary="", body=body,
        author="", tags=(), language="ar", published=_WHEN, first_seen=_WHEN, content_hash="",
    )  # fmt: skip


class Unusable(Exception):
    """What was given cannot be measured with; the message says where and why."""


def articles(file: Path | None, seed: int = 1) -> list[Article]:
    """The articles of a file (JSON lines with title and body) in a fixed random order; invented without one.

    Raises Unusable for a file without articles, or with anything else in it.
    """
    if file is None and not DATA.exists():
        return invented(seed)
    path, line = file or DATA, 0
    found: list[Article] = []
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for text in lines:
                line += 1
                if text.strip():
                    row = json.loads(text.decode("utf-8-sig"))
                    title, body = row["title"] or "", row["body"] or ""
                    found.append(article(title + "", body + ""))
    except (OSError, EOFError, zlib.error) as problem:
        raise Unusable(f"{path} cannot be read: {problem}") from None
    except (ValueError, TypeError, KeyError):
        raise Unusable(f"{path}:{line}: no JSON object with a title and a body, both texts") from None
    if not found:
        raise Unusable(f"{path}: there are no articles in it")
    random.Random(seed).shuffle(found)
    return found


def invented(seed: int, count: int = 12_000) -> list[Article]:
    """Articles of three hundred invented words each, some frequent and most rare, as in a language."""
    rng = random.Random(seed)
    vocabulary = ["".join(rng.choices(_LETTERS, k=rng.randint(3, 8))) for _ in range(60_000)]
    weights = list(itertools.accumulate(1 / (rank + 10) for rank in range(len(vocabulary))))
    made: list[Article] = []
    for _ in range(count):
        words = rng.choices(vocabulary, cum_weights=weights, k=rng.randint(200, 400))
        words = [rng.choice(("", "", "", "ال", "و", "ب")) + one for one in words]
        made.append(article(" ".join(words[:9]), " ".join(words[9:])))
    return made


def queries(read: Sequence[Article], count: int, seed: int = 2) -> list[str]:
    """That many queries made of the words of these articles. Raises Unusable where they are too few or too short."""
    rng = random.Random(seed)
    texts = [list(map(_typed, runs(f"{one.title} {one.body}"))) for one in read[:10_000]]
    seen = Counter(one for text in texts for one in set(text))
    stems = Counter(one for text in texts for one in set(map(_stem, text)))
    share = len(texts) / 10_000
    rare = {one for one in seen if RARE[0] <= stems[_stem(one)] / share <= RARE[1] and len(one) >= _SHORTEST_WATCHED}
    company = sorted(one for one, times in seen.items() if COMPANY[0] <= times / share <= COMPANY[1])
    made: list[str] = []
    in_vain = 0
    while len(made) < count:
        if len(company) < 4 or in_vain > 1_000:
            raise Unusable(f"no rules can be made of the words of these {len(read):,} articles; give more, or --rules")
        in_vain += 1
        text = rng.choice(texts)
        phrases = {_phrase(text, rare, rng) for _ in range(rng.randint(2, 4))} - {""}
        if len(phrases) >= 2 and len(text) > 50:
            watched = " OR ".join(f'"{one}"' if " " in one else one for one in sorted(phrases))
            *beside, banned = rng.sample(company, rng.randint(3, 4))
            made.append(f"({watched}) AND ({' OR '.join(beside)}) NOT {banned}")
            in_vain = 0
    return made


def _typed(run: str) -> str:
    """A word as an analyst would type it, without the article; "" where it is no plain Arabic word."""
    found = word(run)
    spelled = found[0] if found else ""
    if spelled.startswith(("و", "ف", "ب", "ل", "ك")):
        return ""  # it may carry a clitic, which nobody types
    spelled = spelled[2:] if spelled.startswith("ال") and len(spelled) > 5 else spelled
    return spelled if _PLAIN(spelled) and not is_function_word(spelled) else ""


def _stem(spelled: str) -> str:
    return fold(_ENDING.sub("", spelled, 1))


def _phrase(text: Sequence[str], rare: set[str], rng: random.Random) -> str:
    """One to three words of a text that follow each other, a rare one among them; "" where luck has it otherwise."""
    size = rng.choice((1, 2, 2, 3))
    for _ in range(20):
        at = rng.randrange(max(len(text) - size, 1))
        words = text[at : at + size]
        if all(words) and not rare.isdisjoint(words):
            return " ".join(words)
    return ""

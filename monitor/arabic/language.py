"""Which language a text is written in, by its letters: Persian, Urdu and Kurdish are written in Arabic script too.

Only the letters are asked, no model: a headline is too short for statistics, and the letters below never occur in
Arabic spelling, apart from foreign names.
"""

from __future__ import annotations

import re

_ARABIC_SCRIPT = re.compile(r"[\u0621-\u064a\u066e-\u06d3\ufb50-\ufdff\ufe70-\ufefc]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_HEBREW = re.compile(r"[\u05d0-\u05ea]")
# Letters of the script that Arabic does not use; پ چ ژ گ ڤ are left out, Arabic writes foreign names with them.
_URDU = re.compile(r"[ٹڈڑںھہےۓ]")
_KURDISH = re.compile(r"[ۆێڕڵە]")
_PERSIAN = re.compile(r"[یک]")
_PERSIAN_LETTERS = re.compile(r"[پچژگ]")
_ARABIC_ONLY = re.compile(r"[ةىيكأإ]")
_PERSIAN_TEXT = "است این که را برای شد کرد های می شود خواهد بود ایران در به از با"
_ARABIC_TEXT = "في من على إلى عن مع أن التي الذي هذا هذه بعد قبل بين خلال"
_PERSIAN_WORDS = frozenset(_PERSIAN_TEXT.split())
_ARABIC_WORDS = frozenset(_ARABIC_TEXT.split())
_SAMPLE = 2_000


def guess(text: str) -> str:
    """A BCP 47 tag: ar, fa, ur, ckb, en (any Latin script), ru, he; "und" where there are no letters to go by."""
    text = text[:_SAMPLE]
    script = len(_ARABIC_SCRIPT.findall(text))
    others = [(len(p.findall(text)), tag) for p, tag in ((_LATIN, "en"), (_CYRILLIC, "ru"), (_HEBREW, "he"))]
    most, tag = max(others)
    if script == 0 and most == 0:
        return "und"
    if most > script:
        return tag
    if len(_URDU.findall(text)) * 25 > script:
        return "ckb" if _KURDISH.search(text) and not re.search("[ٹڈڑںے]", text) else "ur"
    if len(_KURDISH.findall(text)) * 25 > script:
        return "ckb"
    words = text.split()
    persian = len(_PERSIAN.findall(text)) + 2 * len(_PERSIAN_LETTERS.findall(text))
    persian += 3 * sum(word in _PERSIAN_WORDS for word in words)
    arabic = 2 * len(_ARABIC_ONLY.findall(text)) + 3 * sum(word in _ARABIC_WORDS for word in words)
    return "fa" if persian > arabic and persian * 20 > script else "ar"

"""What people write to search with, as the store looks for it."""

from __future__ import annotations

from monitor.arabic.normalise import plain
from monitor.errors import RasidError


def search_words(text: str) -> str:
    """The words of a search as the index holds them, each with its - before and * behind.

    Raises RasidError.
    """
    found = []
    for word in text.split():
        minus = "-" if word.startswith("-") else ""
        star = "*" if word.endswith("*") else ""
        found += [f"{minus}{one}{star}" for one in plain(word.strip("-*")).split()]
    if not any(not one.startswith("-") for one in found):
        raise RasidError("a search needs at least one word that must occur")
    return " ".join(found)

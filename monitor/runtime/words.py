"""The dictionary of Arabic forms that this machine has: opened once, built where need be, done without at need."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from monitor import settings
from monitor.arabic.dictionary import Dictionary
from monitor.arabic.dictionary_file import Unavailable, is_built, open_dictionary

BUILDING = "building the dictionary of Arabic forms, once: some ten seconds"


def dictionary(say: Callable[[str], None]) -> Dictionary | None:
    """What terms are expanded by; None where there is none. say: told when it is built, and why there is none."""
    folder = settings.cache_folder()
    if folder is None or not is_built(folder):
        say(BUILDING)
    found, lack = _opened()
    if lack:
        say(lack)
    return found


@cache
def _opened() -> tuple[Dictionary | None, str]:
    try:
        return open_dictionary(settings.cache_folder()), ""
    except Unavailable as error:
        return None, str(error)

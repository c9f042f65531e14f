"""Names of countries and territories in Arabic, from CLDR: they are names although some end like common words."""

from __future__ import annotations

from functools import cache

from monitor.arabic.normalise import fold, soft


@cache
def territories() -> frozenset[str]:
    """The folded one-word territory names, without a leading article also; read on first need."""
    from babel import Locale

    names = (soft(name).split() for name in Locale("ar").territories.values())
    return frozenset(fold(name[0]) for name in names if len(name) == 1 and not name[0].isdigit())

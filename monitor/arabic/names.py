"""Names of countries and territories in Arabic, from CLDR: they are names although some end like common words."""

from __future__ import annotations

from functools import cache

from monitor.arabic.normalise import fold, soft

# Countries and parts of the world that CLDR lists under another name, or not at all.
_OTHERS = (
    *("السعودية", "الإمارات", "بريطانيا", "إنجلترا", "إنكلترا", "اسكتلندا", "أمريكا", "أميركا", "كوريا", "كردستان"),
    *("آسيا", "أوروبا", "أوربا", "أفريقيا", "إفريقيا", "أستراليا"),
)


@cache
def territories() -> frozenset[str]:
    """The folded one-word territory names, without a leading article also; read on first need."""
    from babel import Locale

    names = [fold(soft(name)).split() for name in Locale("ar").territories.values()]
    single = {name[0] for name in names if len(name) == 1 and not name[0].isdigit()}
    single |= {fold(soft(name)) for name in _OTHERS}
    return frozenset(single | {word for name in names for word in name if len(word) > 4 and word.endswith("يا")})

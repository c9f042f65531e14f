"""A dictionary of a few words for tests, made by the product's own builder."""

from __future__ import annotations

from monitor.arabic.dictionary import Dictionary, rows
from monitor.arabic.dictionary_build import tables

LISTED = {
    **dict.fromkeys(("صاروخ", "الصاروخ", "صواريخ", "الصواريخ", "صاروخين"), "صاروخ"),
    **dict.fromkeys(("اسم", "الاسم", "أسماء"), "اسم"),
    **dict.fromkeys(("باسل", "الباسل", "باسلة"), "باسل"),
    **dict.fromkeys(("سعر", "السعر", "الأسعار"), "سعر"),
    **dict.fromkeys(("وعد", "الوعد", "وعود"), "وعد"),
    **dict.fromkeys(("عدد", "العدد", "أعداد"), "عدد"),
    **dict.fromkeys(("إعداد", "الإعداد"), "إعداد"),
    **dict.fromkeys(("عملية", "عمليات", "العملية"), "عملية"),
    **dict.fromkeys(("عملي", "العملي"), "عملي"),
    **dict.fromkeys(("خاطب", "يخاطب", "خطابا", "خاطبت"), "خاطب"),
    **dict.fromkeys(("خطاب", "الخطاب"), "خطاب"),
    **dict.fromkeys(("بحر", "البحر", "بحرين"), "بحر"),
    "أسعار": "أسعار",
}


class Rows:
    """A table in memory."""

    def __init__(self, values: dict[str, bytes]) -> None:
        self._values = values

    def get(self, key: str, default: list[bytes], /) -> list[bytes] | None:
        return [self._values[key]] if key in self._values else default


SMALL = Dictionary(Rows(dict(rows(tables(LISTED)))))

"""The fixed words of messages, in Arabic and English, with the plural forms of each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime

from monitor.model import Severity

MARKS: Mapping[Severity, str] = {Severity.HIGH: "🔴", Severity.NORMAL: "🟠", Severity.LOW: "⚪️"}

_PLURALS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "ar": {
        "stories": {
            **{"zero": "لا أخبار", "one": "خبر واحد", "two": "خبران"},
            **{"few": "{n} أخبار", "many": "{n} خبرًا", "other": "{n} خبر"},
        },
        "more_stories": {
            **{"zero": "", "one": "وخبر آخر", "two": "وخبران آخران"},
            **{"few": "و{n} أخبار أخرى", "many": "و{n} خبرًا آخر", "other": "و{n} خبر آخر"},
        },
        "outlets": {
            **{"zero": "لا وسائل", "one": "وسيلة واحدة", "two": "وسيلتان"},
            **{"few": "{n} وسائل", "many": "{n} وسيلة", "other": "{n} وسيلة"},
        },
    },
    "en": {
        "stories": {"one": "{n} story", "other": "{n} stories"},
        "more_stories": {"one": "and {n} more story", "other": "and {n} more stories"},
        "outlets": {"one": "{n} outlet", "other": "{n} outlets"},
    },
}

_PHRASES: Mapping[str, Mapping[str, str]] = {
    "ar": {
        **{"also": "ونقلته أيضًا:", "seen": "رُصد", "digest": "موجز", "operator": "راصد", "comma": "، ", "to": " إلى "},
        **{"began": "أول من نشر القصة: {outlet}، {time}؛ والتنبيه من تقرير لاحق."},
        **{"later": "{what}: من تقرير لاحق في {outlet}، {time}."},
        **{"change": "تغيّر العدد: {what} ({outlet}، {time})", "arrow": "←"},
        **{"news": "تغيّر العدد: {what}", "escalated": "خبر يتّسع انتشاره"},
        **{"denies": "ينفي أو يصحّح خبرًا من {outlet}، {time}: {what}"},
        **{"denied": "نُفي أو صُحِّح لاحقًا، {outlet}، {time}: {what}"},
        **{
            "why_burst": "تنبيهات كثيرة في وقت قصير: جُمعت هنا، الأهم أولًا.",
            "why_quiet": "ما وصل في ساعات الهدوء ({what}).",
        },
        **{
            "why_released": "ما حجزته مهلة التهدئة لإحدى القواعد أو حدّها في الساعة.",
            "why_flood": "أخبار كثيرة من مصدر واحد دفعة واحدة.",
        },
        **{"test": "رسالة تجربة من راصد: القناة تعمل.", "untitled": "(بلا عنوان)"},
        **{
            "mute_rule": "🔕 كتم 6 ساعات",
            "mute_story": "🔇 كتم القصة",
            "not_relevant": "✗ لا يعنيني",
            "more": "المزيد",
        },
    },
    "en": {
        **{"also": "Also in:", "seen": "seen", "digest": "Digest", "operator": "Rasid", "comma": ", ", "to": "–"},
        **{"began": "First told by {outlet}, {time}; a later report raised the alert."},
        **{"later": "{what}: raised by a later report in {outlet}, {time}."},
        **{"change": "The number changed: {what} ({outlet}, {time})", "arrow": "→"},
        **{"news": "The number changed: {what}", "escalated": "The story spreads"},
        **{"denies": "Denies or corrects a report of {outlet}, {time}: {what}"},
        **{"denied": "Denied or corrected later by {outlet}, {time}: {what}"},
        **{
            "why_burst": "Many alerts in a short time, gathered here, the gravest first.",
            "why_quiet": "What came in quiet hours ({what}).",
        },
        **{
            "why_released": "What a rule's cooldown or hourly limit held back.",
            "why_flood": "Many stories that one feed brought at once.",
        },
        **{"test": "A test message from Rasid: the channel works.", "untitled": "(untitled)"},
        **{"mute_rule": "🔕 Mute 6 h", "mute_story": "🔇 Mute story", "not_relevant": "✗ Not relevant", "more": "More"},
    },
}


def base(language: str) -> str:
    """The set of words for a language tag: "ar" for every Arabic, else "en"."""
    return "ar" if language.replace("_", "-").split("-", 1)[0].lower() == "ar" else "en"


@lru_cache(maxsize=32)
def locale(language: str) -> Locale:
    """Babel's locale of a tag such as "ar", "ar-LB" (تشرين الثاني for November) or "en"."""
    try:
        return Locale.parse(language.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return Locale.parse(base(language))


def phrase(key: str, language: str) -> str:
    """A fixed word or sentence."""
    return _PHRASES[base(language)][key]


def why(key: str, language: str, what: str) -> str:
    """Why a digest tells of several stories; "" where that needs no saying. what: 23:00–07:00, of quiet hours."""
    span = what.replace("–", phrase("to", language))  # a dash between numbers reads either way in Arabic
    return _PHRASES[base(language)].get(f"why_{key}", "").format(what=span)


def count(key: str, n: int, language: str) -> str:
    """n things in the right plural form: خبر واحد، خبران، 3 أخبار، 11 خبرًا، 100 خبر."""
    forms = _PLURALS[base(language)][key]
    category = str(Locale.parse(base(language)).plural_form(n))
    return forms.get(category, forms["other"]).format(n=n)


def country(code: str, language: str) -> str:
    """The name of an ISO 3166 country, "" where there is none."""
    return str(locale(language).territories.get(code.upper(), "")) if len(code) == 2 else ""


def moment(when: datetime, zone: ZoneInfo, language: str, now: datetime) -> str:
    """A local time such as «24 نوفمبر، 13:05»; with its year where that is not this year."""
    local = when.astimezone(zone)
    year = "" if local.year == now.astimezone(zone).year else " y"
    comma = phrase("comma", language)
    return str(format_datetime(local, f"d MMMM{year}'{comma}'HH:mm", locale=locale(language)))

"""Which silence a hit is under. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from zoneinfo import ZoneInfo

from monitor.model import Silence


def silence_of(
    silences: Iterable[Silence], rule_id: str, story_id: int, outlet_id: str, says: Callable[[str], bool]
) -> Silence | None:
    """Of the silences in force all of whose criteria hold for a hit, the one that lasts longest; None: there is none.

    says: whether a query holds for the article that was hit; asked last, since it costs most.
    """
    for silence in sorted(silences, key=lambda one: one.end, reverse=True):
        given = ((silence.rule_id, rule_id), (silence.outlet_id, outlet_id), (silence.story_id, story_id))
        if all(wanted in (None, there) for wanted, there in given) and (not silence.text or says(silence.text)):
            return silence
    return None


def told(silence: Silence, zone: str) -> str:
    """What a muted hit says of its silence: "silence 3 until 2026-03-01 15:00: why"."""
    end = silence.until.astimezone(ZoneInfo(zone))
    return f"silence {silence.id} until {end:%Y-%m-%d %H:%M}{f': {silence.reason}' if silence.reason else ''}"

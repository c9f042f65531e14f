"""What the demonstration serves: three invented outlets, their entries, and the configuration that watches them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed. minutes: its age; later: published while the demonstration runs."""

    slug: str
    title: str
    text: str
    minutes: int
    later: bool = False


FEEDS: dict[str, list[Entry]] = {
    "anba": [
        Entry(
            "drones-kyiv",
            "أوكرانيا تعلن إسقاط 20 طائرة مسيّرة من طراز «شاهد» فوق كييف",
            "أعلنت القوات الجوية الأوكرانية صباح اليوم أنها أسقطت عشرين طائرة مسيّرة من طراز شاهد أطلقتها "
            "روسيا خلال الليل على العاصمة كييف ومدينة أوديسا، وأضافت في بيان أن حطام الطائرات سقط على مبنى سكني "
            "من دون وقوع إصابات، وأن فرق الإنقاذ أخمدت حريقا نشب في مستودع قريب.",
            6,
        ),
        Entry(
            "league-final",
            "مسيرته الكروية تنتهي بلقب: القائد يودّع الملاعب",
            "أنهى قائد الفريق مسيرته الكروية الطويلة بالتتويج بلقب الدوري أمام جماهيره مساء أمس.",
            15,
        ),
    ],
    "sada": [
        Entry(
            "morning-weather",
            "الطقس اليوم: ارتفاع طفيف في درجات الحرارة",
            "يطرأ ارتفاع طفيف على درجات الحرارة في معظم المناطق، وتكون الرياح شمالية غربية معتدلة.",
            30,
        ),
        Entry(
            "kyiv-night",
            "كييف: ليلة من المسيّرات.. الدفاعات الأوكرانية تُسقط 20 «شاهد»",
            "قالت القوات الجوية الأوكرانية صباح اليوم إنها أسقطت عشرين طائرة مسيّرة من طراز شاهد أطلقتها "
            "روسيا خلال الليل على العاصمة كييف ومدينة أوديسا، وأضافت في بيان أن حطام الطائرات سقط على مبنى سكني "
            "من دون وقوع إصابات، وأن فرق الإنقاذ أخمدت حريقا نشب في مستودع قريب.",
            2,
            later=True,
        ),
    ],
    "manbar": [
        Entry(
            "goal-video",
            "شاهد بالفيديو.. هدف خرافي من منتصف الملعب",
            "شاهد الهدف الذي أشعل المدرجات في الدقيقة الأخيرة من المباراة.",
            9,
        ),
        Entry(
            "bus-witness",
            "شاهد عيان يروي لحظة انقلاب الحافلة على الطريق الساحلي",
            "روى شاهد عيان أن الحافلة انحرفت عن مسارها بسبب الأمطار قبل أن تصل فرق الإسعاف.",
            12,
        ),
    ],
}

OUTLETS = """
outlets:
  - id: anba
    name: {ar: أنباء المدينة, en: City News}
    country: LB
    language: ar
    feeds: [{url: "http://127.0.0.1:PORT/anba.xml", interval: 15s}]
  - id: sada
    name: {ar: صدى الشرق, en: Echo of the East}
    country: JO
    language: ar
    feeds: [{url: "http://127.0.0.1:PORT/sada.xml", interval: 15s}]
  - id: manbar
    name: {ar: المنبر, en: The Tribune}
    country: EG
    language: ar
    feeds: [{url: "http://127.0.0.1:PORT/manbar.xml", interval: 15s}]
"""

RULES = """
rules:
  - id: shahed-drones
    name: {en: Shahed drones, ar: مسيّرات شاهد}
    match: شاهد NEAR/4 (مسيّرة OR مسيّرات OR طائرة OR طراز)
    severity: high
"""

CHANNELS = """
channels:
  - {name: console, type: console}
"""

SETTINGS = """
fetch: {allow_loopback: true, extra_ports: [PORT]}
polling: {tick: 1s}
"""

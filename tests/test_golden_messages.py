"""Golden messages in Arabic, from the article through the store to the HTML that Telegram gets.

After a change of layout: pytest tests/test_golden_messages.py --snapshot-update, and read what changed.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.arrivals import release_held
from monitor.model import Outlet, Rule, Severity
from monitor.model_delivery import Channel, Mode, Operation, Schedule
from tests.desk import NOW, Desk, desks
from tests.telegram_html import parse_html

OUTLETS = {
    "a": Outlet("a", "الجزيرة", "Al Jazeera", "QA", "ar"),
    "b": Outlet("b", "العربية", "Al Arabiya", "AE", "ar"),
    "c": Outlet("c", "BBC عربي", "BBC Arabic", "GB", "ar"),
    "d": Outlet("d", "النهار", "Annahar", "LB", "ar"),
    "e": Outlet("e", "سبوتنيك", "Sputnik", "RU", "ar"),
}
DRONES = Rule("shahed-drones", "مسيّرات شاهد", "Shahed drones", severity=Severity.HIGH, developments=True)
QUAKES = Rule("earthquakes", "زلازل", "Earthquakes", severity=Severity.LOW)
CAUCASUS = Rule("south-caucasus", "جنوب القوقاز", "South Caucasus")
RULES = ((DRONES, "شاهد"), (QUAKES, "زلزال"), (CAUCASUS, "أذربيجان OR أرمينيا"))
MAIN = Channel("main", "console", timezone="Asia/Beirut", hashtags=True)
ATTACK = (
    'مقتل 4 في هجوم بمسيّرات "شاهد" على أوديسا',
    "قالت السلطات الأوكرانية إن أربعة أشخاص قتلوا في هجوم شنته روسيا ليلا بطائرات مسيرة من طراز Shahed-136 (شاهد) على "
    "مدينة أوديسا الساحلية، وإن حريقا اندلع في مبنى سكني من تسعة طوابق.",
)
MORE = (
    'مقتل 7 في هجوم بمسيّرات "شاهد" على أوديسا',
    "قالت السلطات الأوكرانية إن سبعة أشخاص قتلوا في هجوم شنته روسيا ليلا بطائرات مسيرة من طراز Shahed-136 (شاهد) على "
    "مدينة أوديسا الساحلية، وإن حريقا اندلع في مبنى سكني من تسعة طوابق.",
)
DENIAL = (
    'موسكو تنفي شن هجوم بمسيّرات "شاهد" على أوديسا',
    "نفت وزارة الدفاع الروسية الأنباء. وكانت السلطات الأوكرانية قالت إن أربعة أشخاص قتلوا في هجوم شنته روسيا ليلا "
    "بطائرات مسيرة من طراز Shahed-136 (شاهد) على مدينة أوديسا الساحلية.",
)
BRIEF = [
    ("زلزال بقوة 5.2 يضرب جنوب إيران", "قال مركز رصد الزلازل إن زلزالا بقوة 5.2 ضرب محافظة هرمزغان ولم ترد أنباء."),
    (
        "أذربيجان وأرمينيا توقعان اتفاقا أوليا في واشنطن",
        "وقع وزيرا الخارجية اتفاقا أوليا على ترسيم الحدود وفتح المعابر.",
    ),
    ("زلزال خفيف يشعر به سكان بيروت", "شعر سكان العاصمة بهزة خفيفة مصدرها البحر على عمق عشرة كيلومترات وفق المركز."),
    ("رئيس أرمينيا يزور جورجيا الأسبوع المقبل", "يبحث الرئيس في تبليسي مشاريع النقل والطاقة والربط الكهربائي."),
    ("NATO: أذربيجان تشارك في مناورات", "أعلن الحلف في Brussels أن ثلاثين دولة ستشارك في مناورات بحرية كبرى."),
]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desks(f"sqlite:///{tmp_path / 'rasid.db'}", rules=RULES) as (made,):
        made.flow.outlets = OUTLETS
        made.flow.channels = {"main": MAIN}
        yield made


def brief(desk: Desk) -> None:
    for number, (title, text) in enumerate(BRIEF):
        desk.take("abcde"[number], title, text)


def told(desk: Desk, kind: str = "story", operation: Operation = Operation.SEND) -> str:
    """The HTML of what was sent last of its kind, as Telegram would take it, with what it replies to."""
    desk.deliver()
    found = [one for claim, one in desk.posted if claim.operation is operation and one.data["kind"] == kind]
    rendered = found[-1]
    assert rendered.html is not None and len(parse_html(rendered.html)[0]) <= 4096
    head = [f"[reply to {rendered.reply_to}]"] if rendered.reply_to else []
    return "\n".join([*head, *(["[silent]"] if rendered.silent else []), rendered.html])


def test_a_story(desk: Desk, snapshot: SnapshotAssertion) -> None:
    desk.take("a", *ATTACK)
    assert told(desk) == snapshot(name="new")
    for outlet in "bcde":
        desk.take(outlet, *ATTACK)
    assert told(desk, operation=Operation.EDIT) == snapshot(name="grown")


def test_a_development(desk: Desk, snapshot: SnapshotAssertion) -> None:
    desk.take("a", *ATTACK)
    desk.deliver()
    desk.take("c", *MORE)
    assert told(desk, "development") == snapshot


def test_a_denial(desk: Desk, snapshot: SnapshotAssertion) -> None:
    desk.take("a", *ATTACK)
    desk.deliver()
    desk.take("e", *DENIAL)
    assert told(desk) == snapshot(name="denying")
    assert told(desk, operation=Operation.EDIT) == snapshot(name="denied")


def test_an_article(desk: Desk, snapshot: SnapshotAssertion) -> None:
    desk.flow.channels = {"main": replace(MAIN, mode=Mode.EACH, hashtags=False)}
    desk.take("a", *ATTACK)
    desk.take("c", *ATTACK)
    assert told(desk, "article") == snapshot


def test_a_digest(desk: Desk, snapshot: SnapshotAssertion) -> None:
    desk.flow.channels = {"main": replace(MAIN, mode=Mode.DIGEST, digest=Schedule(times=(time(18),)))}
    brief(desk)
    for outlet in "abc":
        desk.take(outlet, *ATTACK)
    desk.at = 6 * 60
    assert told(desk, "digest") == snapshot


def test_a_digest_of_a_burst(desk: Desk, snapshot: SnapshotAssertion) -> None:
    desk.flow.channels = {"main": replace(MAIN, burst=1, burst_window=timedelta(minutes=30))}
    brief(desk)
    desk.at = 60
    assert told(desk, "digest") == snapshot


def test_a_digest_of_quiet_hours(desk: Desk, snapshot: SnapshotAssertion) -> None:
    """Among it something of before midnight, which needs its date."""
    desk.flow.channels = {"main": replace(MAIN, quiet=(time(23), time(7)), hashtags=False)}
    desk.at = 9 * 60 + 56
    brief(desk)
    desk.at = 20 * 60
    assert told(desk, "digest") == snapshot


def test_a_digest_of_what_a_rule_held_back(desk: Desk, snapshot: SnapshotAssertion) -> None:
    desk.flow.rules = {**desk.flow.rules, CAUCASUS.id: replace(CAUCASUS, max_per_hour=1)}
    brief(desk)
    release_held(desk.flow, NOW + timedelta(hours=2))
    desk.at = 2 * 60
    assert told(desk, "digest") == snapshot


def test_a_silent_digest(desk: Desk, snapshot: SnapshotAssertion) -> None:
    desk.flow.channels = {"main": replace(MAIN, quiet=(time(23), time(7)))}
    desk.at = 10 * 60
    desk.take("a", *BRIEF[0])
    desk.take("b", *BRIEF[2])
    desk.at = 20 * 60
    assert told(desk, "digest") == snapshot

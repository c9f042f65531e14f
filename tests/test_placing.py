"""When an alert is told in a channel: quiet hours, digests at set times, bursts; by the clocks of the channel."""

import itertools
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.placing import Crowd, following, place
from monitor.model import Severity
from monitor.model_delivery import Channel, Mode, Place, Schedule
from monitor.runtime import configuration

BEIRUT = ZoneInfo("Asia/Beirut")
NIGHT = Channel("main", "telegram", quiet=(time(23), time(7)))
ALONE = Crowd()
HOURLY = Schedule(every=timedelta(hours=1))
DAILY = Schedule(times=(time(8),))


def at(text: str, zone: ZoneInfo = BEIRUT) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def told(channel: Channel, now: str, severity: Severity = Severity.NORMAL, crowd: Crowd = ALONE) -> Place:
    return place(channel, severity, at(now), BEIRUT, crowd)


def shown(moment: datetime | None, zone: ZoneInfo = BEIRUT) -> str:
    assert moment is not None
    return f"{moment.astimezone(zone):%d %H:%M}"


def test_a_channel_is_told_at_once_unless_it_says_otherwise() -> None:
    assert told(Channel("main", "telegram"), "2026-03-01 03:00") == Place("main")
    assert told(Channel("main", "telegram", mode=Mode.EACH), "2026-03-01 03:00") == Place("main", Mode.EACH)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-01 22:59:59", ""),
        ("2026-03-01 23:00", "02 07:00"),
        ("2026-03-02 00:00", "02 07:00"),
        ("2026-03-02 06:59:59", "02 07:00"),
        ("2026-03-02 07:00", ""),
        ("2028-02-28 23:30", "29 07:00"),  # a leap day
        ("2028-02-29 23:30", "01 07:00"),
        ("2026-12-31 23:30", "01 07:00"),
    ],
)
def test_quiet_hours_go_over_midnight_and_end_on_the_minute(now: str, until: str) -> None:
    found = told(NIGHT, now)
    assert (found.mode is Mode.DIGEST) == bool(until)
    if until:
        assert (found.why, shown(found.until), found.held) == ("quiet", until, "quiet hours until 07:00")
        assert found.detail == "23:00–07:00"


def test_severity_high_passes_quiet_hours_unless_the_channel_forbids_it() -> None:
    assert told(NIGHT, "2026-03-02 03:00", Severity.HIGH) == Place("main")
    strict = Channel("main", "telegram", quiet=NIGHT.quiet, quiet_high=True)
    assert told(strict, "2026-03-02 03:00", Severity.HIGH).why == "quiet"


def test_quiet_hours_of_two_places_are_their_own() -> None:
    """One moment: 23:30 in Beirut, 16:30 in New York."""
    moment = at("2026-01-10 23:30")
    assert place(NIGHT, Severity.LOW, moment, BEIRUT, Crowd()).why == "quiet"
    assert place(NIGHT, Severity.LOW, moment, ZoneInfo("America/New_York"), Crowd()) == Place("main")


def test_quiet_hours_when_the_clocks_change() -> None:
    """Berlin skips 02:00–03:00 on 29 March 2026, and has it twice on 25 October."""
    berlin = ZoneInfo("Europe/Berlin")
    early = Channel("main", "telegram", quiet=(time(23), time(2, 30)))
    spring = place(early, Severity.LOW, at("2026-03-29 01:00", berlin), berlin, Crowd())
    assert shown(spring.until, berlin) == "29 03:30"  # 02:30 is not on any clock
    autumn = place(early, Severity.LOW, at("2026-10-25 02:10", berlin), berlin, Crowd())
    assert shown(autumn.until, ZoneInfo("UTC")) == "25 00:30"  # the first of two
    length = place(NIGHT, Severity.LOW, at("2026-03-28 23:00", berlin), berlin, Crowd()).until
    assert length is not None and length - at("2026-03-28 23:00", berlin).astimezone(length.tzinfo) == timedelta(
        hours=7
    )


BERLIN, CAIRO = ZoneInfo("Europe/Berlin"), ZoneInfo("Africa/Cairo")
# Cairo skips 00:00–01:00 on 24 April 2026 and has 23:00–24:00 of 29 October twice.


@pytest.mark.parametrize(
    ("zone", "quiet", "now", "until"),
    [
        (BERLIN, "22:00 02:30", "2026-10-25 00:29:59", "25 00:30"),  # in UTC: the first 02:29:59
        (BERLIN, "22:00 02:30", "2026-10-25 00:30", ""),
        (BERLIN, "22:00 02:30", "2026-10-25 01:10", ""),  # the second 02:10
        (BERLIN, "22:00 02:30", "2026-10-25 01:30", ""),
        (BERLIN, "22:00 02:30", "2026-10-25 21:00", "26 01:30"),
        (BERLIN, "02:30 07:00", "2026-10-25 00:29:59", ""),
        (BERLIN, "02:30 07:00", "2026-10-25 01:10", "25 06:00"),  # they began with the first 02:30
        (BERLIN, "02:10 02:50", "2026-10-25 00:20", "25 00:50"),
        (BERLIN, "02:10 02:50", "2026-10-25 01:20", ""),
        (BERLIN, "22:00 02:30", "2026-03-29 00:59:59", "29 01:30"),  # 01:59:59; 02:30 is 03:30
        (BERLIN, "22:00 02:30", "2026-03-29 01:10", "29 01:30"),  # 03:10
        (BERLIN, "22:00 02:30", "2026-03-29 01:30", ""),
        (BERLIN, "02:30 03:00", "2026-03-29 01:30", ""),  # not on any clock
        (CAIRO, "20:00 23:30", "2026-10-29 20:29:59", "29 20:30"),  # the first 23:29:59
        (CAIRO, "20:00 23:30", "2026-10-29 21:10", ""),  # the second 23:10
        (CAIRO, "23:30 07:00", "2026-10-29 21:10", "30 05:00"),
        (CAIRO, "20:00 00:30", "2026-04-23 22:10", "23 22:30"),  # 01:10; 00:30 is 01:30
        (CAIRO, "20:00 00:30", "2026-04-23 22:30", ""),
    ],
)
def test_quiet_hours_end_once_where_the_clocks_show_their_end_twice_or_never(
    zone: ZoneInfo, quiet: str, now: str, until: str
) -> None:
    begin, end = map(time.fromisoformat, quiet.split())
    channel = Channel("main", "telegram", quiet=(begin, end))
    utc = ZoneInfo("UTC")
    for there in (utc, zone):
        found = place(channel, Severity.LOW, at(now, utc).astimezone(there), zone, ALONE)
        assert found == Place("main") if not until else shown(found.until, utc) == until


@given(
    st.datetimes(datetime(2026, 3, 20), datetime(2026, 11, 5)),
    st.times(),
    st.times(),
    st.sampled_from([BERLIN, CAIRO]),
)
def test_at_the_end_of_quiet_hours_they_are_over(moment: datetime, begin: time, end: time, zone: ZoneInfo) -> None:
    channel = Channel("main", "telegram", quiet=(begin, end if end != begin else time(begin.hour, begin.minute ^ 1)))
    now = moment.replace(tzinfo=ZoneInfo("UTC"))
    found = place(channel, Severity.LOW, now, zone, ALONE)
    if found.until is not None:
        assert now < found.until <= now + timedelta(hours=25)
        assert place(channel, Severity.LOW, found.until, zone, ALONE) == Place("main")


@pytest.mark.parametrize(
    ("schedule", "now", "due"),
    [
        (HOURLY, "2026-03-01 12:00", "01 13:00"),
        (HOURLY, "2026-03-01 23:59:59", "02 00:00"),
        (Schedule(every=timedelta(minutes=15)), "2026-03-01 12:14:59", "01 12:15"),
        (Schedule(every=timedelta(minutes=15)), "2026-03-01 12:15", "01 12:30"),
        (DAILY, "2026-03-01 07:59:59", "01 08:00"),
        (DAILY, "2026-03-01 08:00", "02 08:00"),
        (DAILY, "2028-02-28 09:00", "29 08:00"),
        (Schedule(times=(time(8), time(18))), "2026-03-01 09:00", "01 18:00"),
        (DAILY, "2026-03-28 09:00", "29 08:00"),  # Beirut's clocks go forward at midnight
    ],
)
def test_digests_go_on_the_round_minute_of_the_channels_clock(schedule: Schedule, now: str, due: str) -> None:
    assert shown(following(schedule, at(now), BEIRUT)) == due
    found = told(Channel("main", "telegram", mode=Mode.DIGEST, digest=schedule), now, Severity.HIGH)
    assert (found.mode, found.why, shown(found.until)) == (Mode.DIGEST, "digest", due)
    assert found.held == f"digest at {due[3:]}"


def test_hourly_digests_are_an_hour_apart_through_a_change_of_clocks() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for day in ("2026-03-29", "2026-10-25"):
        moment = at(f"{day} 00:30", berlin)
        dues = []
        for _ in range(5):
            moment = following(HOURLY, moment, berlin)
            dues.append(moment)
        assert all(later - earlier == timedelta(hours=1) for earlier, later in itertools.pairwise(dues))


@given(st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)), st.sampled_from([HOURLY, DAILY]), st.data())
def test_the_next_digest_is_always_ahead_and_never_more_than_a_day(
    moment: datetime, schedule: Schedule, data: st.DataObject
) -> None:
    zone = ZoneInfo(data.draw(st.sampled_from(["Asia/Beirut", "Africa/Cairo", "Asia/Kathmandu", "America/St_Johns"])))
    now = moment.replace(tzinfo=zone)
    due = following(schedule, now, zone)
    assert timedelta(0) < due - now.astimezone(due.tzinfo) <= timedelta(hours=25)
    assert due.astimezone(zone).second == 0


def test_past_the_burst_limit_a_digest_takes_over_and_high_has_a_limit_of_its_own() -> None:
    channel = Channel("main", "telegram", burst=15)
    now = "2026-03-01 12:00"
    assert told(channel, now, crowd=Crowd(14, 0)) == Place("main")
    held = told(channel, now, crowd=Crowd(15, 3))
    assert (held.why, shown(held.until)) == ("burst", "01 12:05")
    assert held.held == "burst: more than 15 in 5m; digest at 12:05"
    assert told(channel, now, Severity.HIGH, Crowd(40, 14)) == Place("main")
    assert shown(told(channel, now, Severity.HIGH, Crowd(40, 15)).until) == "01 12:01"


def test_a_digest_that_would_go_in_quiet_hours_goes_at_their_end() -> None:
    hourly = Channel("main", "telegram", mode=Mode.DIGEST, digest=HOURLY, quiet=(time(23), time(7)))
    assert told(hourly, "2026-03-01 22:30").why == "quiet" and told(hourly, "2026-03-01 21:30").why == "digest"
    busy = Channel("main", "telegram", burst=1, quiet=(time(23), time(7)))
    found = told(busy, "2026-03-01 22:58", crowd=Crowd(5, 0))
    assert (found.why, shown(found.until)) == ("quiet", "02 07:00")


def test_what_the_machines_own_clock_shows_does_not_matter() -> None:
    with time_machine.travel(at("2026-03-01 03:00")):
        assert told(NIGHT, "2026-03-01 12:00") == Place("main")


def test_quiet_hours_of_the_settings_are_those_of_channels_that_set_none(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "rasid.yaml").write_text("timezone: Asia/Beirut\nalerts: {quiet: 22:00-06:30}\n", "utf-8")
    (folder / "channels.yaml").write_text(
        "channels:\n"
        "  - {name: main, type: console}\n"
        "  - {name: late, type: console, quiet: 23:00-07:00}\n"
        "  - {name: never, type: file, path: data/alerts.jsonl, quiet: off}\n",
        "utf-8",
    )
    (folder / "rules.yaml").write_text("rules:\n  - {id: a, name: {en: A, ar: أ}, match: شاهد}\n", "utf-8")
    (folder / "feeds.yaml").write_text("outlets: []\n", "utf-8")
    found = configuration.load(folder, {}).channels
    assert [one.quiet for one in found.values()] == [(time(22), time(6, 30)), (time(23), time(7)), None]
    assert found["never"].options["path"] == str(tmp_path / "data" / "alerts.jsonl")
    assert found["main"].timezone == "Asia/Beirut"

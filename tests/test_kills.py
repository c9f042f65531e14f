"""kill -9 at any moment: no article is lost, and no story is alerted twice unless a send's outcome was unknown."""

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.living import Item, Living, living, rss

KILLS = 12
STRIKES = [
    Item(
        f"إسقاط {number} طائرة شاهد فوق مدينة {city}",
        f"قال حاكم {city} إن الدفاعات الجوية أسقطت {number} طائرة من طراز شاهد فوق {city} وإن شظاياها أصابت {where}.",
        f"strike-{number}",
    )
    for number, (city, where) in enumerate(
        [
            ("كييف", "مدرسة خالية"),
            ("أوديسا", "مرفأ الحبوب"),
            ("خاركيف", "محطة كهرباء"),
            ("لفيف", "خط القطار الغربي"),
            ("سومي", "مزرعة قرب الحدود"),
            ("دنيبرو", "مصنعا للصلب"),
        ],
        start=3,
    )
]


@pytest.fixture
def here(tmp_path: Path, store_url: str) -> Iterator[Living]:
    with living(tmp_path, store_url) as found:
        yield found


@pytest.mark.soak
def test_kills_at_random_moments_lose_nothing(here: Living) -> None:
    chance = random.Random(7)
    outlets = [f"outlet{number}" for number in range(len(STRIKES))]
    for name, strike in zip(outlets, STRIKES, strict=True):
        here.feeds.set(f"/{name}", rss(name, strike))
    here.outlets(*outlets)
    for _ in range(KILLS):
        here.start()
        time.sleep(chance.uniform(0.6, 2.6))
        here.stop(signal.SIGKILL)
    here.start()
    here.wait(lambda: here.rows("select count(*) from articles") == [(len(STRIKES),)], seconds=400)
    done = "select count(*) from deliveries where state <> 'sent'"
    here.wait(lambda: here.rows(done) == [(0,)], seconds=400)
    assert here.rows("select count(*) from alerts") == [(len(STRIKES),)]
    assert here.rows("select count(*) from hits") == [(len(STRIKES),)]
    shown = Counter(next(s.title for s in STRIKES if s.title in one["text"]) for one in here.messages())
    assert set(shown) == {strike.title for strike in STRIKES}
    unknown = here.rows("select coalesce(sum(unknowns), 0) from deliveries")[0][0]
    assert sum(number - 1 for number in shown.values()) <= unknown

"""What a channel hears inside its quiet hours of that which was to go before them, on SQLite and Postgres."""

import pytest

from monitor.delivery.transports import Check
from monitor.model_delivery import Channel, ChatPace, DeliveryClaim, Outcome, OutcomeKind, Rendered
from monitor.pipeline import deliver_due
from tests.desk import SHAHED
from tests.test_digests import HIGH, QUIET, clock, desk, news


class Heard:
    """A channel that takes down how each message came: its rule, and whether it made no sound."""

    def __init__(self) -> None:
        self.limit = 4096
        self.pace = ChatPace("main")
        self.all: list[tuple[str, bool]] = []

    async def deliver(self, claim: DeliveryClaim, rendered: Rendered) -> Outcome:
        self.all.append((rendered.text.splitlines()[0].split(" ", 1)[1], rendered.silent))
        return Outcome(OutcomeKind.SENT, external_id=str(claim.message_id))

    async def diagnose(self, sample: Rendered | None = None) -> list[Check]:
        return []

    async def close(self) -> None:
        return


@pytest.mark.parametrize("quiet_high", [False, True])
async def test_what_could_not_go_before_quiet_hours_wakes_nobody(store_url: str, quiet_high: bool) -> None:
    with desk(store_url, Channel("main", "console", quiet=QUIET, quiet_high=quiet_high)) as here:
        heard = Heard()
        here.flow.transports = {"main": heard}
        clock(here, 10.5)
        news(here, 1)
        news(here, 4, "انفجار")
        for hours in (12, 12.1):
            clock(here, hours)
            await deliver_due(here.flow, lambda: here.now)
        assert heard.all == [(HIGH.name_ar, quiet_high), (SHAHED.name_ar, True)]
        clock(here, 20)
        news(here, 5)
        await deliver_due(here.flow, lambda: here.now)
        assert heard.all[2:] == [(SHAHED.name_ar, False)]

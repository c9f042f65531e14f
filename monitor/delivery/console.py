"""Alerts on the terminal: a panel where somebody watches, one plain line in a pipe."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from monitor.delivery import aside
from monitor.delivery.aside import Aside
from monitor.delivery.transports import LONGEST_TEXT, Check
from monitor.model_delivery import Channel, ChatPace, DeliveryClaim, Operation, Outcome, OutcomeKind, Rendered

if TYPE_CHECKING:
    from rich.console import Console

_EDGES = {"high": "red", "normal": "yellow", "low": "dim"}


class ConsoleTransport:
    """Prints. Edits are printed only in a terminal (a pipe wants each story once); deletions are not."""

    def __init__(self, channel: Channel, console: Console | None) -> None:
        from rich.console import Console

        self._name = channel.name
        self._rtl = channel.language.startswith("ar")
        self._console = console or Console(highlight=False, markup=False, emoji=False)
        self._aside = Aside()
        self.limit = LONGEST_TEXT
        self.pace = ChatPace(chat_key=f"console:{channel.name}")

    def __repr__(self) -> str:
        return f"ConsoleTransport({self._name!r})"

    async def deliver(self, claim: DeliveryClaim, rendered: Rendered) -> Outcome:
        """Print the message aside, so that a stopped terminal stops nothing else."""
        if self._aside.busy:
            return Outcome(OutcomeKind.RETRY, "standard output: the message before is not printed yet")
        try:
            async with asyncio.timeout(aside.PATIENCE):
                await self._aside.run(partial(self._print, rendered, claim.operation is Operation.EDIT))
        except TimeoutError:
            return Outcome(OutcomeKind.UNKNOWN, "standard output: the message was not printed in time")
        except OSError as error:
            return Outcome(OutcomeKind.RETRY, f"standard output: {error.strerror or type(error).__name__}")
        return Outcome(OutcomeKind.SENT, external_id=claim.external_id or f"console-{claim.message_id}")

    def _print(self, rendered: Rendered, edited: bool) -> None:
        from rich.panel import Panel
        from rich.text import Text

        if not self._console.is_terminal:
            if not edited:
                line = " | ".join(part for part in rendered.text.splitlines() if part.strip())
                self._console.file.write(f"{line}\n")
                self._console.file.flush()
            return
        justify = "right" if self._rtl else "left"
        title = ("تحديث" if self._rtl else "updated") if edited else None
        edge = _EDGES.get(str(rendered.data.get("severity")), "cyan")
        self._console.print(Panel(Text(rendered.text, justify=justify), title=title, border_style=edge))  # type: ignore[arg-type]

    async def diagnose(self, sample: Rendered | None = None) -> list[Check]:
        """There is nothing to go wrong but a closed output."""
        checks = [Check(True, "alerts are printed on this console")]
        if sample is not None:
            try:
                await self._aside.run(partial(self._print, sample, False))
            except OSError as error:
                return [Check(False, f"standard output cannot be written: {error}", "Do not close it.")]
        return checks

    async def close(self) -> None:
        """Nothing is held open."""
        return
